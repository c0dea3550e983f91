//! How processes end: by signal, with their parent, with what they left behind, and when their owner is dropped.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal as Raw, kill_process};
use tractor_core::host::{ExitStatus, Signal, linux};
use tractor_core::node::reaper::{self, OwnedProcess};
use tractor_core::testing::{PATIENCE, case, children_of, ends_within, nanny_and_guardian, stop};
use tractor_core::this_test;

use crate::tree::{Member, Tree};

fn pid(text: &str) -> Pid {
    Pid::from_raw(text.parse().unwrap()).unwrap()
}

#[test]
fn signals_reach_a_child() {
    case(this_test!(), async || {
        let tree = Tree::new();
        for (signal, number) in [(Signal::Terminate, 15), (Signal::Kill, 9)] {
            let mut member = tree.start("signalled").await;
            member.ask("pid");
            member.tell("block");
            tree.host.signal(member.process.id, signal).unwrap();
            let status = member.process.exit.wait().await;
            assert_eq!(status, ExitStatus::Signaled(number));
            // It is gone: nobody else is hit.
            tree.host.signal(member.process.id, signal).unwrap();
        }
    });
}

/// GUARD-2, GUARD-3: a dead middle takes its subtree, stopped leaves and daemons included, before its exit is told; its
/// sibling's is not touched.
#[test]
fn a_dead_middle_takes_its_subtree_alone() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let mut middles = Vec::new();
        let mut below = Vec::new();
        for name in ["doomed", "spared"] {
            let mut middle = tree.start(name).await;
            let before = adopted(&[]);
            let leaf = pid(&middle.ask("spawn leaf"));
            let deep = pid(&middle.ask("to 0 spawn deep"));
            middle.ask(&format!("to 0 sh {DAEMON}"));
            middle.ask(&format!("sh {DAEMON}"));
            let daemons = adopted(&before)
                .into_iter()
                .filter(|p| *p != leaf && *p != deep);
            let all = [leaf, deep].into_iter().chain(daemons);
            let all: Vec<_> = all.map(|pid| linux::pidfd(pid).unwrap()).collect();
            assert_eq!(all.len(), 4);
            stop(leaf);
            middles.push(middle);
            below.push(all);
        }
        kill_process(middles[0].pid(), Raw::KILL).unwrap();
        let status = middles[0].process.exit.wait().await;
        assert_eq!(status, ExitStatus::Signaled(9));
        let (actors, daemons) = below[0].split_at(2);
        assert!(actors.iter().all(|fd| ends_within(fd, Duration::ZERO)));
        assert!(daemons.iter().all(|fd| ends_within(fd, PATIENCE)));
        assert!(!below[1].iter().any(|fd| ends_within(fd, Duration::ZERO)));
        middles[1].ask("pid");
    });
}

/// The same when the middle leaves by itself.
#[test]
fn an_exiting_middle_takes_its_subtree() {
    case(this_test!(), async || {
        let mut middle = Tree::new().start("middle").await;
        let leaf = linux::pidfd(pid(&middle.ask("spawn leaf"))).unwrap();
        middle.tell("exit 0");
        assert_eq!(middle.process.exit.wait().await, ExitStatus::Exited(0));
        assert!(ends_within(&leaf, Duration::ZERO));
    });
}

/// What an actor started and did not wait for ends with it: plain helpers by its group, daemons by its tag.
#[test]
fn helpers_and_daemons_end_with_their_actor() {
    case(this_test!(), async || {
        let mut member = Tree::new().start("helped").await;
        let before = adopted(&[]);
        member.ask("sh sleep 1000 & env -i sleep 1000 &"); // the second has no tag
        member.ask(&format!("sh {DAEMON}"));
        let helpers = adopted(&before);
        assert_eq!(helpers.len(), 3);
        let helpers = helpers.into_iter().map(|pid| linux::pidfd(pid).unwrap());
        let helpers: Vec<_> = helpers.collect();
        member.tell("exit 0");
        assert_eq!(member.process.exit.wait().await, ExitStatus::Exited(0));
        assert!(helpers.iter().all(|fd| ends_within(fd, PATIENCE)));
    });
}

/// An actor that blocks its only thread dies all the same when its parent lets go of the lifeline.
#[test]
fn a_blocked_actor_dies_with_its_lifeline() {
    case(this_test!(), async || {
        let mut member = Tree::new().start("blocked").await;
        member.ask("pid");
        member.tell("block");
        let Member { process, link } = member;
        drop(process.lifeline);
        assert_eq!(process.exit.wait().await, ExitStatus::Signaled(9));
        drop(link);
    });
}

/// REAP-1: a process whose owner is dropped is terminated and reaped in the background, and then killed if it is
/// stopped; the table is empty only after that.
#[test]
fn a_dropped_owner_is_replaced_by_the_reaper() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let mut owned = Vec::new();
        for (stopped, expected) in [(false, 15), (true, 9)] {
            let (request, mut link) = tree.request("orphan");
            let host = Arc::clone(&tree.host);
            let process = OwnedProcess::start(host, request).await.unwrap();
            link.ask("pid");
            if stopped {
                let pid = Pid::from_raw(process.pid.cast_signed()).unwrap();
                stop(pid);
            }
            owned.push((process, link, expected));
        }
        assert_eq!(reaper::unreaped(), 2);
        let names = reaper::wait_empty(Duration::ZERO).unwrap_err();
        assert_eq!(names[1].name(), "orphan");
        let (mut exits, mut links) = (Vec::new(), Vec::new());
        for (process, link, expected) in owned {
            exits.push((process.exit.clone(), expected));
            links.push(link); // its end would end the actor too
        }
        reaper::wait_empty(PATIENCE).unwrap();
        for (exit, expected) in exits {
            assert_eq!(exit.status(), Some(ExitStatus::Signaled(expected)));
        }
    });
}

/// REAP-1: an owner that saw the end leaves the table by itself.
#[test]
fn a_seen_end_leaves_the_table() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let (request, mut link) = tree.request("short");
        let owned = OwnedProcess::start(tree.host, request).await.unwrap();
        assert_eq!(reaper::unreaped(), 1);
        link.tell("exit 0");
        owned.exit.wait().await;
        assert!(owned.lifeline.as_fd().try_clone_to_owned().is_ok());
        drop(owned);
        assert_eq!(reaper::unreaped(), 0);
        reaper::wait_empty(Duration::ZERO).unwrap();
    });
}

/// Children of the guardian that are not among `known`.
fn adopted(known: &[Pid]) -> Vec<Pid> {
    let (_, guardian) = nanny_and_guardian();
    let all = children_of(guardian).into_iter();
    all.filter(|pid| !known.contains(pid)).collect()
}

const DAEMON: &str = "setsid -f sleep 1000 </dev/null >/dev/null 2>&1";
