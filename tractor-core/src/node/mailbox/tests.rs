//! The mailbox, by example and against a model.

use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use proptest::prelude::*;

use super::*;

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn drain<T>(receiver: &mut Receiver<T>) -> Vec<T> {
    std::iter::from_fn(|| receiver.try_recv().ok()).collect()
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn counting() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (count.clone(), count.into())
}

impl Count {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// `MBX-1`.
#[test]
fn order_is_that_of_the_first_polls() {
    let (sender, mut receiver) = mailbox(2);
    sender.try_send(1).unwrap();
    let mut late = sender.send(9);
    sender.try_send(2).unwrap();
    let mut fourth = sender.send(4);
    let mut third = sender.send(3);
    assert!(poll(&mut third).is_pending() && poll(&mut fourth).is_pending());
    assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
    assert!(poll(&mut late).is_pending(), "made early, polled late");
    assert_eq!(drain(&mut receiver), [1, 2, 3, 4, 9]);
    assert_eq!(poll(&mut third), Poll::Ready(Ok(())));
    assert_eq!(poll(&mut late), Poll::Ready(Ok(())));
}

/// `MBX-2`: of what the receiver holds as its batch, too.
#[test]
fn the_bound_holds_to_the_item() {
    let (sender, mut receiver) = mailbox(3);
    for round in 0..50 {
        while sender.try_send(round).is_ok() {}
        assert_eq!(sender.len(), 3);
        receiver.try_recv().unwrap();
        assert_eq!(
            sender.try_send(round),
            Ok(()),
            "one was received, so there is room for one"
        );
        assert_eq!(sender.try_send(round), Err(TrySendError::Full(round)));
        if round % 7 == 0 {
            drain(&mut receiver);
        }
    }
}

#[test]
fn a_mailbox_without_room_has_room_for_one() {
    let (sender, _receiver) = mailbox(0);
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
}

#[test]
fn what_another_bound_holds_takes_no_room_and_passes_waiting_senders() {
    let (sender, mut receiver) = mailbox(1);
    sender.try_send(1).unwrap();
    let mut waits = sender.send(4);
    assert!(poll(&mut waits).is_pending());
    sender.push_unbounded(2).unwrap();
    sender.push_unbounded(3).unwrap();
    assert_eq!(sender.len(), 3);
    assert_eq!(drain(&mut receiver), [1, 2, 3, 4]);
    sender.push_unbounded(5).unwrap();
    assert_eq!(sender.try_send(6), Ok(()), "it took no room");
}

/// `MBX-3`.
#[test]
fn senders_that_wait_are_let_in_a_few_at_a_time_and_at_the_end_of_a_batch() {
    let (sender, mut receiver) = mailbox(8);
    while sender.try_send(0).is_ok() {}
    let (count, waker) = counting();
    let mut cx = Context::from_waker(&waker);
    let mut waits: Vec<_> = (0..3).map(|n| sender.send(n)).collect();
    for wait in &mut waits {
        assert!(Pin::new(wait).poll(&mut cx).is_pending());
    }
    receiver.try_recv().unwrap();
    assert_eq!(count.take(), 0);
    receiver.try_recv().unwrap();
    assert_eq!(count.take(), 2);
    assert!(poll(&mut waits[1]).is_ready() && poll(&mut waits[2]).is_pending());
    assert_eq!(drain(&mut receiver).len(), 9);
    assert_eq!(
        count.take(),
        0,
        "its waker was replaced by that of its last poll"
    );
    assert!(poll(&mut waits[2]).is_ready());
}

/// `MBX-4`.
#[test]
fn an_item_can_be_removed_wherever_it_lies() {
    let (sender, mut receiver) = mailbox(4);
    (1..=4).for_each(|n| sender.try_send(n).unwrap());
    assert_eq!(receiver.try_recv(), Ok(1));
    sender.try_send(5).unwrap();
    let mut waits = sender.send(6);
    assert!(poll(&mut waits).is_pending());
    assert_eq!(sender.remove(|n| *n == 3), Some(3), "out of the batch");
    assert!(poll(&mut waits).is_ready(), "its room is given on");
    assert_eq!(sender.remove(|n| *n == 5), Some(5), "out of the queue");
    assert_eq!(sender.remove(|n| *n == 3), None);
    assert_eq!(sender.len(), 3);
    assert_eq!(drain(&mut receiver), [2, 4, 6]);
}

/// `MBX-4`.
#[test]
fn a_sender_that_stops_waiting_takes_its_item_back() {
    let (sender, mut receiver) = mailbox(1);
    let item = Rc::new(());
    sender.try_send(item.clone()).unwrap();
    let mut first = sender.send(item.clone());
    let mut second = sender.clone().send_owned(item.clone());
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    assert_eq!(Rc::strong_count(&item), 4);
    drop(first);
    assert_eq!(Rc::strong_count(&item), 3);
    assert_eq!(drain(&mut receiver).len(), 2);
    assert_eq!(poll(&mut second), Poll::Ready(Ok(())));
}

/// `MBX-5`.
#[test]
fn closing_keeps_what_is_queued_and_refuses_what_is_not() {
    let (sender, mut receiver) = mailbox(2);
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap();
    let (count, waker) = counting();
    let mut waits = sender.send(3);
    let mut unpolled = sender.send(4);
    assert!(
        Pin::new(&mut waits)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    receiver.close();
    assert!(sender.is_closed());
    assert_eq!(count.take(), 1);
    assert_eq!(sender.try_send(5), Err(TrySendError::Closed(5)));
    assert_eq!(sender.push_unbounded(6), Err(Closed(6)));
    assert_eq!(poll(&mut unpolled), Poll::Ready(Err(Closed(4))));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(poll(&mut waits), Poll::Ready(Err(Closed(3))));
    assert_eq!(poll(&mut pin!(receiver.recv())), Poll::Ready(Some(2)));
    assert_eq!(poll(&mut pin!(receiver.recv())), Poll::Ready(None));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn the_last_sender_to_go_closes_it() {
    let (sender, mut receiver) = mailbox(2);
    let other = sender.clone();
    assert!(sender.is_same(&other));
    other.try_send(1).unwrap();
    drop(sender);
    let (count, waker) = counting();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(Some(1)));
    assert_eq!(receiver.poll_recv(&mut cx), Poll::Pending);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    drop(other);
    assert_eq!(count.take(), 1);
    assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(None));
}

/// `MBX-4`.
#[test]
fn a_receiver_that_goes_drops_what_is_queued_and_gives_back_what_waits() {
    let (sender, mut receiver) = mailbox(2);
    let item = Rc::new(());
    sender.try_send(item.clone()).unwrap();
    sender.try_send(item.clone()).unwrap();
    drop(receiver.try_recv());
    sender.try_send(item.clone()).unwrap();
    let mut waits = sender.send(item.clone());
    assert!(poll(&mut waits).is_pending());
    drop(receiver);
    assert_eq!(Rc::strong_count(&item), 2);
    assert!(matches!(poll(&mut waits), Poll::Ready(Err(Closed(_)))));
    assert_eq!(Rc::strong_count(&item), 1);
    assert!(sender.is_empty() && sender.is_closed());
}

#[test]
fn a_receiver_is_woken_once_however_many_come() {
    let (sender, mut receiver) = mailbox(8);
    let (count, waker) = counting();
    let mut cx = Context::from_waker(&waker);
    assert!(receiver.poll_recv(&mut cx).is_pending());
    assert!(receiver.poll_recv(&mut cx).is_pending());
    (0..8).for_each(|n| sender.try_send(n).unwrap());
    assert_eq!(count.take(), 1);
}

#[test]
fn an_idle_mailbox_is_one_small_allocation() {
    let (sender, _receiver) = mailbox::<[u64; 5]>(64);
    assert_eq!(sender.0.queue.lock().items.capacity(), 0);
    assert_eq!(sender.0.queue.lock().waiting.capacity(), 0);
    assert_eq!(sender.0.batch.lock().items.capacity(), 0);
    assert!(
        size_of::<Shared<[u64; 5]>>() <= 256,
        "{}",
        size_of::<Shared<[u64; 5]>>()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_producers_order_is_kept_and_nothing_is_lost() {
    const EACH: u32 = 5_000;
    let (sender, mut receiver) = mailbox(7);
    for producer in 0..4_usize {
        let sender = sender.clone();
        tokio::task::spawn(async move {
            for n in 0..EACH {
                sender.send((producer, n)).await.unwrap();
            }
        });
    }
    drop(sender);
    let mut next = [0; 4];
    while let Some((producer, n)) = receiver.recv().await {
        assert_eq!(n, next[producer]);
        next[producer] += 1;
    }
    assert_eq!(next, [EACH; 4]);
}

#[derive(Clone, Debug)]
enum Op {
    TrySend,
    Push,
    Wait,
    Poll(usize),
    StopWaiting(usize),
    Recv,
    Remove(u32),
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => Just(Op::TrySend),
        2 => Just(Op::Push),
        4 => Just(Op::Wait),
        3 => (0usize..8).prop_map(Op::Poll),
        2 => (0usize..8).prop_map(Op::StopWaiting),
        9 => Just(Op::Recv),
        2 => (0u32..100).prop_map(Op::Remove),
        1 => (0u32..20).prop_map(|n| if n == 0 { Op::Close } else { Op::Recv }),
    ]
}

/// What a mailbox is: one queue of items with places, and some that wait for one.
#[derive(Default)]
struct Model {
    /// Each with whether it takes room.
    queue: VecDeque<(u32, bool)>,
    waiting: VecDeque<u32>,
    closed: bool,
}

impl Model {
    fn bounded(&self) -> usize {
        self.queue.iter().filter(|(_, bounded)| *bounded).count()
    }
}

/// Items are numbers, in the order they are made.
fn check(capacity: usize, ops: Vec<Op>) -> Result<(), TestCaseError> {
    let (sender, mut receiver) = mailbox(capacity);
    let step = (capacity / PROMOTE_PARTS).max(1);
    let mut model = Model::default();
    let mut waits: VecDeque<(u32, Sending<&Sender<u32>, u32>)> = VecDeque::new();
    for (op, n) in ops.into_iter().zip(0..) {
        match op {
            Op::TrySend => {
                let full = !model.waiting.is_empty() || model.bounded() == capacity;
                let expected = match (model.closed, full) {
                    (true, _) => Err(TrySendError::Closed(n)),
                    (false, true) => Err(TrySendError::Full(n)),
                    (false, false) => {
                        model.queue.push_back((n, true));
                        Ok(())
                    }
                };
                prop_assert_eq!(sender.try_send(n), expected);
            }
            Op::Push => {
                let expected = if model.closed { Err(Closed(n)) } else { Ok(()) };
                prop_assert_eq!(sender.push_unbounded(n), expected);
                if !model.closed {
                    model.queue.push_back((n, false));
                }
            }
            Op::Wait => {
                let mut sending = sender.send(n);
                match poll(&mut sending) {
                    Poll::Ready(Ok(())) => {
                        prop_assert!(!model.closed && model.waiting.is_empty());
                        model.queue.push_back((n, true));
                    }
                    Poll::Ready(Err(Closed(back))) => prop_assert!(model.closed && back == n),
                    Poll::Pending => {
                        prop_assert!(!model.closed);
                        model.waiting.push_back(n);
                        waits.push_back((n, sending));
                    }
                }
            }
            Op::Poll(pick) if !waits.is_empty() => {
                let (n, mut sending) = waits.remove(pick % waits.len()).unwrap();
                let place = model.waiting.iter().position(|it| *it == n);
                match (poll(&mut sending), place) {
                    (Poll::Ready(Ok(())), None) => {}
                    (Poll::Ready(Err(Closed(back))), Some(place)) => {
                        prop_assert!(model.closed && back == n);
                        model.waiting.remove(place);
                    }
                    (Poll::Pending, Some(_)) => waits.push_back((n, sending)),
                    (outcome, place) => prop_assert!(false, "{outcome:?} with {place:?}"),
                }
            }
            Op::StopWaiting(pick) if !waits.is_empty() => {
                let (n, sending) = waits.remove(pick % waits.len()).unwrap();
                drop(sending);
                model.waiting.retain(|it| *it != n);
            }
            Op::Poll(_) | Op::StopWaiting(_) => {}
            Op::Recv => {
                let received = receiver.try_recv();
                let promoted = model.waiting.len() - sender.0.queue.lock().waiting.len();
                model
                    .queue
                    .extend(model.waiting.drain(..promoted).map(|n| (n, true)));
                let expected = model.queue.pop_front().map(|(n, _)| n);
                let nothing = if model.closed {
                    TryRecvError::Closed
                } else {
                    TryRecvError::Empty
                };
                prop_assert_eq!(received, expected.ok_or(nothing));
            }
            Op::Remove(wanted) => {
                let place = model.queue.iter().position(|(n, _)| *n == wanted);
                let expected = place
                    .and_then(|place| model.queue.remove(place))
                    .map(|(n, _)| n);
                prop_assert_eq!(sender.remove(|n| *n == wanted), expected);
            }
            Op::Close => {
                sender.close();
                model.closed = true;
            }
        }
        let promoted = model.waiting.len() - sender.0.queue.lock().waiting.len();
        model
            .queue
            .extend(model.waiting.drain(..promoted).map(|n| (n, true)));
        prop_assert_eq!(sender.len(), model.queue.len());
        prop_assert!(model.bounded() <= capacity);
        let room = capacity - model.bounded();
        prop_assert!(model.closed || model.waiting.is_empty() || room < step);
    }
    sender.close();
    prop_assert!(
        drain(&mut receiver)
            .iter()
            .eq(model.queue.iter().map(|(n, _)| n))
    );
    Ok(())
}

proptest! {
    /// `MBX-1` to `MBX-5`.
    #[test]
    fn it_behaves_as_its_model(capacity in 1usize..12, ops in prop::collection::vec(op(), 0..200)) {
        check(capacity, ops)?;
    }
}
