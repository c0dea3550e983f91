//! Nothing outlives the tree: whoever of root, nanny and guardian is killed or stopped, whatever state the actors are in.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tractor_core::host::{ExitStatus, GuardianLost, StartError, linux};
use tractor_core::testing::{
    Case, Running, children_of, ends_within, nanny_and_guardian, pause, say, say_pids, stop,
};
use tractor_core::this_test;

use crate::tree::{Member, Tree};

/// Root, two middles, two leaves each: seven actors. Says nanny, guardian, middles, leaves, daemons.
async fn seven(daemons: bool) -> Vec<Member> {
    let tree = Tree::new();
    let (mut middles, mut leaves) = (Vec::new(), Vec::new());
    for name in ["left", "right"] {
        let mut middle = tree.start(name).await;
        for (index, leaf) in ["spawn one", "spawn two"].iter().enumerate() {
            leaves.push(pid(&middle.ask(leaf)));
            if daemons {
                middle.ask(&format!("to {index} sh {DAEMON}"));
            }
        }
        middles.push(middle);
    }
    let (nanny, guardian) = nanny_and_guardian();
    let known: Vec<Pid> = middles.iter().map(Member::pid).chain(leaves).collect();
    let adopted = children_of(guardian);
    let adopted = adopted.into_iter().filter(|pid| !known.contains(pid));
    let all = [nanny, guardian].into_iter().chain(known.clone());
    say_pids(all.chain(adopted));
    middles
}

/// Leaves its parent, its group, its session and its standard streams.
const DAEMON: &str = "setsid -f sleep 1000 </dev/null >/dev/null 2>&1";

fn pid(text: &str) -> Pid {
    Pid::from_raw(text.parse().unwrap()).unwrap()
}

/// The processes of [`seven`], seen from the harness.
struct Seven {
    nanny: Pid,
    guardian: Pid,
    /// Middles first.
    actors: Vec<Pid>,
    watches: Vec<OwnedFd>,
}

impl Seven {
    fn hear(running: &mut Running) -> Self {
        let pids = running.hear_pids();
        let all = pids.iter().copied().chain([running.pid()]);
        Self {
            nanny: pids[0],
            guardian: pids[1],
            actors: pids[2..8].to_vec(),
            watches: all.map(|pid| linux::pidfd(pid).unwrap()).collect(),
        }
    }

    fn leaves(&self) -> &[Pid] {
        &self.actors[2..]
    }

    /// How long it takes until the last of them is dead.
    #[expect(clippy::disallowed_methods, reason = "measures real processes")]
    fn die(&self, by: impl FnOnce()) -> Duration {
        let start = Instant::now();
        by();
        for (index, watch) in self.watches.iter().enumerate() {
            let left = WITHIN.saturating_sub(start.elapsed());
            assert!(
                ends_within(watch, left),
                "process {index} outlives its tree"
            );
        }
        start.elapsed()
    }
}

fn kill(pid: Pid) {
    kill_process(pid, Signal::KILL).unwrap();
}

/// Runs the tree of seven, has `by` done to it, and sees it gone within a second.
fn dies(name: &'static str, daemons: bool, by: impl Fn(&Running, &Seven)) {
    Case::new(name).trials(3).run(
        async || {
            let _middles = seven(daemons).await;
            pause();
        },
        |running| {
            let seven = Seven::hear(running);
            let took = seven.die(|| by(running, &seven));
            println!("all gone after {took:?}");
        },
    );
}

/// GUARD-5, D9: `kill -9` of the root.
#[test]
fn a_killed_root_leaves_nobody() {
    dies(this_test!(), false, |running, _| running.kill());
}

/// GUARD-5: stopped actors cannot notice anything, and daemons have left everything one could be killed by.
#[test]
fn a_killed_root_leaves_no_stopped_actor_and_no_daemon() {
    dies(this_test!(), true, |running, seven| {
        seven.leaves().iter().copied().for_each(stop);
        running.kill();
    });
}

/// The root's death while its guardian is stopped: the nanny's part.
#[test]
fn a_stopped_guardian_does_not_save_anybody() {
    dies(this_test!(), true, |running, seven| {
        seven.leaves().iter().copied().for_each(stop);
        stop(seven.guardian);
        running.kill();
    });
}

/// The root's death while the nanny is stopped: the guardian's part.
#[test]
fn a_stopped_nanny_does_not_save_anybody() {
    dies(this_test!(), true, |running, seven| {
        stop(seven.nanny);
        running.kill();
    });
}

#[test]
fn root_and_guardian_killed_together_leave_nobody() {
    dies(this_test!(), true, |running, seven| {
        running.kill();
        kill(seven.guardian);
    });
}

#[test]
fn root_and_nanny_killed_together_leave_nobody() {
    dies(this_test!(), true, |running, seven| {
        running.kill();
        kill(seven.nanny);
    });
}

/// GUARD-5: in the middle of it all: the root is killed while it starts its guardian and its actors.
#[test]
fn a_root_killed_while_it_starts_leaves_nobody() {
    let mut trial = 0;
    Case::new(this_test!()).trials(5).run(
        async || {
            say("here");
            seven(true).await;
            pause();
        },
        |running| {
            running.hear();
            trial += 1;
            // Spread over what a start takes; each is another moment of it.
            let pidfd = linux::pidfd(running.pid()).unwrap();
            assert!(!ends_within(&pidfd, Duration::from_millis(trial * 7 % 40)));
            running.kill();
        },
    );
}

/// The tree fails closed: every process is killed, starts and watches say why, and the root itself lives.
fn fails_closed(name: &'static str, how: impl Fn(&Seven), expected: fn(&GuardianLost) -> bool) {
    Case::new(name).reapers_die().run(
        async || {
            let tree = Tree::new(); // first: afterwards it might be a new guardian's
            let mut middles = seven(true).await;
            let (request, _link) = tree.request("later");
            let lost = tree.host.lost().wait().await;
            assert!(expected(&lost), "{lost:?}");
            let error = tree.host.start(request).await.unwrap_err();
            assert_eq!(error, StartError::GuardianLost(lost));
            for middle in &middles {
                let status = middle.process.exit.wait().await;
                assert_eq!(status, ExitStatus::Unreported);
            }
            middles.clear();
            assert_eq!(linux::children().unwrap(), []);
            // This tree has failed; another may begin.
            let mut other = Tree::new().start("other").await;
            other.ask("pid");
            say("done");
        },
        |running| {
            let seven = Seven::hear(running);
            how(&seven);
            assert_eq!(running.hear(), "done");
            let (_root, below) = seven.watches.split_last().unwrap();
            assert!(below.iter().all(|watch| ends_within(watch, Duration::ZERO)));
            assert!(running.wait().success());
        },
    );
}

/// GUARD-5: the guardian gone, the nanny kills.
#[test]
fn a_killed_guardian_fails_the_tree() {
    let ended = |lost: &GuardianLost| *lost == GuardianLost::Ended;
    fails_closed(this_test!(), |seven| kill(seven.guardian), ended);
}

/// GUARD-5: the nanny gone, the guardian kills and leaves.
#[test]
fn a_killed_nanny_fails_the_tree() {
    let ended = |lost: &GuardianLost| *lost == GuardianLost::Ended;
    fails_closed(this_test!(), |seven| kill(seven.nanny), ended);
}

/// A guardian that is stopped under a living root does not answer pings: killed after two seconds.
#[test]
fn a_stopped_guardian_is_found_and_fails_the_tree() {
    let silent = |lost: &GuardianLost| matches!(lost, GuardianLost::Silent { silent_for } if *silent_for == Duration::from_secs(2));
    fails_closed(this_test!(), |seven| stop(seven.guardian), silent);
}

/// A guardian that is stopped while the nanny is killed: nobody is left to sweep, so the root kills the guardian, and the
/// actors go by their death signal.
#[test]
fn a_killed_nanny_over_a_stopped_guardian_fails_the_tree() {
    Case::new(this_test!()).reapers_die().run(
        async || {
            let tree = Tree::new();
            let middles = seven(false).await;
            assert_eq!(tree.host.lost().wait().await, GuardianLost::Ended);
            for middle in &middles {
                middle.process.exit.wait().await;
            }
            say("done");
        },
        |running| {
            let seven = Seven::hear(running);
            stop(seven.guardian);
            kill(seven.nanny);
            assert_eq!(running.hear(), "done");
            let (_root, below) = seven.watches.split_last().unwrap();
            assert!(below.iter().all(|watch| ends_within(watch, WITHIN)));
        },
    );
}

/// With both gone the actors die by their death signal, stopped ones too; only daemons are out of reach, and there are
/// none here.
#[test]
fn guardian_and_nanny_killed_together_take_the_actors() {
    Case::new(this_test!()).reapers_die().run(
        async || {
            let middles = seven(false).await;
            for middle in &middles {
                middle.process.exit.wait().await;
            }
            say("done");
        },
        |running| {
            let seven = Seven::hear(running);
            seven.actors.iter().copied().for_each(stop);
            kill(seven.nanny);
            kill(seven.guardian);
            assert_eq!(running.hear(), "done");
            let (_root, below) = seven.watches.split_last().unwrap();
            assert!(below.iter().all(|watch| ends_within(watch, WITHIN)));
        },
    );
}

/// A stopped nanny alone changes nothing, and does not keep the root from leaving.
#[test]
fn a_stopped_nanny_changes_nothing() {
    Case::new(this_test!()).run(
        async || {
            let mut middles = seven(false).await;
            pause();
            let mut member = Tree::new().start("after").await;
            member.tell("exit 3");
            assert_eq!(member.process.exit.wait().await, ExitStatus::Exited(3));
            for middle in &mut middles {
                middle.tell("exit 0");
                middle.process.exit.wait().await;
            }
        },
        |running| {
            let seven = Seven::hear(running);
            stop(seven.nanny);
            running.go_on();
            assert!(running.wait().success());
        },
    );
}

/// A root that leaves without any farewell, by `exit` with actors running.
#[test]
fn a_root_that_just_exits_leaves_nobody() {
    Case::new(this_test!()).run(
        async || {
            let _middles = seven(true).await;
            pause();
            std::process::exit(0);
        },
        |running| {
            let seven = Seven::hear(running);
            seven.die(|| running.go_on());
        },
    );
}

/// The promise: everything is gone within this (DESIGN: a second; it takes milliseconds).
const WITHIN: Duration = Duration::from_secs(1);
