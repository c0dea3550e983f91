//! Messages that cross on their way, and links that know nothing of one another.

use bytes::Bytes;
use tractor_ipc::msg::{CallKind, CancelReason};

use super::{NOW, carry, ends, open, sent, somebody};
use crate::proto::{Action, Cancelled, Loss, Outcome, Reply, Router, RouterStatistics};

fn cancel(parent: &mut Router, cid: tractor_ipc::Cid) -> Cancelled {
    parent.cancel(cid, CancelReason::Requested, somebody(), None, false, NOW)
}

/// E7: a cancel that crosses the return changes nothing: one outcome, nothing left, and others are not touched.
#[test]
fn a_cancel_for_a_finished_dialog_is_harmless() {
    let (mut parent, mut child) = ends(8, 8);
    let call = |parent: &mut Router| {
        parent
            .open(open(CallKind::Unary), Bytes::new(), NOW)
            .unwrap()
    };
    let (done, other) = (call(&mut parent), call(&mut parent));
    carry(&mut parent, &mut child);
    carry(&mut child, &mut parent);
    assert!(child.finish(done, Reply::Return(Bytes::new())));
    assert_eq!(cancel(&mut parent, done), Cancelled::Asked);
    let heard = carry(&mut parent, &mut child);
    assert_eq!(heard, []);
    carry(&mut child, &mut parent);
    assert!(
        carry(&mut parent, &mut child)
            .iter()
            .all(|action| matches!(action, Action::Notify(..)))
    );
    assert_eq!(
        parent.take_outcome(done),
        Some(Outcome::Return(Bytes::new()))
    );
    assert_eq!(parent.take_outcome(done), None);
    parent.release(done, false, NOW);
    assert_eq!(cancel(&mut parent, done), Cancelled::Ended);
    assert_eq!(
        (parent.statistics().opened, child.statistics().served),
        (1, 1)
    );
    assert!(child.finish(other, Reply::Return(Bytes::new())));
    carry(&mut child, &mut parent);
    assert_eq!(
        parent.take_outcome(other),
        Some(Outcome::Return(Bytes::new()))
    );
}

/// E8: a cancel reaches the dialog of its own link, and not the one of the same number on another.
#[test]
fn a_cancel_reaches_dialogs_of_its_own_link_only() {
    let (mut first, mut first_child) = ends(8, 8);
    let (mut second, mut second_child) = ends(8, 8);
    let on_first = first
        .open(open(CallKind::Unary), Bytes::new(), NOW)
        .unwrap();
    let on_second = second
        .open(open(CallKind::Unary), Bytes::new(), NOW)
        .unwrap();
    assert_eq!(on_first, on_second);
    carry(&mut first, &mut first_child);
    carry(&mut second, &mut second_child);
    while first_child.poll_action().is_some() || second_child.poll_action().is_some() {}
    assert_eq!(cancel(&mut second, on_second), Cancelled::Asked);
    carry(&mut second, &mut second_child);
    let asked = std::iter::from_fn(|| second_child.poll_action());
    assert!(
        asked
            .into_iter()
            .any(|action| matches!(action, Action::CancelRequested { .. }))
    );
    assert_eq!(first_child.poll_action(), None);
    assert_eq!(
        (
            first_child.statistics().served,
            first.take_outcome(on_first)
        ),
        (1, None)
    );
}

/// E10: a callee whose caller is gone is asked to end everything that ran for it.
#[test]
fn a_lost_link_cancels_what_its_caller_had_running() {
    let (mut parent, mut child) = ends(8, 8);
    let kinds = [CallKind::Unary, CallKind::Context, CallKind::Stream];
    let cids = kinds.map(|kind| parent.open(open(kind), Bytes::new(), NOW).unwrap());
    carry(&mut parent, &mut child);
    assert!(sent(&mut child).is_empty());
    child.lost(Loss::Closed);
    let mut asked = Vec::new();
    while let Some(action) = child.poll_action() {
        if let Action::CancelRequested { cid, reason, .. } = action {
            assert_eq!(reason, CancelReason::LinkLost);
            asked.push(cid);
        }
    }
    asked.sort();
    assert_eq!(asked, cids);
    assert_eq!(child.statistics(), RouterStatistics::default());
}
