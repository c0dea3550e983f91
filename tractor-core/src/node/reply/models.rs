//! The reply slot in every interleaving of its ends.

use std::future::poll_fn;

use loom::thread;

use super::*;
use crate::sync::model::block_on;

struct Answer(u32);

impl From<u32> for Answer {
    fn from(cause: u32) -> Self {
        Self(cause)
    }
}

/// `RPL-2`, `RPL-3`.
#[test]
fn loom_an_answer_reaches_who_waits() {
    loom::model(|| {
        let (sender, receiver) = slot();
        let thread = thread::spawn(move || sender.send(7));
        assert_eq!(block_on(receiver), Ok(7));
        assert_eq!(thread.join().unwrap(), Ok(()));
    });
}

/// `RPL-3`.
#[test]
fn loom_a_dropped_sender_reaches_who_waits() {
    loom::model(|| {
        let (sender, receiver) = slot::<u32>();
        let thread = thread::spawn(move || drop(sender));
        assert_eq!(block_on(receiver), Err(ReplyDropped));
        thread.join().unwrap();
    });
}

/// `RPL-3`.
#[test]
fn loom_a_dropped_receiver_reaches_who_works() {
    loom::model(|| {
        let (mut sender, receiver) = slot::<u32>();
        let thread = thread::spawn(move || drop(receiver));
        block_on(poll_fn(|cx| sender.poll_abandoned(cx)));
        assert_eq!(sender.send(7), Err(7));
        thread.join().unwrap();
    });
}

/// `RPL-2`: received, or given back, or dropped with the receiver.
#[test]
fn loom_an_answer_while_the_receiver_goes() {
    loom::model(|| {
        let value = Arc::new(());
        let (sender, mut receiver) = slot();
        let sent = value.clone();
        let thread = thread::spawn(move || sender.send(sent).is_ok());
        let received = receiver.try_recv().is_some();
        drop(receiver);
        let taken = thread.join().unwrap();
        assert!(taken || !received);
        assert_eq!(Arc::strong_count(&value), 1);
    });
}

/// `RPL-1`.
#[test]
fn loom_two_answers_race_and_one_stands() {
    loom::model(|| {
        let (sender, receiver) = slot::<Answer>();
        let owed = sender.owed::<u32>();
        let sends = thread::spawn(move || sender.send(Answer(1)).is_ok());
        let settles = thread::spawn(move || owed.settle(2));
        let received = block_on(receiver).map(|answer| answer.0);
        let (sent, settled) = (sends.join().unwrap(), settles.join().unwrap());
        assert!(sent != settled);
        assert_eq!(received, Ok(if sent { 1 } else { 2 }));
    });
}

/// `RPL-1`, `RPL-3`: an actor that is given up while its handler goes.
#[test]
fn loom_an_answer_by_the_table_while_the_sender_goes() {
    loom::model(|| {
        let (sender, receiver) = slot::<Answer>();
        let owed = sender.owed::<u32>();
        let drops = thread::spawn(move || drop(sender));
        let settles = thread::spawn(move || owed.settle(2));
        let received = block_on(receiver).map(|answer| answer.0);
        drops.join().unwrap();
        let expected = if settles.join().unwrap() {
            Ok(2)
        } else {
            Err(ReplyDropped)
        };
        assert_eq!(received, expected);
    });
}
