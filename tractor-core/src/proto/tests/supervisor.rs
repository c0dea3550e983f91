//! One cancels all: the cases as a table, and the rules under random schedules.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::proto::{BodyEnd, ChildId, ChildKind, Supervisor, SupervisorAction, Verdict};

type Nursery = Supervisor<&'static str, &'static str>;
type Done = SupervisorAction<&'static str, &'static str>;

fn drain(nursery: &mut Nursery) -> Vec<Done> {
    std::iter::from_fn(|| nursery.poll_action()).collect()
}

fn nursery<const N: usize>(kinds: [ChildKind; N]) -> (Nursery, [ChildId; N]) {
    let mut nursery = Nursery::new();
    let ids = kinds.map(|kind| nursery.child_admitted(kind).unwrap());
    (nursery, ids)
}

fn finish(failures: &[&'static str], cancelled_by: Option<&'static str>) -> Done {
    SupervisorAction::Finish(Verdict {
        failures: failures.to_vec(),
        cancelled_by,
    })
}

use ChildKind::{Daemon, LocalTask, OneShot};
use SupervisorAction::{CancelBody, CancelChild, StopChild};

/// SUP-1.
#[test]
fn an_empty_nursery_ends_with_its_block() {
    let (mut nursery, []) = nursery([]);
    assert_eq!(drain(&mut nursery), []);
    nursery.body_ended(BodyEnd::Done);
    assert_eq!(drain(&mut nursery), [finish(&[], None)]);
}

/// SUP-1: the process of a one-shot may be gone before it is known how its call ended, which counts all the same.
#[test]
fn a_one_shots_failure_counts_after_it_was_reaped() {
    let (mut nursery, [first, second]) = nursery([OneShot, OneShot]);
    nursery.child_called(first);
    nursery.child_called(second);
    nursery.body_ended(BodyEnd::Done);
    nursery.child_failed(first, "a");
    nursery.child_done(first);
    nursery.child_reaped(first);
    assert_eq!(
        drain(&mut nursery),
        [CancelChild(first), CancelChild(second)]
    );
    nursery.child_reaped(second);
    assert_eq!(drain(&mut nursery), []);
    nursery.child_failed(second, "b");
    nursery.child_done(second);
    assert_eq!(drain(&mut nursery), [finish(&["a", "b"], None)]);
}

/// SUP-4.
#[test]
fn daemons_are_stopped_when_the_work_is_done() {
    let (mut nursery, [daemon, shot, task]) = nursery([Daemon, OneShot, LocalTask]);
    nursery.body_ended(BodyEnd::Done);
    assert_eq!(drain(&mut nursery), []);
    nursery.child_done(shot);
    assert_eq!(drain(&mut nursery), [StopChild(shot)]);
    nursery.child_reaped(shot);
    assert_eq!(drain(&mut nursery), []);
    nursery.child_done(task);
    nursery.child_reaped(task);
    assert_eq!(drain(&mut nursery), [StopChild(daemon)]);
    assert!(nursery.child_admitted(Daemon).is_err());
    nursery.child_done(daemon);
    assert_eq!(drain(&mut nursery), []);
    nursery.child_reaped(daemon);
    assert_eq!(drain(&mut nursery), [finish(&[], None)]);
}

/// SUP-2, SUP-3.
#[test]
fn one_cancels_all_and_every_failure_is_a_member() {
    let (mut nursery, [a, b, c]) = nursery([Daemon, OneShot, OneShot]);
    nursery.child_failed(b, "b");
    let told = [CancelBody, CancelChild(a), CancelChild(b), CancelChild(c)];
    assert_eq!(drain(&mut nursery), told);
    // It failed before its cancel reached it.
    nursery.child_failed(c, "c");
    // It ended because it was cancelled.
    nursery.child_done(a);
    for id in [a, b, c] {
        nursery.child_reaped(id);
    }
    assert_eq!(drain(&mut nursery), []);
    nursery.body_ended(BodyEnd::Cancelled);
    assert_eq!(drain(&mut nursery), [finish(&["b", "c"], None)]);
}

/// SUP-3, B17.
#[test]
fn a_late_child_is_told_at_once() {
    let (mut nursery, [first]) = nursery([Daemon]);
    nursery.cancel_requested("me");
    assert_eq!(drain(&mut nursery), [CancelChild(first)]);
    let late = nursery.child_admitted(Daemon).unwrap();
    assert_eq!(drain(&mut nursery), [CancelChild(late)]);
    nursery.child_reaped(first);
    nursery.child_reaped(late);
    nursery.body_ended(BodyEnd::Done);
    assert_eq!(drain(&mut nursery), [finish(&[], Some("me"))]);
}

#[test]
fn the_first_canceller_stands_and_the_block_is_told_once() {
    let (mut nursery, [child]) = nursery([Daemon]);
    nursery.cancel_requested("first");
    nursery.outer_cancelled("second");
    nursery.child_failed(child, "late");
    assert_eq!(drain(&mut nursery), [CancelChild(child), CancelBody]);
    nursery.body_ended(BodyEnd::Cancelled);
    nursery.child_reaped(child);
    assert_eq!(drain(&mut nursery), [finish(&["late"], Some("first"))]);
}

#[test]
fn a_failing_block_is_the_first_member() {
    let (mut nursery, [child]) = nursery([Daemon]);
    nursery.body_ended(BodyEnd::Failed("body"));
    assert_eq!(drain(&mut nursery), [CancelChild(child)]);
    nursery.child_failed(child, "child");
    nursery.child_reaped(child);
    assert_eq!(drain(&mut nursery), [finish(&["body", "child"], None)]);
}

/// SUP-5: a drain that fails goes on as a cancel, never back.
#[test]
fn a_stopping_nursery_can_still_be_cancelled() {
    let (mut nursery, [a, b]) = nursery([Daemon, Daemon]);
    nursery.body_ended(BodyEnd::Done);
    assert_eq!(drain(&mut nursery), [StopChild(a), StopChild(b)]);
    nursery.child_failed(a, "a");
    assert_eq!(drain(&mut nursery), [CancelChild(a), CancelChild(b)]);
    nursery.child_reaped(a);
    nursery.child_reaped(b);
    assert_eq!(drain(&mut nursery), [finish(&["a"], None)]);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Admit(ChildKind),
    Fail(usize),
    Done(usize),
    Reap(usize),
    Body(u8),
    Cancel,
    Outer,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(Daemon), Just(OneShot), Just(LocalTask)];
    prop_oneof![
        4 => kind.prop_map(Step::Admit),
        2 => (0..8usize).prop_map(Step::Fail),
        3 => (0..8usize).prop_map(Step::Done),
        4 => (0..8usize).prop_map(Step::Reap),
        2 => (0..3u8).prop_map(Step::Body),
        1 => Just(Step::Cancel),
        1 => Just(Step::Outer),
    ]
}

/// What an observer beside the nursery knows.
#[derive(Default)]
struct Model {
    nursery: Option<Nursery>,
    alive: BTreeMap<ChildId, ChildKind>,
    stopped: BTreeSet<ChildId>,
    cancelled: BTreeSet<ChildId>,
    failures: Vec<&'static str>,
    body_over: bool,
    body_done: bool,
    body_told: bool,
    cancelling: bool,
    finished: bool,
}

impl Model {
    fn pick(&self, index: usize) -> Option<ChildId> {
        self.alive
            .keys()
            .nth(index % self.alive.len().max(1))
            .copied()
    }

    fn apply(&mut self, step: Step) {
        let mut nursery = self.nursery.take().unwrap_or_default();
        match step {
            Step::Admit(kind) => {
                if let Ok(id) = nursery.child_admitted(kind) {
                    assert!(!self.finished);
                    self.alive.insert(id, kind);
                }
            }
            Step::Fail(index) => {
                if let Some(id) = self.pick(index) {
                    nursery.child_failed(id, "child");
                    self.failures.push("child");
                    self.cancelling = true;
                }
            }
            Step::Done(index) => {
                if let Some(id) = self.pick(index) {
                    nursery.child_done(id);
                }
            }
            Step::Reap(index) => {
                if let Some(id) = self.pick(index) {
                    self.alive.remove(&id);
                    nursery.child_reaped(id);
                }
            }
            Step::Body(how) => self.end_body(&mut nursery, how),
            Step::Cancel => {
                nursery.cancel_requested("c");
                self.cancelling |= !self.finished;
            }
            Step::Outer => {
                nursery.outer_cancelled("o");
                self.cancelling |= !self.finished;
            }
        }
        self.observe(&mut nursery);
        self.nursery = Some(nursery);
    }

    fn end_body(&mut self, nursery: &mut Nursery, how: u8) {
        let first = !std::mem::replace(&mut self.body_over, true);
        let end = match how {
            0 => BodyEnd::Done,
            1 => BodyEnd::Cancelled,
            _ => BodyEnd::Failed("body"),
        };
        if first {
            self.body_done = how == 0;
            self.cancelling |= how != 0;
            if how > 1 {
                self.failures.push("body");
            }
        }
        nursery.body_ended(end);
    }

    fn observe(&mut self, nursery: &mut Nursery) {
        while let Some(action) = nursery.poll_action() {
            assert!(!self.finished, "SUP-1: nothing follows Finish");
            match action {
                StopChild(id) => {
                    let kind = self.alive[&id];
                    assert!(!self.cancelled.contains(&id), "SUP-5");
                    assert!(self.stopped.insert(id), "told once");
                    let busy = self.alive.values().any(|&kind| kind != Daemon);
                    assert!(kind == OneShot || self.body_done && !busy, "SUP-4");
                }
                CancelChild(id) => {
                    assert!(
                        self.cancelling && self.alive.contains_key(&id),
                        "SUP-3, SUP-5"
                    );
                    assert!(self.cancelled.insert(id), "SUP-3: told once");
                }
                CancelBody => {
                    assert!(self.cancelling && !self.body_over);
                    assert!(!std::mem::replace(&mut self.body_told, true), "told once");
                }
                SupervisorAction::Finish(verdict) => {
                    assert!(self.alive.is_empty() && self.body_over, "SUP-1");
                    assert_eq!(verdict.failures, self.failures, "SUP-2");
                    self.finished = true;
                }
            }
        }
        if self.cancelling && !self.finished {
            let told = |id| self.cancelled.contains(id);
            assert!(self.alive.keys().all(told), "SUP-3: everybody is told");
        }
        if self.body_over && self.alive.is_empty() {
            assert!(self.finished, "SUP-1: it does end");
        }
    }
}

proptest! {
    /// SUP-1, SUP-2, SUP-3, SUP-4, SUP-5.
    #[test]
    fn no_schedule_breaks_the_rules(steps in prop::collection::vec(step(), 0..60)) {
        let mut model = Model::default();
        for step in steps {
            model.apply(step);
        }
        model.apply(Step::Body(0));
        while !model.alive.is_empty() {
            model.apply(Step::Reap(0));
        }
        prop_assert!(model.finished);
    }
}
