//! Streams between one writer and one reader: what each policy does when the reader is too slow.

use proptest::prelude::*;
use tractor_ipc::limits::WINDOW_MAX;
use tractor_ipc::msg::Overrun;

use crate::proto::dialog::{Admission, DialogViolation, Inbox, Outbound, Recv};

/// Writes `count` numbers without anything being read; returns what became of the last one, and what is read then.
fn flood(overrun: Overrun, window: u32, count: u32) -> (Admission, Vec<u32>, u64) {
    let mut out = Outbound::granted(window, overrun);
    let mut inbox = Inbox::open(window, overrun);
    let mut last = Admission::Stopped;
    for number in 0..count {
        last = out.admit();
        if last == Admission::Send {
            inbox.push(number, 1).unwrap();
        }
    }
    let dropped = inbox.dropped();
    let read = std::iter::from_fn(|| match inbox.pop().0 {
        Recv::Value(number) => Some(number),
        Recv::Empty | Recv::Stopped | Recv::Ended => None,
    });
    (last, read.collect(), dropped)
}

/// FLW-1, FLW-2.
#[test]
fn each_policy_does_its_own() {
    let (last, read, dropped) = flood(Overrun::Wait, 3, 5);
    assert_eq!(
        (last, read, dropped),
        (Admission::NoCredit, vec![0, 1, 2], 0)
    );
    let (last, read, dropped) = flood(Overrun::Error, 3, 5);
    assert_eq!(
        (last, read, dropped),
        (Admission::Overrun, vec![0, 1, 2], 0)
    );
    let (last, read, dropped) = flood(Overrun::DropOldest, 3, 5);
    assert_eq!((last, read, dropped), (Admission::Send, vec![2, 3, 4], 2));
    let (last, read, dropped) = flood(Overrun::DropNewest, 3, 5);
    assert_eq!((last, read, dropped), (Admission::Send, vec![0, 1, 2], 2));
}

#[test]
fn an_overrun_is_for_good() {
    let mut out = Outbound::granted(1, Overrun::Error);
    assert_eq!(out.admit(), Admission::Send);
    assert_eq!(out.admit(), Admission::Overrun);
    out.handle_credit(1).unwrap();
    assert_eq!(out.admit(), Admission::Overrun);
}

#[test]
fn an_ended_inbox_can_still_be_read() {
    let mut inbox = Inbox::open(2, Overrun::Wait);
    inbox.push('a', 1).unwrap();
    inbox.push('b', 1).unwrap();
    inbox.end();
    assert_eq!(inbox.pop(), (Recv::Value('a'), None));
    assert_eq!(inbox.pop(), (Recv::Value('b'), None));
    assert_eq!(inbox.pop(), (Recv::Ended, None));
}

/// FLW-2: a peer cannot make a reader hold more than it granted.
#[test]
fn what_was_not_granted_is_refused() {
    let overdrawn = |window| Err(DialogViolation::Overdrawn { window });
    let mut inbox = Inbox::open(1, Overrun::Wait);
    inbox.push('a', 1).unwrap();
    assert_eq!(inbox.push('b', 1), overdrawn(1));
    assert_eq!(Inbox::closed().push('a', 1), overdrawn(0));
    let mut stopped = Inbox::open(1, Overrun::DropNewest);
    stopped.handle_stop().unwrap();
    assert!(stopped.push('a', 1).is_err());
    let mut out = Outbound::granted(WINDOW_MAX, Overrun::Wait);
    assert_eq!(out.handle_credit(1), Err(DialogViolation::TooMuchCredit));
}

/// A reader that left pays for what still comes, so that the writer gets to its end.
#[test]
fn nobody_waits_for_a_reader_that_left() {
    let mut out = Outbound::granted(2, Overrun::Wait);
    let mut inbox = Inbox::open(2, Overrun::Wait);
    assert_eq!(out.admit(), Admission::Send);
    inbox.push(0, 1).unwrap();
    let back = inbox.discard();
    for number in 1..100 {
        assert_eq!(out.admit(), Admission::Send, "value {number}");
        let credit = inbox.push(number, 1).unwrap().credit;
        for amount in credit
            .into_iter()
            .chain((number == 1).then_some(back).flatten())
        {
            out.handle_credit(amount).unwrap();
        }
        assert!(inbox.is_empty());
    }
}

proptest! {
    /// FLW-1, FLW-2: whatever is read when, nothing is out of order and no more than a window is held.
    #[test]
    fn order_and_bound_hold(window in 0..5u32, policy in 0..4usize, reads in prop::collection::vec(any::<bool>(), 0..80)) {
        let overrun = [Overrun::Wait, Overrun::Error, Overrun::DropOldest, Overrun::DropNewest][policy];
        let mut out = Outbound::granted(window, overrun);
        let mut inbox = Inbox::open(window, overrun);
        let (mut next, mut last, mut read) = (0u64, None, 0u64);
        for reads in reads {
            if reads {
                let (found, credit) = inbox.pop();
                if let Recv::Value(value) = found {
                    prop_assert!(last.is_none_or(|last| value > last));
                    last = Some(value);
                    read += 1;
                }
                credit.map(|amount| out.handle_credit(amount)).transpose().unwrap();
            } else if out.admit() == Admission::Send {
                inbox.push(next, 1).unwrap();
                next += 1;
            }
            prop_assert!(inbox.len() <= window.max(1) as usize);
            let held = inbox.len() as u64;
            prop_assert_eq!(read + held + inbox.dropped(), next, "each is read, held or counted");
        }
    }
}
