//! One suite for every transport: what a link relies on.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::{Chopped, connect, greeting};
use crate::channel::{Lane, Link, LinkLimits, LinkReceiver, LinkSender};
use crate::error::{ConnectError, LinkDown, PushError, RecvError};
use crate::id::{Cid, LinkSide, TreeId};
use crate::msg::{Msg, Ping, RefusedReason};
use crate::transport::Transport;
use crate::wire::handshake::HandshakeError;

/// Two connected ends, the dialler's first.
type Ends = (Box<dyn Transport>, Box<dyn Transport>);

/// Runs the suite on transports made by `maker`: two connected ends at each call.
///
/// # Panics
///
/// If the transport does not do what a link relies on.
///
/// # Cancel safety
///
/// Cancel safe, though half a suite shows little.
pub async fn check_transport(mut maker: impl FnMut() -> Ends) {
    tells_why_it_was_refused(maker()).await;
    keeps_order_both_ways(maker()).await;
    let (a, b) = maker();
    let a: Box<dyn Transport> = Box::new(Chopped::new(a, 700, 1));
    keeps_order_both_ways((a, Box::new(Chopped::new(b, 700, 2)))).await;
    carries_a_long_message(maker()).await;
    closes_one_direction_alone(maker()).await;
    says_when_the_other_end_is_gone(maker()).await;
    pushes_back(maker()).await;
    aborts_with_one_cause(maker()).await;
    loses_nothing_when_recv_is_dropped(maker()).await;
    let (a, b) = maker();
    reports_a_cut(Box::new(Chopped::new(a, 9, 3).cut_after(CUT)), b).await;
}

struct End {
    sender: LinkSender,
    receiver: LinkReceiver,
}

/// Handshakes, and runs both flushers beside `body`. They leave when the body has dropped its senders.
async fn linked<F: Future<Output = ()>>(ends: Ends, body: impl FnOnce(End, End) -> F) {
    let (a, b) = connect(ends, greeting(), LinkLimits::default()).await;
    let (a, b) = (
        a.expect("the dialler agrees"),
        b.expect("the acceptor agrees"),
    );
    assert_eq!((a.side, b.side), (LinkSide::Dialler, LinkSide::Acceptor));
    assert_eq!(a.peer.identity.name(), "parent");
    assert_eq!(b.peer.identity.name(), "child");
    let end = |link: Link| {
        let Link {
            sender,
            receiver,
            flusher,
            ..
        } = link;
        (End { sender, receiver }, flusher)
    };
    let ((a, flush_a), (b, flush_b)) = (end(a), end(b));
    let (_, _, ()) = tokio::join!(flush_a.run(), flush_b.run(), body(a, b));
}

async fn tells_why_it_was_refused(ends: Ends) {
    let (mut hello, expect) = greeting();
    hello.tree = TreeId::new();
    let (dialled, accepted) = connect(ends, (hello, expect), LinkLimits::default()).await;
    assert!(matches!(
        dialled,
        Err(ConnectError::Handshake(HandshakeError::Refused(
            RefusedReason::WrongTree
        )))
    ));
    assert!(matches!(
        accepted,
        Err(ConnectError::Handshake(HandshakeError::Rejected {
            reason: RefusedReason::WrongTree,
            ..
        }))
    ));
}

async fn keeps_order_both_ways(ends: Ends) {
    linked(ends, async |mut a, mut b| {
        tokio::join!(
            send_numbered(&a.sender),
            send_numbered(&b.sender),
            expect_numbered(&mut a.receiver),
            expect_numbered(&mut b.receiver),
        );
    })
    .await;
}

async fn carries_a_long_message(ends: Ends) {
    linked(ends, async |a, mut b| {
        let payload: Vec<u8> = (0..3_000_001u32).map(|n| n as u8).collect();
        a.sender.push(Lane::Data, &value(7), &payload).unwrap();
        a.sender.push(Lane::Data, &value(8), b"short").unwrap();
        let (msg, got) = b.receiver.recv().await.unwrap().unwrap();
        assert_eq!(msg, value(7));
        assert!(got == payload, "the parts of a message are joined in order");
        let next = b.receiver.recv().await.unwrap().unwrap();
        assert_eq!(next, (value(8), "short".into()));
    })
    .await;
}

async fn closes_one_direction_alone(ends: Ends) {
    linked(ends, async |mut a, mut b| {
        a.sender.push(Lane::Data, &value(1), b"last words").unwrap();
        a.sender.close();
        let refused = a.sender.push(Lane::Data, &value(2), b"");
        assert!(matches!(refused, Err(PushError::Down(LinkDown::Closed))));
        let last = b.receiver.recv().await.unwrap().unwrap();
        assert_eq!(last, (value(1), "last words".into()));
        assert!(b.receiver.recv().await.unwrap().is_none());
        assert!(b.receiver.recv().await.unwrap().is_none());
        b.sender.push(Lane::Data, &value(3), b"heard").unwrap();
        assert_eq!(a.receiver.recv().await.unwrap().unwrap().0, value(3));
    })
    .await;
}

/// Also: the last words of an end that has gone are read, though writing to it fails (`CHAN-3`).
async fn says_when_the_other_end_is_gone(ends: Ends) {
    let (a, b) = connect(ends, greeting(), LinkLimits::default()).await;
    let (a, mut b) = (a.unwrap(), b.unwrap());
    a.sender.push(Lane::Data, &value(1), b"last words").unwrap();
    drop(a.sender);
    a.flusher.run().await.unwrap();
    drop(a.receiver);
    let flush = async {
        let payload = vec![0; 1 << 20];
        b.sender.push(Lane::Data, &value(2), &payload).unwrap();
        let down = b.flusher.run().await.unwrap_err();
        assert!(matches!(down, LinkDown::Io(_)), "{down}");
    };
    flush.await;
    assert!(matches!(b.sender.is_down(), Some(LinkDown::Io(_))));
    let last = b.receiver.recv().await.unwrap().unwrap();
    assert_eq!(last, (value(1), "last words".into()));
    match b.receiver.recv().await {
        Ok(None) | Err(RecvError::Down(LinkDown::Io(_))) => {}
        other => panic!("neither the end nor a loss: {other:?}"),
    }
}

async fn pushes_back(ends: Ends) {
    linked(ends, async |a, mut b| {
        let payload = vec![1; 10_000];
        let mut sent = 0;
        let mut stalled = 0;
        // The other end does not read: senders must be told to wait, after a bounded amount.
        while stalled < 100 {
            match poll_once(|cx| pin!(a.sender.room()).poll(cx)).await {
                Poll::Ready(room) => {
                    room.unwrap();
                    a.sender.push(Lane::Data, &value(sent), &payload).unwrap();
                    sent += 1;
                    stalled = 0;
                }
                Poll::Pending => stalled += 1,
            }
            assert!(sent < 10_000, "a hundred megabytes queued, and still room");
            tokio::task::yield_now().await;
        }
        let room = a.sender.room();
        let read = async {
            for number in 0..sent {
                let (msg, _) = b.receiver.recv().await.unwrap().unwrap();
                assert_eq!(msg, value(number));
            }
        };
        let (room, ()) = tokio::join!(room, read);
        room.unwrap();
    })
    .await;
}

/// `CHAN-4`.
async fn aborts_with_one_cause(ends: Ends) {
    let (a, b) = connect(ends, greeting(), LinkLimits::default()).await;
    let (a, b) = (a.unwrap(), b.unwrap());
    let (sender, mut receiver) = (a.sender, a.receiver);
    let long = vec![0; 8 << 20];
    sender.push(Lane::Data, &value(0), &long).unwrap();
    let aborter = sender.clone();
    let mut waiting = sender.room();
    let (flushed, received, room, ()) = tokio::join!(
        a.flusher.run(),
        receiver.recv(),
        poll_fn(|cx| {
            // Behind the batch the flusher has taken; fails once the link is down.
            drop(sender.push(Lane::Data, &value(1), &long));
            std::pin::Pin::new(&mut waiting).poll(cx)
        }),
        async {
            tokio::task::yield_now().await;
            aborter.abort(LinkDown::Aborted(Arc::from("the test says so")));
        },
    );
    let _open = b;
    let cause = "the link was given up: the test says so";
    assert_eq!(flushed.unwrap_err().to_string(), cause);
    assert_eq!(received.unwrap_err().to_string(), cause);
    assert_eq!(sender.is_down().unwrap().to_string(), cause);
    match room {
        Err(down) => assert_eq!(down.to_string(), cause),
        Ok(()) => panic!("eight megabytes under way, eight queued, and room"),
    }
}

async fn loses_nothing_when_recv_is_dropped((a, b): Ends) {
    let b: Box<dyn Transport> = Box::new(Chopped::new(b, 3, 5));
    linked((a, b), async |a, mut b| {
        for number in 0..100 {
            a.sender
                .push(Lane::Data, &value(number), &[number as u8; 20])
                .unwrap();
            let (msg, payload) = loop {
                let mut recv = pin!(b.receiver.recv());
                let polled = poll_once(|cx| recv.as_mut().poll(cx)).await;
                if let Poll::Ready(message) = polled {
                    break message.unwrap().unwrap();
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(
                (msg, payload),
                (value(number), vec![number as u8; 20].into())
            );
        }
    })
    .await;
}

async fn reports_a_cut(a: Box<dyn Transport>, b: Box<dyn Transport>) {
    linked((a, b), async |a, mut b| {
        a.sender
            .push(Lane::Data, &value(1), &[7; 2 * CUT as usize])
            .unwrap();
        match b.receiver.recv().await {
            Err(RecvError::Truncated { received }) => assert!(received > 0),
            other => panic!("half a message gave {other:?}"),
        }
        let again = b.receiver.recv().await;
        assert!(matches!(again, Err(RecvError::Truncated { .. })));
        poll_fn(|cx| match a.sender.is_down() {
            Some(_) => Poll::Ready(()),
            None => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
    })
    .await;
}

async fn send_numbered(sender: &LinkSender) {
    for number in 0..NUMBERED {
        sender.room().await.unwrap();
        sender
            .push(Lane::Data, &value(number), &body(number))
            .unwrap();
        if number % 10 == 0 {
            let ping = Msg::Ping(Ping {
                nonce: u64::from(number),
            });
            sender.push(Lane::Control, &ping, &[]).unwrap();
        }
    }
}

async fn expect_numbered(receiver: &mut LinkReceiver) {
    let (mut data, mut control) = (0, 0);
    while data < NUMBERED || control < NUMBERED / 10 {
        match receiver.recv().await.unwrap().unwrap() {
            (Msg::Ping(ping), _) => {
                assert_eq!(ping.nonce, u64::from(control * 10));
                control += 1;
            }
            (msg, payload) => {
                assert_eq!(msg, value(data));
                assert!(payload == body(data), "payload {data} has changed");
                data += 1;
            }
        }
    }
}

fn value(number: u32) -> Msg {
    Msg::Yield {
        cid: Cid::new(LinkSide::Dialler, number, 1),
    }
}

/// Mostly small, some around the sizes where something changes.
fn body(number: u32) -> Vec<u8> {
    let size = match number % 50 {
        7 => 16 << 10,
        17 => (64 << 10) - 1,
        27 => 64 << 10,
        37 => (64 << 10) + 1,
        47 => 200_000,
        small => small as usize * 13,
    };
    vec![number as u8; size]
}

/// One poll, whatever it says.
async fn poll_once<T>(mut poll: impl FnMut(&mut std::task::Context<'_>) -> Poll<T>) -> Poll<T> {
    poll_fn(|cx| Poll::Ready(poll(cx))).await
}

const NUMBERED: u32 = 400;

/// Where a cut link is cut: behind the handshake, inside the message that follows.
const CUT: u64 = 1000;
