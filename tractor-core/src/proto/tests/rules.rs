//! Rules of the router that need no schedule: bad messages, late ones, and places in the queue.

use std::time::Duration;

use bytes::Bytes;
use tractor_ipc::id::{ActorSlot, Cid, LinkSide};
use tractor_ipc::limits::WINDOW_MAX;
use tractor_ipc::msg::{
    CallKind, Cancel, CancelAck, CancelReason, CancelTarget, Credit, CreditTo, Fault, FaultKind,
    Msg, Overrun, Start, StartAck,
};

use super::{NOW, actor, bytes, carry, cast, ends, open, sent, somebody};
use crate::proto::{
    Action, Cancelled, CastPlace, DialogViolation, Loss, OpenRefused, Outcome, Recv, Reply, Router,
    RouterStatistics, SendPlace, Violation, Wake,
};

fn start_ack(cid: Cid, window: u32) -> Msg {
    let overrun = Overrun::Wait;
    Msg::StartAck(StartAck {
        cid,
        window,
        overrun,
    })
}

fn credit(cid: Cid, amount: u32) -> Msg {
    let to = CreditTo::Stream(cid);
    Msg::Credit(Credit { to, amount })
}

fn cancel(cid: Cid) -> Msg {
    Msg::Cancel(Box::new(Cancel {
        target: CancelTarget::Dialog(cid),
        canceller: somebody(),
        reason: CancelReason::Requested,
        left: None,
    }))
}

fn cancel_ack(cid: Cid) -> Msg {
    let target = CancelTarget::Dialog(cid);
    let ladder_left = Duration::ZERO;
    Msg::CancelAck(CancelAck {
        target,
        ladder_left,
    })
}

fn start(cid: Cid, window: u32) -> Msg {
    Msg::Start(Box::new(Start {
        cid,
        actor: ActorSlot::MAIN,
        function: open(CallKind::Context).function,
        kind: CallKind::Context,
        signature: None,
        budget: None,
        chain: Vec::new(),
        overrun: Overrun::Wait,
        window,
        trace: None,
    }))
}

fn yields(cid: Cid) -> Msg {
    Msg::Yield { cid }
}

/// A kind of dialog and what its callee says.
type Row = (&'static str, CallKind, &'static [fn(Cid) -> Msg]);

/// What a callee says after the `Start`, the last of which it may not.
const BAD_CALLEES: &[Row] = &[
    (
        "StartAck of a call",
        CallKind::Unary,
        &[|cid| start_ack(cid, 1)],
    ),
    (
        "Started of a call",
        CallKind::Unary,
        &[|cid| Msg::Started { cid }],
    ),
    ("Yield of a call", CallKind::Unary, &[yields]),
    (
        "Stop of a call",
        CallKind::Unary,
        &[|cid| Msg::Stop { cid }],
    ),
    ("Credit of a call", CallKind::Unary, &[|cid| credit(cid, 1)]),
    ("CancelAck unasked", CallKind::Unary, &[cancel_ack]),
    (
        "StartAck twice",
        CallKind::Context,
        &[|cid| start_ack(cid, 1), |cid| start_ack(cid, 1)],
    ),
    (
        "a window too large",
        CallKind::Context,
        &[|cid| start_ack(cid, WINDOW_MAX + 1)],
    ),
    (
        "Started before StartAck",
        CallKind::Context,
        &[|cid| Msg::Started { cid }],
    ),
    (
        "Yield before Started",
        CallKind::Context,
        &[|cid| start_ack(cid, 1), yields],
    ),
    (
        "Credit before StartAck",
        CallKind::Context,
        &[|cid| credit(cid, 1)],
    ),
    (
        "credit beyond any window",
        CallKind::Context,
        &[|cid| start_ack(cid, 1), |cid| credit(cid, WINDOW_MAX)],
    ),
    (
        "Started of a stream",
        CallKind::Stream,
        &[|cid| start_ack(cid, 0), |cid| Msg::Started { cid }],
    ),
    (
        "values beyond the window",
        CallKind::Stream,
        &[|cid| start_ack(cid, 0), yields, yields, yields],
    ),
    (
        "Yield after Stop",
        CallKind::Stream,
        &[|cid| start_ack(cid, 0), |cid| Msg::Stop { cid }, yields],
    ),
];

/// RTR-10, DLG-2: what a callee may not say ends that dialog, with one cancel, and no other.
#[test]
fn a_callee_that_breaks_the_rules_loses_one_dialog() {
    for (what, kind, messages) in BAD_CALLEES {
        let (mut parent, _) = ends(8, 8);
        let mut opened = open(*kind);
        opened.window = 2;
        let cid = parent.open(opened, Bytes::new(), NOW).unwrap();
        let other = parent
            .open(open(CallKind::Unary), Bytes::new(), NOW)
            .unwrap();
        sent(&mut parent);
        for message in *messages {
            assert_eq!(
                parent.handle(message(cid), Bytes::new(), NOW),
                Ok(()),
                "{what}"
            );
        }
        let outcome = parent.take_outcome(cid);
        assert!(
            matches!(outcome, Some(Outcome::Broken(_))),
            "{what}: {outcome:?}"
        );
        let cancels = sent(&mut parent);
        assert!(
            matches!(&cancels[..], [Msg::Cancel(c)] if c.reason == CancelReason::Failure),
            "{what}"
        );
        // Whatever else it says is ignored, until it ends: then the slot is free.
        for message in [
            yields(cid),
            start_ack(cid, 9),
            Msg::Started { cid },
            cancel_ack(cid),
        ] {
            assert_eq!(parent.handle(message, Bytes::new(), NOW), Ok(()), "{what}");
        }
        parent.release(cid, false, NOW);
        assert_eq!(
            parent.handle(Msg::Return { cid }, Bytes::new(), NOW),
            Ok(()),
            "{what}"
        );
        assert_eq!(
            (parent.statistics().opened, parent.statistics().broken),
            (1, 1),
            "{what}"
        );
        parent
            .handle(Msg::Return { cid: other }, bytes("fine"), NOW)
            .unwrap();
        assert_eq!(
            parent.take_outcome(other),
            Some(Outcome::Return(bytes("fine"))),
            "{what}"
        );
    }
}

/// RTR-10, DLG-2: what an opener may not say is answered with a `Fail`, and its handler asked to end.
#[test]
fn an_opener_that_breaks_the_rules_loses_one_dialog() {
    let cid = Cid::new(LinkSide::Acceptor, 0, 1);
    let stops = || Msg::Stop { cid };
    let table: &[(&str, &[Msg])] = &[
        ("a value before any window", &[start(cid, 1), yields(cid)]),
        ("Stop twice", &[start(cid, 1), stops(), stops()]),
        ("Yield after Stop", &[start(cid, 1), stops(), yields(cid)]),
        ("Cancel twice", &[start(cid, 1), cancel(cid), cancel(cid)]),
        (
            "credit beyond any window",
            &[start(cid, 1), credit(cid, WINDOW_MAX)],
        ),
        ("a window too large", &[start(cid, WINDOW_MAX + 1)]),
    ];
    for (what, messages) in table {
        let (mut parent, mut child) = ends(8, 8);
        for message in *messages {
            assert_eq!(
                child.handle(message.clone(), Bytes::new(), NOW),
                Ok(()),
                "{what}"
            );
        }
        let actions: Vec<Action> = std::iter::from_fn(|| child.poll_action()).collect();
        let count = |what: fn(&Action) -> bool| actions.iter().filter(|a| what(a)).count();
        let asked = count(|action| matches!(action, Action::CancelRequested { .. }));
        let offered = count(|action| matches!(action, Action::Request(_)));
        assert_eq!(
            asked, offered,
            "{what}: its handler, if there is one, is asked once"
        );
        let fault = fail_in(&actions).expect("it is answered");
        assert_eq!(fault.nodes[0].kind, FaultKind::Protocol, "{what}");
        assert!(!child.finish(cid, Reply::Return(Bytes::new())), "{what}");
        assert_eq!(
            (child.statistics().served, child.statistics().broken),
            (0, 1),
            "{what}"
        );
        // The next use of its slot is another dialog.
        let next = Cid::new(LinkSide::Acceptor, 0, 2);
        assert_eq!(
            child.handle(start(next, 1), Bytes::new(), NOW),
            Ok(()),
            "{what}"
        );
        assert!(carry(&mut parent, &mut child).is_empty());
    }
}

fn fail_in(actions: &[Action]) -> Option<Fault> {
    actions.iter().find_map(|action| match action {
        Action::Send {
            msg: Msg::Fail { .. },
            payload,
            ..
        } => postcard::from_bytes(payload).ok(),
        _ => None,
    })
}

/// RTR-10: what belongs to no dialog ends the link.
#[test]
fn a_message_of_no_dialog_is_a_violation() {
    let never = Cid::new(LinkSide::Acceptor, 3, 1);
    let own = Cid::new(LinkSide::Dialler, 3, 1);
    let unknown = |message, cid| Violation::UnknownDialog { message, cid };
    let wrong = |message, cid| Violation::WrongSide { message, cid };
    let requests = |actor, amount| {
        let to = CreditTo::Requests(actor);
        Msg::Credit(Credit { to, amount })
    };
    let (main, other) = (ActorSlot::MAIN, actor(7, 1));
    let table = [
        (Msg::Yield { cid: never }, unknown("Yield", never)),
        (Msg::Stop { cid: own }, unknown("Stop", own)),
        (Msg::Return { cid: own }, unknown("Return", own)),
        (Msg::Return { cid: never }, unknown("Return", never)),
        (start_ack(never, 1), unknown("StartAck", never)),
        (cancel(own), wrong("Cancel", own)),
        (start(own, 1), wrong("Start", own)),
        (requests(other, 1), Violation::UnknownActor { actor: other }),
        (
            requests(main, WINDOW_MAX),
            Violation::TooMuchCredit { actor: main },
        ),
    ];
    for (message, violation) in table {
        let (_, mut child) = ends(8, 8);
        child.try_cast(cast(), Bytes::new()).unwrap();
        assert_eq!(child.handle(message, Bytes::new(), NOW), Err(violation));
    }
    let (_, mut child) = ends(2, 2);
    let at = |slot, generation| start(Cid::new(LinkSide::Acceptor, slot, generation), 1);
    let cid = Cid::new(LinkSide::Acceptor, 0, 1);
    child.handle(at(0, 1), Bytes::new(), NOW).unwrap();
    let reused = Err(Violation::SlotReused { cid });
    assert_eq!(child.handle(at(0, 1), Bytes::new(), NOW), reused);
    let overdrawn = child.handle(at(1, 1), Bytes::new(), NOW);
    assert!(matches!(
        overdrawn,
        Err(Violation::Overdrawn { window: 2, .. })
    ));
    let (_, mut child) = ends(8, 2);
    let too_many = child.handle(at(2, 1), Bytes::new(), NOW);
    assert!(matches!(
        too_many,
        Err(Violation::TooManyDialogs { limit: 2, .. })
    ));
}

/// RTR-7, E9: a frame of an earlier use of a slot is dropped and counted, on both sides.
#[test]
fn late_frames_are_dropped_and_counted() {
    let (mut parent, mut child) = ends(8, 8);
    let cid = parent
        .open(open(CallKind::Context), Bytes::new(), NOW)
        .unwrap();
    carry(&mut parent, &mut child);
    assert!(child.finish(cid, Reply::Return(Bytes::new())));
    carry(&mut child, &mut parent);
    for message in [credit(cid, 1), Msg::Yield { cid }] {
        parent.handle(message, Bytes::new(), NOW).unwrap();
    }
    parent.release(cid, false, NOW);
    for message in [credit(cid, 1), Msg::Return { cid }] {
        parent.handle(message, Bytes::new(), NOW).unwrap();
    }
    for message in [credit(cid, 1), cancel(cid), Msg::Yield { cid }] {
        child.handle(message, Bytes::new(), NOW).unwrap();
    }
    let again = parent
        .open(open(CallKind::Context), Bytes::new(), NOW)
        .unwrap();
    assert_eq!(
        (again.slot(), again.generation()),
        (cid.slot(), cid.generation() + 1)
    );
    carry(&mut parent, &mut child);
    parent
        .handle(Msg::Return { cid }, Bytes::new(), NOW)
        .unwrap();
    child.handle(cancel(cid), Bytes::new(), NOW).unwrap();
    assert_eq!(parent.take_outcome(again), None);
    assert_eq!((parent.statistics().late, child.statistics().late), (5, 4));
    assert_eq!(child.statistics().served, 1);
}

/// RTR-2, RTR-5: a call that is taken back leaves its place to the next one.
#[test]
fn a_retracted_call_gives_its_place_away() {
    for released in [false, true] {
        let (mut parent, _) = ends(1, 8);
        let first = parent
            .open(open(CallKind::Unary), Bytes::new(), NOW)
            .unwrap();
        assert_eq!(sent(&mut parent).len(), 1);
        let next = parent
            .open(open(CallKind::Unary), Bytes::new(), NOW)
            .unwrap();
        assert_eq!(parent.statistics().queued_calls, 1);
        if released {
            parent.release(first, true, NOW);
        } else {
            let (why, who) = (CancelReason::Dropped, somebody());
            let cancelled = parent.cancel(first, why, who, None, true, NOW);
            assert_eq!(cancelled, Cancelled::Unsent);
            parent.release(first, false, NOW);
        }
        let messages = sent(&mut parent);
        assert!(matches!(&messages[..], [Msg::Start(start)] if start.cid == next));
        assert_eq!(
            (parent.statistics().opened, parent.statistics().unsent),
            (1, 1)
        );
    }
}

/// RTR-4: what is given up in the queue costs nothing and holds nobody up, however often it happens.
#[test]
fn given_up_places_do_not_pile_up() {
    let (mut parent, mut child) = ends(1, 1 << 16);
    parent.try_cast(cast(), Bytes::new()).unwrap();
    let early = parent.cast(cast(), bytes("early")).unwrap();
    for _ in 0..5000 {
        let call = parent
            .open(open(CallKind::Unary), Bytes::new(), NOW)
            .unwrap();
        let Ok(CastPlace::Queued(ticket)) = parent.cast(cast(), Bytes::new()) else {
            panic!("there is no credit");
        };
        parent.release(call, false, NOW);
        parent.drop_cast(ticket);
    }
    let late = parent
        .open(open(CallKind::Unary), Bytes::new(), NOW)
        .unwrap();
    carry(&mut parent, &mut child);
    child.request_taken(ActorSlot::MAIN);
    carry(&mut child, &mut parent);
    let CastPlace::Queued(ticket) = early else {
        panic!("there was no credit");
    };
    assert_eq!(parent.cast_written(ticket), CastPlace::Sent);
    carry(&mut parent, &mut child);
    child.request_taken(ActorSlot::MAIN);
    carry(&mut child, &mut parent);
    let messages = sent(&mut parent);
    assert!(matches!(&messages[..], [Msg::Start(start)] if start.cid == late));
    assert_eq!(parent.statistics().unsent, 10_000);
}

#[test]
fn a_deadline_that_has_passed_sends_nothing() {
    let (mut parent, mut child) = ends(1, 8);
    let mut expired = open(CallKind::Unary);
    expired.deadline = Some(NOW);
    let refused = parent.open(expired, Bytes::new(), NOW);
    assert_eq!(refused, Err(OpenRefused::Expired));
    parent.try_cast(cast(), Bytes::new()).unwrap();
    let mut short = open(CallKind::Unary);
    short.deadline = Some(NOW + Duration::from_secs(1));
    let waiting = parent.open(short.clone(), Bytes::new(), NOW).unwrap();
    let next = parent
        .open(open(CallKind::Unary), Bytes::new(), NOW)
        .unwrap();
    carry(&mut parent, &mut child);
    child.request_taken(ActorSlot::MAIN);
    let later = NOW + Duration::from_secs(2);
    while let Some(action) = child.poll_action() {
        if let Action::Send { msg, payload, .. } = action {
            parent.handle(msg, payload, later).unwrap();
        }
    }
    let outcome = parent.take_outcome(waiting);
    let reason = CancelReason::Deadline;
    assert!(matches!(outcome, Some(Outcome::Cancelled { reason: r, .. }) if r == reason));
    let messages = sent(&mut parent);
    assert!(matches!(&messages[..], [Msg::Start(start)] if start.cid == next));
    // What is left of a deadline is what travels.
    let (mut parent, _) = ends(1, 8);
    let at = NOW + Duration::from_millis(300);
    parent.open(short, Bytes::new(), at).unwrap();
    let messages = sent(&mut parent);
    let left = Some(Duration::from_millis(700));
    assert!(matches!(&messages[..], [Msg::Start(start)] if start.budget == left));
}

/// RTR-10: a fault that does not decode ends its dialog alone, and with a reason.
#[test]
fn a_fault_that_is_none_breaks_its_dialog() {
    let (mut parent, _) = ends(8, 8);
    let empty = Fault {
        nodes: Vec::new(),
        cut: 0,
    };
    for payload in [vec![0xff; 40], postcard::to_allocvec(&empty).unwrap()] {
        let cid = parent
            .open(open(CallKind::Unary), Bytes::new(), NOW)
            .unwrap();
        parent
            .handle(Msg::Fail { cid }, payload.into(), NOW)
            .unwrap();
        let broken = DialogViolation::Undecodable { message: "Fail" };
        assert_eq!(parent.take_outcome(cid), Some(Outcome::Broken(broken)));
        parent.release(cid, false, NOW);
    }
    assert_eq!(parent.statistics().opened, 0);
}

/// RTR-1: a cancelled dialog ends with its own end, and its cancel is acknowledged at once.
#[test]
fn a_cancel_is_acknowledged_and_then_awaited() {
    let (mut parent, mut child) = ends(8, 8);
    let cid = parent
        .open(open(CallKind::Unary), Bytes::new(), NOW)
        .unwrap();
    carry(&mut parent, &mut child);
    carry(&mut child, &mut parent);
    let left = Some(Duration::from_millis(300));
    let ask = |parent: &mut Router| {
        parent.cancel(cid, CancelReason::Requested, somebody(), left, false, NOW)
    };
    assert_eq!(
        (ask(&mut parent), ask(&mut parent)),
        (Cancelled::Asked, Cancelled::Asked)
    );
    carry(&mut parent, &mut child);
    let asked = carry(&mut child, &mut parent);
    assert!(matches!(&asked[..], [Action::CancelRequested { left: l, .. }] if *l == left));
    assert_eq!(parent.cancel_acked(cid), left);
    assert_eq!(
        parent.poll_action(),
        Some(Action::Notify(cid, Wake::CANCEL_ACK))
    );
    assert_eq!(parent.take_outcome(cid), None);
    assert!(child.finish(cid, Reply::Return(bytes("still"))));
    carry(&mut child, &mut parent);
    assert_eq!(ask(&mut parent), Cancelled::Ended);
    assert_eq!(
        parent.take_outcome(cid),
        Some(Outcome::Return(bytes("still")))
    );
}

/// RTR-11: who looks after another has taken the outcome still finds that there was one, and does not wait for it.
#[test]
fn a_dialog_whose_outcome_was_taken_has_ended() {
    let (mut parent, mut child) = ends(1, 8);
    let cid = parent.open(open(CallKind::Unary), Bytes::new(), NOW);
    let cid = cid.unwrap();
    carry(&mut parent, &mut child);
    assert!(!parent.has_ended(cid));
    child.finish(cid, Reply::Return(bytes("done")));
    carry(&mut child, &mut parent);
    assert!(parent.has_ended(cid));
    assert!(parent.take_outcome(cid).is_some());
    assert!(parent.has_ended(cid));
}

/// RTR-9: a result taken together with its handle frees the slot at once, unless the far side has yet to end.
#[test]
fn a_result_frees_its_slot() {
    let (mut parent, mut child) = ends(2, 8);
    let [good, broken] = [(); 2].map(|()| {
        let opened = parent.open(open(CallKind::Unary), Bytes::new(), NOW);
        opened.unwrap()
    });
    carry(&mut parent, &mut child);
    assert_eq!(parent.take_result(good), None);
    child.finish(good, Reply::Return(bytes("done")));
    carry(&mut child, &mut parent);
    let result = Some((Outcome::Return(bytes("done")), true));
    assert_eq!(parent.take_result(good), result);
    assert_eq!(parent.statistics().opened, 1);
    let stop = Msg::Stop { cid: broken };
    parent.handle(stop, Bytes::new(), NOW).unwrap();
    let Some((Outcome::Broken(_), false)) = parent.take_result(broken) else {
        panic!("a call has no stream to stop");
    };
    assert_eq!(parent.statistics().opened, 1);
    parent.release(broken, false, NOW);
    child.finish(broken, Reply::Return(bytes("late")));
    carry(&mut parent, &mut child);
    carry(&mut child, &mut parent);
    assert_eq!(parent.statistics().opened, 0);
}

/// RTR-8: after the end, every operation says so, and nothing is sent.
#[test]
fn a_lost_link_answers_everything() {
    let (mut parent, mut child) = ends(1, 8);
    let cid = parent
        .open(open(CallKind::Context), Bytes::new(), NOW)
        .unwrap();
    let queued = parent
        .open(open(CallKind::Unary), Bytes::new(), NOW)
        .unwrap();
    carry(&mut parent, &mut child);
    let loss = Loss::Killed { signal: 9 };
    parent.lost(loss.clone());
    parent.lost(Loss::Closed);
    for cid in [cid, queued] {
        assert_eq!(parent.take_outcome(cid), Some(Outcome::Lost(loss.clone())));
        assert_ne!(parent.recv(cid), Recv::Empty);
        assert_eq!(parent.send(cid, Bytes::new()), SendPlace::Ended);
        parent.release(cid, false, NOW);
    }
    let down = parent.open(open(CallKind::Unary), Bytes::new(), NOW);
    assert_eq!(down, Err(OpenRefused::Down(loss)));
    assert_eq!(
        parent.handle(Msg::Return { cid }, Bytes::new(), NOW),
        Ok(())
    );
    assert!(sent(&mut parent).is_empty());
    child.lost(Loss::Closed);
    let late = 1;
    let left = RouterStatistics {
        late,
        ..RouterStatistics::default()
    };
    assert_eq!(parent.statistics(), left);
    assert!(!child.finish(cid, Reply::Return(Bytes::new())));
    assert_eq!(child.statistics().served, 0);
}
