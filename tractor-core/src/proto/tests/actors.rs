//! What parents and children tell each other about actors, and what becomes of requests to one that is gone.

use std::time::Duration;

use bytes::Bytes;
use tractor_ipc::id::{ActorSlot, LinkSide};
use tractor_ipc::msg::{
    CallKind, CancelReason, Drain, EndedHow, Fault, FaultKind, FaultLink, FaultNode, Msg, Role,
};

use super::{NOW, actor, bytes, carry, cast, ends, open, sent, somebody};
use crate::proto::{
    Action, ActorEvent, CastPlace, Loss, OpenRefused, Outcome, Reply, Request, Router,
    RouterConfig, Violation,
};

const MAIN: ActorSlot = ActorSlot::MAIN;

fn fault() -> Fault {
    Fault {
        nodes: vec![FaultNode {
            link: FaultLink::Root,
            kind: FaultKind::Panic,
            type_name: "panic".into(),
            message: "no".into(),
            chain: Vec::new(),
            origin: somebody(),
            relay: Vec::new(),
            payload: None,
        }],
        cut: 0,
    }
}

fn events(from: &mut Router, to: &mut Router) -> Vec<ActorEvent> {
    carry(from, to);
    let actions = std::iter::from_fn(|| to.poll_action());
    actions
        .filter_map(|action| match action {
            Action::Actor(event) => Some(event),
            _ => None,
        })
        .collect()
}

#[test]
fn the_verbs_of_an_actor_arrive_as_they_were_sent() {
    let (mut parent, mut child) = ends(8, 8);
    let within = Duration::from_secs(5);
    let canceller = somebody();
    let reason = CancelReason::Failure;
    parent.drain_actor(MAIN, within);
    parent.cancel_actor(MAIN, reason, canceller.clone(), Some(within));
    let told = events(&mut parent, &mut child);
    let cancel = ActorEvent::Cancel {
        actor: MAIN,
        canceller,
        reason,
        left: Some(within),
    };
    assert_eq!(
        told,
        [
            ActorEvent::Drain {
                actor: MAIN,
                within
            },
            cancel
        ]
    );
    child.ack_cancel(MAIN, within);
    child.ended(MAIN, EndedHow::Failed, Some(&fault()));
    let told = events(&mut child, &mut parent);
    let acked = ActorEvent::CancelAcked {
        actor: MAIN,
        ladder_left: within,
    };
    let ended = ActorEvent::Ended {
        actor: MAIN,
        how: EndedHow::Failed,
        fault: Some(fault()),
    };
    assert_eq!(told, [acked, ended]);
}

#[test]
fn only_a_parent_commands_and_only_a_child_reports() {
    let (mut parent, mut child) = ends(8, 8);
    let within = Duration::ZERO;
    let drain = Msg::Drain(Drain {
        actor: MAIN,
        within,
    });
    let ended = Msg::Ended {
        actor: MAIN,
        how: EndedHow::Stopped,
    };
    let refused = |router: &mut Router, msg: Msg| {
        let handled = router.handle(msg, Bytes::new(), NOW);
        assert!(
            matches!(handled, Err(Violation::Forbidden { .. })),
            "{handled:?}"
        );
    };
    refused(&mut parent, drain.clone());
    refused(&mut parent, Msg::SpawnSpec);
    child.cancel_actor(MAIN, CancelReason::Requested, somebody(), None);
    for msg in sent(&mut child) {
        refused(&mut parent, msg);
    }
    refused(&mut child, ended);
    parent.ack_cancel(MAIN, within);
    for msg in sent(&mut parent) {
        refused(&mut child, msg);
    }
    let config = RouterConfig::new(somebody(), Role::Client);
    refused(&mut Router::new(LinkSide::Acceptor, config), drain);
}

#[test]
fn the_spec_comes_first_and_once() {
    let mut config = RouterConfig::new(somebody(), Role::Parent);
    config.awaits_spec = true;
    let mut child = Router::new(LinkSide::Dialler, config);
    let (mut parent, _) = ends(8, 8);
    parent
        .open(open(CallKind::Unary), Bytes::new(), NOW)
        .unwrap();
    parent.ping(1);
    // A parent that gives up may pass its own spec.
    parent.cancel_actor(MAIN, CancelReason::Scope, somebody(), None);
    let messages = sent(&mut parent);
    let [early, ping, cancel] = &messages[..] else {
        panic!("three messages");
    };
    let handle = |child: &mut Router, msg: &Msg| child.handle(msg.clone(), bytes("spec"), NOW);
    let too_early = handle(&mut child, early);
    assert!(matches!(too_early, Err(Violation::OutOfPhase { .. })));
    assert_eq!(
        (handle(&mut child, ping), handle(&mut child, cancel)),
        (Ok(()), Ok(()))
    );
    assert_eq!(handle(&mut child, &Msg::SpawnSpec), Ok(()));
    assert_eq!(handle(&mut child, early), Ok(()));
    let twice = handle(&mut child, &Msg::SpawnSpec);
    assert!(matches!(twice, Err(Violation::OutOfPhase { .. })));
}

/// RTR-8: who waits for an actor that has ended learns why, and so does who comes later.
#[test]
fn the_end_of_an_actor_reaches_who_waits_for_it() {
    let (mut parent, mut child) = ends(1, 8);
    parent.try_cast(cast(), Bytes::new()).unwrap();
    let call = parent
        .open(open(CallKind::Unary), Bytes::new(), NOW)
        .unwrap();
    let Ok(CastPlace::Queued(ticket)) = parent.cast(cast(), Bytes::new()) else {
        panic!("there is no credit");
    };
    child.ended(MAIN, EndedHow::Failed, Some(&fault()));
    carry(&mut child, &mut parent);
    let loss = Loss::Crashed(fault().into());
    assert_eq!(parent.take_outcome(call), Some(Outcome::Lost(loss.clone())));
    assert_eq!(parent.cast_written(ticket), CastPlace::Lost(loss.clone()));
    let refused = parent.open(open(CallKind::Unary), Bytes::new(), NOW);
    assert_eq!(refused, Err(OpenRefused::Down(loss)));
    parent.release(call, false, NOW);
    assert_eq!(parent.statistics().opened, 0);
    assert_eq!(parent.statistics().queued_calls, 0);
}

#[test]
fn an_end_without_its_fault_is_a_violation() {
    let (mut parent, _) = ends(1, 8);
    let ended = Msg::Ended {
        actor: MAIN,
        how: EndedHow::Failed,
    };
    let handled = parent.handle(ended, bytes("?"), NOW);
    assert_eq!(handled, Err(Violation::BadFault { actor: MAIN }));
}

/// RTR-5: requests to an actor that is gone are refused one by one, and nobody waits behind them for ever.
#[test]
fn a_removed_actor_keeps_nobody_waiting() {
    let (mut parent, mut child) = ends(2, 16);
    let second = actor(1, 1);
    child.add_actor(second);
    let calls: Vec<_> = (0..7)
        .map(|_| {
            let mut call = open(CallKind::Unary);
            call.actor = second;
            parent.open(call, Bytes::new(), NOW).unwrap()
        })
        .collect();
    carry(&mut parent, &mut child);
    child.remove_actor(second);
    for _ in 0..10 {
        for action in carry(&mut child, &mut parent) {
            if let Action::Request(Request { cid: Some(cid), .. }) = action {
                child.request_taken(second);
                child.finish(cid, Reply::Fail(fault()));
            }
        }
        carry(&mut parent, &mut child);
    }
    for cid in calls {
        assert_eq!(parent.take_outcome(cid), Some(Outcome::Fail(fault())));
    }
}

/// The next actor of a slot is another one: old credit is not its own, and calls to the old one are refused.
#[test]
fn a_slot_of_an_actor_is_used_again() {
    let (mut parent, mut child) = ends(1, 8);
    let to = |parent: &mut Router, generation| {
        let mut call = open(CallKind::Unary);
        call.actor = actor(1, generation);
        parent.open(call, Bytes::new(), NOW)
    };
    child.add_actor(actor(1, 1));
    to(&mut parent, 1).unwrap();
    let waits = to(&mut parent, 1).unwrap();
    carry(&mut parent, &mut child);
    child.remove_actor(actor(1, 1));
    child.add_actor(actor(1, 2));
    to(&mut parent, 2).unwrap();
    assert_eq!(sent(&mut parent).len(), 1);
    // Who waited for the first one is served by its credit still.
    carry(&mut child, &mut parent);
    let messages = sent(&mut parent);
    assert!(matches!(&messages[..], [Msg::Start(start)] if start.cid == waits));
    to(&mut parent, 3).unwrap();
    assert_eq!(to(&mut parent, 1), Err(OpenRefused::Down(Loss::Closed)));
}

#[test]
fn pings_are_answered_and_a_goodbye_is_heard() {
    let (mut parent, mut child) = ends(8, 8);
    parent.ping(7);
    carry(&mut parent, &mut child);
    assert!(carry(&mut child, &mut parent).is_empty());
    assert_eq!(parent.poll_action(), Some(Action::Pong { nonce: 7 }));
    parent.bye();
    parent.bye();
    carry(&mut parent, &mut child);
    assert_eq!(carry(&mut child, &mut parent), [Action::Bye]);
    assert_eq!(
        (parent.loss(), child.loss()),
        (Some(&Loss::Closed), Some(&Loss::Bye))
    );
}
