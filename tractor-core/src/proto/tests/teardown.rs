//! The ladder: its times as a table, and its rules under random schedules.

use std::time::Duration;

use proptest::prelude::*;
use tractor_ipc::time::Instant;

use crate::proto::{Ladder, Rung, Teardown, TeardownAction};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What happens to a child, and when, in milliseconds.
#[derive(Clone, Copy, Debug)]
enum Event {
    Stop,
    Cancel(Option<u64>),
    Kill,
    Accepted(u64),
    Ended,
    LinkLost,
    Exited,
}

fn feed(teardown: &mut Teardown, event: Event, now: Instant) {
    match event {
        Stop => teardown.start_stop(now),
        Cancel(left) => teardown.start_cancel(left.map(ms), now),
        Kill => teardown.start_kill(),
        Accepted(left) => teardown.handle_accepted(ms(left), now),
        Ended => teardown.handle_ended(now),
        LinkLost => teardown.handle_link_lost(now),
        Exited => teardown.handle_exited(),
    }
}

/// Plays the events at their times, and deadlines at theirs; returns what was done and when, until nothing more comes.
fn play(events: &[(u64, Event)]) -> Vec<(u64, TeardownAction)> {
    let mut teardown = Teardown::new(Ladder::default());
    let mut done = Vec::new();
    let mut events = events.iter().copied().peekable();
    let mut now = Instant::ZERO;
    loop {
        while let Some(action) = teardown.poll_action(now) {
            done.push((now.as_nanos() / 1_000_000, action));
        }
        let at = |(at, _): &(u64, Event)| Instant::ZERO + ms(*at);
        match (events.peek().map(at), teardown.next_deadline()) {
            (Some(event), deadline) if deadline.is_none_or(|deadline| event <= deadline) => {
                now = now.max(event);
                if let Some((_, event)) = events.next() {
                    feed(&mut teardown, event, now);
                }
            }
            (_, Some(deadline)) => now = now.max(deadline),
            (_, None) => return done,
        }
    }
}

/// What happens to a child, and what has to be done about it.
type Row = (
    &'static str,
    &'static [(u64, Event)],
    &'static [(u64, TeardownAction)],
);

use Event::{Accepted, Cancel, Ended, Exited, Kill, LinkLost, Stop};
use TeardownAction::{Kill as SigKill, SendCancel, SendDrain, Terminate};

const DRAIN: TeardownAction = SendDrain { within: ms(5000) };
const CANCEL: TeardownAction = SendCancel { left: ms(3000) };

const fn done(rung: Rung) -> TeardownAction {
    TeardownAction::Done { rung }
}

/// The numbers of the design, one row a case.
const TABLE: &[Row] = &[
    (
        "a drain that works",
        &[(0, Stop), (10, Ended), (12, Exited)],
        &[(0, DRAIN), (12, done(Rung::Drain))],
    ),
    (
        "a drain that takes too long",
        &[(0, Stop), (5100, Accepted(100)), (5150, Exited)],
        &[(0, DRAIN), (5000, CANCEL), (5150, done(Rung::Cancel))],
    ),
    (
        "a cancel during a drain",
        &[(0, Stop), (100, Cancel(None)), (200, Exited)],
        &[(0, DRAIN), (100, CANCEL), (200, done(Rung::Cancel))],
    ),
    (
        "a request nobody accepts",
        &[(0, Cancel(None)), (1100, Exited)],
        &[
            (0, CANCEL),
            (500, Terminate),
            (1000, SigKill),
            (1100, done(Rung::Kill)),
        ],
    ),
    (
        "one accepted and not kept",
        &[(0, Cancel(None)), (0, Accepted(1600)), (2200, Exited)],
        &[
            (0, CANCEL),
            (1600, Terminate),
            (2100, SigKill),
            (2200, done(Rung::Kill)),
        ],
    ),
    (
        "a promise beyond the cap",
        &[(0, Cancel(None)), (100, Accepted(60_000)), (3200, Exited)],
        &[
            (0, CANCEL),
            (3000, Terminate),
            (3200, done(Rung::Terminate)),
        ],
    ),
    (
        "what is left of a cap around it",
        &[(0, Cancel(Some(700))), (100, Accepted(1600)), (900, Exited)],
        &[
            (0, SendCancel { left: ms(700) }),
            (700, Terminate),
            (900, done(Rung::Terminate)),
        ],
    ),
    (
        "a link lost before anything was asked",
        &[(0, LinkLost), (1, Cancel(None)), (1700, Exited)],
        &[(1600, Terminate), (1700, done(Rung::Terminate))],
    ),
    (
        "a child that says it has ended and stays",
        &[(0, Cancel(None)), (10, Accepted(1000)), (20, Ended)],
        &[(0, CANCEL), (1010, Terminate), (1510, SigKill)],
    ),
    (
        "a kill at once",
        &[(0, Kill), (3, Exited)],
        &[(0, SigKill), (3, done(Rung::Kill))],
    ),
    (
        "an end of its own",
        &[(7, Exited), (8, Cancel(None))],
        &[(7, done(Rung::Untouched))],
    ),
];

#[test]
fn each_rung_comes_at_its_time() {
    for (what, events, expected) in TABLE {
        assert_eq!(play(events), *expected, "{what}");
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Stop),
        prop::option::of(0..4000u64).prop_map(Cancel),
        Just(Kill),
        (0..10_000u64).prop_map(Accepted),
        Just(Ended),
        Just(LinkLost),
        Just(Exited),
    ]
}

fn rung_of(action: TeardownAction) -> Rung {
    match action {
        SendDrain { .. } => Rung::Drain,
        SendCancel { .. } => Rung::Cancel,
        Terminate => Rung::Terminate,
        SigKill => Rung::Kill,
        TeardownAction::Done { rung } => rung,
    }
}

proptest! {
    /// LAD-1, LAD-2, LAD-3, LAD-4.
    #[test]
    fn no_schedule_breaks_the_ladder(steps in prop::collection::vec((0..900u64, event()), 0..12)) {
        let mut clock = 0;
        let at = |(gap, event)| {
            clock += gap;
            (clock, event)
        };
        let events: Vec<(u64, Event)> = steps.into_iter().map(at).collect();
        let done = play(&events);
        let first = |wanted: fn(&Event) -> bool| {
            events.iter().find(|(_, event)| wanted(event)).map(|(at, _)| *at)
        };
        let exited = first(|event| matches!(event, Exited));
        let cancelled = first(|event| matches!(event, Cancel(_)));
        let lost = first(|event| matches!(event, LinkLost));
        let mut lowest = Rung::Untouched;
        for (index, &(at, action)) in done.iter().enumerate() {
            match action {
                TeardownAction::Done { rung } => {
                    prop_assert_eq!(Some(at), exited);
                    prop_assert_eq!(rung, lowest, "it says how far it went");
                    prop_assert_eq!(index + 1, done.len(), "nothing follows Done");
                }
                SendDrain { .. } | SendCancel { .. } => {
                    prop_assert!(rung_of(action) > lowest, "downwards, each rung once");
                    prop_assert!(lost.is_none_or(|lost| at <= lost));
                    lowest = rung_of(action);
                }
                Terminate | SigKill => {
                    prop_assert!(rung_of(action) > lowest, "downwards, each rung once");
                    lowest = rung_of(action);
                }
            }
        }
        let is_done = |(_, action): &(u64, TeardownAction)| {
            matches!(action, TeardownAction::Done { .. })
        };
        prop_assert_eq!(done.iter().filter(|step| is_done(step)).count(), exited.iter().count());
        if let Some(cancelled) = cancelled
            && exited.is_none()
        {
            let killed = done.iter().find(|(_, action)| *action == SigKill);
            let at = killed.map(|(at, _)| *at);
            prop_assert!(at.is_some_and(|at| at <= cancelled + 3500), "killed at {:?}", at);
        }
    }
}
