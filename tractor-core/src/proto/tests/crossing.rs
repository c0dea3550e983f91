//! What crosses on the way: a cancel and the end it comes too late for, links that know nothing of one another, and a
//! link that goes while work is under way.

use bytes::Bytes;
use tractor_ipc::id::Cid;
use tractor_ipc::msg::{CallKind, CancelReason};

use super::{NOW, bytes, carry, ends, open, sent, somebody};
use crate::proto::{Action, Cancelled, Loss, Outcome, Reply, Router};

fn call(parent: &mut Router, child: &mut Router) -> Cid {
    let cid = parent
        .open(open(CallKind::Unary), Bytes::new(), NOW)
        .unwrap();
    carry(parent, child);
    cid
}

fn cancel(parent: &mut Router, cid: Cid) -> Cancelled {
    let reason = CancelReason::Requested;
    parent.cancel(cid, reason, somebody(), None, false, NOW)
}

fn cancels(actions: &[Action]) -> Vec<Cid> {
    let asked = actions.iter().filter_map(|action| match action {
        Action::CancelRequested { cid, .. } => Some(*cid),
        _ => None,
    });
    asked.collect()
}

/// Covers E7, RTR-1: a cancel that crosses the result asks nobody for anything, and the result stands.
#[test]
fn a_cancel_for_a_finished_dialog_is_harmless() {
    let (mut parent, mut child) = ends(8, 8);
    let finished = call(&mut parent, &mut child);
    let running = call(&mut parent, &mut child);
    carry(&mut child, &mut parent);
    assert!(child.finish(finished, Reply::Return(bytes("result"))));
    assert_eq!(cancel(&mut parent, finished), Cancelled::Asked);
    carry(&mut parent, &mut child);
    assert_eq!(cancels(&carry(&mut child, &mut parent)), []);
    assert_eq!(
        parent.take_outcome(finished),
        Some(Outcome::Return(bytes("result")))
    );
    assert_eq!(parent.take_outcome(finished), None);
    parent.release(finished, false, NOW);
    assert_eq!(
        (parent.statistics().opened, child.statistics().served),
        (1, 1)
    );
    assert_eq!(child.statistics().late, 1);
    assert_eq!(parent.take_outcome(running), None);
    // Once more, with nobody there to tell.
    cancel(&mut parent, finished);
    assert!(sent(&mut parent).is_empty());
}

/// Covers E8: dialogs are their link's. The same number on another link is another dialog.
#[test]
fn a_cancel_reaches_dialogs_of_its_own_link_only() {
    let (mut left, mut left_child) = ends(8, 8);
    let (mut right, mut right_child) = ends(8, 8);
    let on_left = call(&mut left, &mut left_child);
    let on_right = call(&mut right, &mut right_child);
    assert_eq!(on_left, on_right);
    carry(&mut left_child, &mut left);
    carry(&mut right_child, &mut right);
    cancel(&mut right, on_right);
    carry(&mut right, &mut right_child);
    let asked = carry(&mut right_child, &mut right);
    assert_eq!(cancels(&asked), [on_right]);
    assert_eq!(cancels(&carry(&mut left_child, &mut left)), []);
    assert_eq!(left_child.statistics().served, 1);
    assert!(left_child.finish(on_left, Reply::Return(Bytes::new())));
    carry(&mut left_child, &mut left);
    assert_eq!(
        left.take_outcome(on_left),
        Some(Outcome::Return(Bytes::new()))
    );
}

/// Covers E10, RTR-8: whose caller is out of reach works for nobody, and is asked to end; what it says then goes nowhere.
#[test]
fn a_lost_link_cancels_what_its_caller_had_running() {
    let (mut parent, mut child) = ends(8, 8);
    let calls = [(); 3].map(|()| call(&mut parent, &mut child));
    carry(&mut child, &mut parent);
    assert!(child.finish(calls[0], Reply::Return(Bytes::new())));
    carry(&mut child, &mut parent);
    child.lost(Loss::Closed);
    let actions: Vec<_> = std::iter::from_fn(|| child.poll_action()).collect();
    for action in &actions {
        if let Action::CancelRequested { reason, .. } = action {
            assert_eq!(*reason, CancelReason::LinkLost);
        }
    }
    let mut asked = cancels(&actions);
    asked.sort_by_key(|cid| cid.slot());
    assert_eq!(asked, calls[1..]);
    assert!(!child.finish(calls[1], Reply::Return(Bytes::new())));
    assert_eq!(child.statistics().served, 0);
    assert_eq!(
        child.poll_action().map(|action| format!("{action:?}")),
        None
    );
}
