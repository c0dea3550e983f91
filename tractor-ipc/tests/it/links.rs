//! What a link promises about order, retraction, waiting and its end, under every interleaving with its flusher.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::collection::vec;
use proptest::prelude::*;
use tractor_ipc::limits::WRITE_HIGH_WATER;
use tractor_ipc::msg::{
    CallKind, Cancel, CancelReason, CancelTarget, FunctionRef, Msg, Overrun, Ping, Start,
};
use tractor_ipc::testing::memory_links;
use tractor_ipc::{
    ActorId, ActorName, ActorSlot, Cid, Lane, Link, LinkDown, LinkSide, PushError, RecvError,
};

fn cid(slot: u32) -> Cid {
    Cid::new(LinkSide::Acceptor, slot, 1)
}

fn start(slot: u32) -> Msg {
    Msg::Start(Box::new(Start {
        cid: cid(slot),
        actor: ActorSlot::MAIN,
        function: FunctionRef::Method(1),
        kind: CallKind::Unary,
        signature: None,
        budget: None,
        chain: Vec::new(),
        overrun: Overrun::Wait,
        window: 0,
        trace: None,
    }))
}

fn cancel(slot: u32) -> Msg {
    Msg::Cancel(Box::new(Cancel {
        target: CancelTarget::Dialog(cid(slot)),
        canceller: ActorId::new(ActorName::new("canceller").unwrap()),
        reason: CancelReason::Dropped,
        left: None,
    }))
}

/// Polls once, for the effect.
fn nudge<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Clone, Debug)]
enum Step {
    /// A new call, its arguments this long.
    Start(usize),
    /// A value of the call this many back.
    Yield(u32),
    /// Cancel the call this many back: retract it, or else send a `Cancel`.
    Cancel(u32),
    /// Let the flusher run.
    Flush,
    /// Let the other end read.
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![9 => 0..50usize, 1 => 50..200_000usize].prop_map(Step::Start),
        2 => (0..8u32).prop_map(Step::Yield),
        3 => (0..8u32).prop_map(Step::Cancel),
        2 => Just(Step::Flush),
        2 => Just(Step::Read),
    ]
}

/// What is known of one call at the sending end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Started,
    Cancelled,
    Retracted,
}

async fn run(steps: Vec<Step>, capacity: usize) {
    let (parent, child) = memory_links(capacity).await;
    let Link {
        sender, flusher, ..
    } = parent;
    let mut receiver = child.receiver;
    let mut flush = pin!(flusher.run());
    let mut calls: Vec<Call> = Vec::new();
    let mut seen = Vec::new();
    for step in steps {
        let back = |n: u32| (calls.len() as u32).checked_sub(1 + n);
        match step {
            Step::Start(len) => {
                let slot = calls.len() as u32;
                sender
                    .push(Lane::Data, &start(slot), &vec![slot as u8; len])
                    .unwrap();
                calls.push(Call::Started);
            }
            Step::Yield(n) => {
                if let Some(slot) = back(n).filter(|&slot| calls[slot as usize] == Call::Started) {
                    sender
                        .push(Lane::Data, &Msg::Yield { cid: cid(slot) }, b"v")
                        .unwrap();
                }
            }
            Step::Cancel(n) => {
                if let Some(slot) = back(n).filter(|&slot| calls[slot as usize] == Call::Started) {
                    calls[slot as usize] = if sender.retract(cid(slot)) {
                        assert!(!sender.retract(cid(slot)), "retracted twice");
                        Call::Retracted
                    } else {
                        sender.push(Lane::Control, &cancel(slot), &[]).unwrap();
                        Call::Cancelled
                    };
                }
            }
            Step::Flush => assert!(nudge(flush.as_mut()).is_pending()),
            Step::Read => {
                let mut recv = pin!(receiver.recv());
                if let Poll::Ready(message) = nudge(recv.as_mut()) {
                    seen.push(message.unwrap().unwrap());
                }
            }
        }
    }
    let retracted = calls
        .iter()
        .filter(|call| **call == Call::Retracted)
        .count() as u64;
    assert_eq!(sender.statistics().retracted, retracted);
    sender.close();
    let rest = async {
        while let Some(message) = receiver.recv().await.unwrap() {
            seen.push(message);
        }
    };
    let (flushed, ()) = tokio::join!(flush, rest);
    flushed.unwrap();
    check_seen(&calls, &seen);
}

/// The other end's view: every call that was not retracted starts, in order; a `Cancel` comes behind its `Start`.
fn check_seen(calls: &[Call], seen: &[(Msg, bytes::Bytes)]) {
    let mut started = Vec::new();
    let mut cancelled = Vec::new();
    for (msg, payload) in seen {
        match msg {
            Msg::Start(start) => {
                let slot = start.cid.slot();
                assert!(payload.iter().all(|byte| *byte == slot as u8));
                started.push(slot);
            }
            Msg::Yield { .. } => {}
            Msg::Cancel(cancel) => match cancel.target {
                CancelTarget::Dialog(cid) => {
                    assert!(
                        started.contains(&cid.slot()),
                        "a cancel passed its own start"
                    );
                    cancelled.push(cid.slot());
                }
                CancelTarget::Actor(_) => panic!("nobody cancelled an actor"),
            },
            other => panic!("nobody sent {other:?}"),
        }
    }
    let expected = |wanted: &[Call]| -> Vec<u32> {
        let calls = calls.iter().enumerate();
        calls
            .filter(|(_, call)| wanted.contains(call))
            .map(|(slot, _)| slot as u32)
            .collect()
    };
    assert_eq!(started, expected(&[Call::Started, Call::Cancelled]));
    cancelled.sort_unstable();
    assert_eq!(cancelled, expected(&[Call::Cancelled]));
}

proptest! {
    /// `CHAN-1`, `CHAN-2`.
    #[test]
    fn a_cancel_never_passes_its_own_start(
        steps in vec(step(), 1..80),
        capacity in prop::sample::select(vec![1000usize, 100_000, 4_000_000]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps, capacity));
    }
}

/// `CHAN-2`: what is urgent leaves before what is queued.
#[tokio::test]
async fn control_passes_queued_data() {
    let (parent, mut child) = memory_links(1 << 20).await;
    for slot in 0..10 {
        parent
            .sender
            .push(Lane::Data, &start(slot), &[0; 100])
            .unwrap();
    }
    let urgent = cancel(99);
    parent.sender.push(Lane::Control, &urgent, &[]).unwrap();
    drop(parent.sender);
    parent.flusher.run().await.unwrap();
    let (first, _) = child.receiver.recv().await.unwrap().unwrap();
    assert_eq!(first, urgent);
    let mut rest = 0;
    while let Some((msg, _)) = child.receiver.try_recv().unwrap() {
        assert_eq!(msg, start(rest));
        rest += 1;
    }
    assert_eq!(rest, 10);
    assert_eq!(
        child.receiver.statistics().reads,
        1,
        "what is ready leaves in one write"
    );
}

/// A peer that asks for signs of life and reads none of them costs no memory: the newest is answered.
#[tokio::test]
async fn a_flood_of_pings_is_answered_once() {
    let (parent, mut child) = memory_links(1 << 20).await;
    for nonce in 0..100_000 {
        let pong = Msg::Pong(Ping { nonce });
        parent.sender.push(Lane::Control, &pong, &[]).unwrap();
    }
    assert_eq!(parent.sender.statistics().queued, 0);
    drop(parent.sender);
    parent.flusher.run().await.unwrap();
    let (answer, _) = child.receiver.recv().await.unwrap().unwrap();
    assert_eq!(answer, Msg::Pong(Ping { nonce: 99_999 }));
    assert_eq!(child.receiver.recv().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_nothing_is_queued() {
    let (parent, _child) = memory_links(1 << 20).await;
    parent.sender.set_message_max(1000);
    let refused = parent.sender.push(Lane::Data, &start(0), &[0; 1000]);
    match refused {
        Err(PushError::TooLarge { size, limit: 1000 }) => assert!(size > 1000),
        other => panic!("{other:?}"),
    }
    assert_eq!(parent.sender.statistics(), Default::default());
    assert!(!parent.sender.retract(cid(0)));
}

/// Room is given in the order of arrival, again after each batch, and a waiter that leaves takes its place along.
#[tokio::test]
async fn waiting_for_room_is_fair_and_leaves_nothing() {
    let (parent, _child) = memory_links(64 << 20).await;
    let Link {
        sender, flusher, ..
    } = parent;
    let mut flush = pin!(flusher.run());
    let fill = || {
        sender
            .push(Lane::Data, &start(0), &vec![0; WRITE_HIGH_WATER])
            .unwrap()
    };
    fill();
    let (wakes, waker) = counting_waker();
    let mut cx = Context::from_waker(&waker);
    let mut first = pin!(sender.room());
    let mut second = pin!(sender.room());
    assert!(first.as_mut().poll(&mut cx).is_pending());
    assert!(second.as_mut().poll(&mut cx).is_pending());
    for _ in 0..1000 {
        let mut gone = Box::pin(sender.room());
        assert!(gone.as_mut().poll(&mut cx).is_pending());
    }
    assert!(nudge(flush.as_mut()).is_pending());
    assert_eq!(wakes.count(), 2, "those that wait, none that have left");
    assert!(matches!(first.poll(&mut cx), Poll::Ready(Ok(()))));
    fill();
    assert!(second.as_mut().poll(&mut cx).is_pending());
    sender.abort(LinkDown::Closed);
    assert_eq!(wakes.count(), 3);
    assert!(matches!(
        second.poll(&mut cx),
        Poll::Ready(Err(LinkDown::Closed))
    ));
}

/// A retracted `Start` gives its room back.
#[tokio::test]
async fn retracting_makes_room() {
    let (parent, _child) = memory_links(1 << 20).await;
    parent
        .sender
        .push(Lane::Data, &start(0), &vec![0; WRITE_HIGH_WATER])
        .unwrap();
    let (wakes, waker) = counting_waker();
    let mut cx = Context::from_waker(&waker);
    let mut room = pin!(parent.sender.room());
    assert!(room.as_mut().poll(&mut cx).is_pending());
    assert!(parent.sender.retract(cid(0)));
    assert_eq!(wakes.count(), 1);
    assert!(room.poll(&mut cx).is_ready());
    let statistics = parent.sender.statistics();
    assert_eq!(
        (statistics.messages, statistics.bytes, statistics.queued),
        (0, 0, 0)
    );
}

/// A flusher that is dropped takes the sending side along, so nothing queues up behind it.
#[tokio::test]
async fn without_a_flusher_nothing_can_be_sent() {
    let (parent, mut child) = memory_links(1 << 20).await;
    parent.sender.push(Lane::Data, &start(0), &[]).unwrap();
    drop(parent.flusher);
    let refused = parent.sender.push(Lane::Data, &start(1), &[]);
    assert!(matches!(refused, Err(PushError::Down(LinkDown::Closed))));
    assert_eq!(parent.sender.statistics().queued, 0);
    assert!(child.receiver.recv().await.unwrap().is_none());
}

/// `CHAN-3`, `CHAN-4`: a link that cannot be written is read until it is aborted, and the first cause stays.
#[tokio::test]
async fn an_abort_ends_reading_behind_a_failed_write() {
    let (parent, _child) = memory_links(1 << 20).await;
    drop(parent.flusher);
    let mut receiver = parent.receiver;
    let (wakes, waker) = counting_waker();
    let mut cx = Context::from_waker(&waker);
    let mut recv = pin!(receiver.recv());
    assert!(recv.as_mut().poll(&mut cx).is_pending());
    parent.sender.abort(LinkDown::Aborted("later".into()));
    assert_eq!(wakes.count(), 1);
    match recv.poll(&mut cx) {
        Poll::Ready(Err(RecvError::Down(LinkDown::Closed))) => {}
        other => panic!("{other:?}"),
    }
}

struct Wakes(std::sync::atomic::AtomicUsize);

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl std::task::Wake for Wakes {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

fn counting_waker() -> (std::sync::Arc<Wakes>, Waker) {
    let wakes = std::sync::Arc::new(Wakes(Default::default()));
    (wakes.clone(), wakes.into())
}
