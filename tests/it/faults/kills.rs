//! `kill -9` of whom chance takes.

use std::cell::RefCell;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tractor_core::host::linux;
use tractor_core::testing::{Case, processes_of_the_case, say, stop};
use tractor_core::this_test;

use super::table::{Choices, Row};
use super::tree::{Daemons, Seen, Watched, deaths, twenty_one};
use crate::signs;

/// As often as the test command does it: enough to see that it is done at all.
const TRIALS: usize = 2;

/// How long the dead may take at most before they are survivors: the ladder's sum.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaves {
    Idle,
    Stopped,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Root,
    /// A middle or a leaf, another one each time.
    Other,
    Guardian,
    /// Stopped, and not killed: it is found out by its silence.
    StoppedGuardian,
    Nanny,
    /// Within a millisecond of each other.
    RootAndGuardian,
}

impl Victim {
    fn takes_the_root(self) -> bool {
        matches!(self, Self::Root | Self::RootAndGuardian)
    }
}

/// The trials of one row.
fn kills(name: &'static str, row: &str, leaves: Leaves, daemons: Daemons, victim: Victim) {
    let mut choices = Choices::new();
    let row = RefCell::new(Row::new(row));
    let mut case = Case::new(name).trials(TRIALS);
    if matches!(
        victim,
        Victim::Guardian | Victim::StoppedGuardian | Victim::Nanny
    ) {
        case = case.reapers_die();
    }
    case.run_judged(
        async || {
            let failed = twenty_one(daemons).await;
            assert!(failed.is_err(), "a tree of which one was killed");
        },
        |running| {
            let seen = Seen::hear(running);
            if leaves == Leaves::Stopped {
                seen.leaves.iter().for_each(|leaf| stop(leaf.pid));
            }
            let actors: Vec<&Watched> = seen.middles.iter().chain(&seen.leaves).collect();
            let targets = match victim {
                Victim::Root => vec![&seen.root],
                Victim::Other => vec![actors[choices.one_of(actors.len())]],
                Victim::Guardian | Victim::StoppedGuardian => vec![&seen.guardian],
                Victim::Nanny => vec![&seen.nanny],
                Victim::RootAndGuardian => vec![&seen.root, &seen.guardian],
            };
            let start = signs::now();
            for target in targets {
                match victim {
                    Victim::StoppedGuardian => stop(target.pid),
                    _ => kill(target.pid),
                }
            }
            let dead = if victim.takes_the_root() {
                deaths(start, seen.all(), PATIENCE)
            } else {
                deaths(start, seen.below(), PATIENCE)
            };
            row.borrow_mut().trial(dead);
            let status = running.wait();
            if !victim.takes_the_root() && !status.success() {
                row.borrow_mut().failed(format_args!("the root: {status}"));
            }
        },
        |left| row.borrow_mut().judge(&left),
    );
    row.into_inner().close();
}

/// AC-1, AC-2.
#[test]
fn root_of_idle_leaves() {
    kills(
        this_test!(),
        "root; idle leaves",
        Leaves::Idle,
        Daemons::None,
        Victim::Root,
    );
}

/// AC-1.
#[test]
fn another_of_idle_leaves() {
    kills(
        this_test!(),
        "another; idle leaves",
        Leaves::Idle,
        Daemons::None,
        Victim::Other,
    );
}

/// AC-5.
#[test]
fn root_of_stopped_leaves() {
    kills(
        this_test!(),
        "root; stopped leaves",
        Leaves::Stopped,
        Daemons::None,
        Victim::Root,
    );
}

/// AC-5.
#[test]
fn another_of_stopped_leaves() {
    kills(
        this_test!(),
        "another; stopped leaves",
        Leaves::Stopped,
        Daemons::None,
        Victim::Other,
    );
}

/// AC-8.
#[test]
fn root_of_leaves_with_daemons() {
    kills(
        this_test!(),
        "root; leaves with daemons",
        Leaves::Idle,
        Daemons::OneEach,
        Victim::Root,
    );
}

/// AC-8: the daemons of a tree that has failed go with its root, or before.
#[test]
fn another_of_leaves_with_daemons() {
    kills(
        this_test!(),
        "another; leaves with daemons",
        Leaves::Idle,
        Daemons::OneEach,
        Victim::Other,
    );
}

/// AC-10: the tree fails closed.
#[test]
fn guardian_of_leaves_with_daemons() {
    kills(
        this_test!(),
        "guardian; leaves with daemons",
        Leaves::Idle,
        Daemons::OneEach,
        Victim::Guardian,
    );
}

/// AC-10.
#[test]
fn stopped_guardian_of_leaves_with_daemons() {
    kills(
        this_test!(),
        "guardian stopped; leaves with daemons",
        Leaves::Idle,
        Daemons::OneEach,
        Victim::StoppedGuardian,
    );
}

/// AC-10.
#[test]
fn nanny_of_leaves_with_daemons() {
    kills(
        this_test!(),
        "nanny; leaves with daemons",
        Leaves::Idle,
        Daemons::OneEach,
        Victim::Nanny,
    );
}

/// AC-11: the nanny sweeps.
#[test]
fn root_and_guardian_of_leaves_with_daemons() {
    kills(
        this_test!(),
        "root and guardian; leaves with daemons",
        Leaves::Idle,
        Daemons::OneEach,
        Victim::RootAndGuardian,
    );
}

/// AC-4: at a random moment of the tree's first 50 ms, of those who are there.
#[test]
fn any_of_a_tree_that_begins() {
    let mut choices = Choices::new();
    let row = RefCell::new(Row::new("any; within 50 ms of the start"));
    Case::new(this_test!()).trials(TRIALS).run_judged(
        async || {
            say("begins");
            let failed = twenty_one(Daemons::None).await;
            assert!(failed.is_err(), "a tree of which one was killed");
        },
        |running| {
            assert_eq!(running.hear(), "begins");
            let moment = choices.one_of(50_000);
            signs::block_for(Duration::from_micros(moment as u64));
            let there: Vec<Watched> = processes_of_the_case()
                .into_iter()
                .filter(|pid| *pid == running.pid() || linux::tag_of(*pid).is_some())
                .filter_map(Watched::new)
                .collect();
            let target = &there[choices.one_of(there.len())];
            let start = signs::now();
            kill(target.pid);
            let root = target.pid == running.pid();
            let dying = there.iter().filter(|one| root || one.pid != running.pid());
            row.borrow_mut().trial(deaths(start, dying, PATIENCE));
            let status = running.wait();
            if !root && !status.success() {
                row.borrow_mut().failed(format_args!("the root: {status}"));
            }
        },
        |left| row.borrow_mut().judge(&left),
    );
    row.into_inner().close();
}

/// Of one that may have gone by itself.
fn kill(pid: Pid) {
    let _gone = kill_process(pid, Signal::KILL);
}
