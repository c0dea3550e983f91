//! The mailbox, by example; `model.rs` has it against a model.

mod model;

use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

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

/// `MBX-6`.
#[test]
fn a_receiver_that_never_waits_gives_way() {
    let (sender, mut receiver) = mailbox(1000);
    (0..300).for_each(|n| sender.try_send(n).unwrap());
    let (count, waker) = counting();
    let mut cx = Context::from_waker(&waker);
    let mut received = Vec::new();
    let mut gave_way = Vec::new();
    while received.len() < 300 {
        match receiver.poll_recv(&mut cx) {
            Poll::Ready(n) => received.extend(n),
            Poll::Pending => gave_way.push((received.len(), count.take())),
        }
    }
    assert_eq!(gave_way, [(128, 1), (256, 1)]);
    assert!(received.into_iter().eq(0..300), "and nothing is lost by it");
    assert!(receiver.poll_recv(&mut cx).is_pending());
    assert_eq!(count.take(), 0, "with nothing there it waits");
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
    let mut producers = tokio::task::JoinSet::new();
    for producer in 0..4_usize {
        let sender = sender.clone();
        producers.spawn(async move {
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
