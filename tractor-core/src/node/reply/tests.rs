//! The reply slot, by example.

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

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

fn poll<T>(receiver: &mut ReplyReceiver<T>, waker: &Waker) -> Poll<Result<T, ReplyDropped>> {
    Pin::new(receiver).poll(&mut Context::from_waker(waker))
}

/// `RPL-1`, `RPL-2`.
#[test]
fn a_value_is_received_once() {
    let (sender, mut receiver) = slot();
    let (count, waker) = counting();
    assert_eq!(receiver.try_recv(), None);
    assert_eq!(poll(&mut receiver, &waker), Poll::Pending);
    assert!(!sender.is_abandoned());
    assert_eq!(sender.send(7), Ok(()));
    assert_eq!(count.take(), 1);
    assert_eq!(poll(&mut receiver, &waker), Poll::Ready(Ok(7)));
    assert_eq!(poll(&mut receiver, &waker), Poll::Ready(Err(ReplyDropped)));
    assert_eq!(receiver.try_recv(), Some(Err(ReplyDropped)));
}

/// `RPL-3`.
#[test]
fn a_sender_that_goes_is_an_answer() {
    let (sender, mut receiver) = slot::<u32>();
    let ((old, first), (count, second)) = (counting(), counting());
    assert_eq!(poll(&mut receiver, &first), Poll::Pending);
    assert_eq!(poll(&mut receiver, &second), Poll::Pending);
    drop(sender);
    assert_eq!((old.take(), count.take()), (0, 1));
    assert_eq!(receiver.try_recv(), Some(Err(ReplyDropped)));
}

/// `RPL-2`, `RPL-3`.
#[test]
fn a_receiver_that_goes_abandons_the_call() {
    let (mut sender, receiver) = slot();
    let (count, waker) = counting();
    let mut cx = Context::from_waker(&waker);
    assert!(sender.poll_abandoned(&mut cx).is_pending());
    drop(receiver);
    assert_eq!(count.take(), 1);
    assert!(sender.poll_abandoned(&mut cx).is_ready() && sender.is_abandoned());
    assert_eq!(sender.send(7), Err(7));
}

/// `RPL-2`.
#[test]
fn a_value_nobody_fetched_goes_with_the_receiver() {
    let value = Rc::new(());
    let (sender, receiver) = slot();
    sender.send(value.clone()).unwrap();
    assert_eq!(Rc::strong_count(&value), 2);
    drop(receiver);
    assert_eq!(Rc::strong_count(&value), 1);
}

#[derive(Debug, PartialEq)]
struct Answer(u32);

impl From<u32> for Answer {
    fn from(cause: u32) -> Self {
        Self(cause)
    }
}

/// `RPL-1`.
#[test]
fn the_first_answer_stands() {
    let (mut sender, mut receiver) = slot::<Answer>();
    let owed = sender.owed::<u32>();
    let ((count, waker), (told, sending)) = (counting(), counting());
    assert_eq!(poll(&mut receiver, &waker), Poll::Pending);
    assert!(
        sender
            .poll_abandoned(&mut Context::from_waker(&sending))
            .is_pending()
    );
    assert!(owed.settle(1));
    assert_eq!((count.take(), told.take()), (1, 1), "both ends learn of it");
    assert!(!owed.settle(2));
    assert!(sender.is_abandoned());
    assert_eq!(sender.send(Answer(3)), Err(Answer(3)));
    assert_eq!(receiver.try_recv(), Some(Ok(Answer(1))));

    let (sender, mut receiver) = slot::<Answer>();
    let owed = sender.owed::<u32>();
    sender.send(Answer(3)).unwrap();
    assert!(!owed.settle(1));
    assert_eq!(receiver.try_recv(), Some(Ok(Answer(3))));
}

#[test]
fn a_slot_is_one_small_allocation() {
    assert!(size_of::<Slot<u64>>() <= 48, "{}", size_of::<Slot<u64>>());
    assert_eq!(size_of::<ReplySender<u64>>(), size_of::<usize>());
}
