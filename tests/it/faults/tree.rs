//! The tree: a root, four middles, sixteen leaves.

use std::os::fd::OwnedFd;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Pid;
use tractor::Result;
use tractor::prelude::*;
use tractor_core::host::linux;
use tractor_core::testing::{Running, ends_within, nanny_and_guardian, say_pids};

use crate::actors::pid;
use crate::signs;

/// The middles of the root, and the leaves of each.
const WIDTH: usize = 4;

/// Whether each leaf has a daemon, which has left its parent, its group and its session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Daemons {
    None,
    OneEach,
}

#[tractor::rpc]
async fn start_daemon() -> u32 {
    let script = "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!";
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse().unwrap()
}

/// A middle: says its own process, those of its leaves and those of their daemons, and stays.
#[tractor::context]
async fn middle(ctx: Context<Vec<u32>, (), ()>, daemons: bool) -> Result<()> {
    open_nursery(async |an| -> Result<_> {
        let mut leaves = Vec::new();
        for name in ["a", "b", "c", "d"] {
            let functions = tractor::expose![pid, start_daemon];
            leaves.push(an.start_actor(name, functions).await?);
        }
        let mut pids = vec![std::process::id()];
        for leaf in &leaves {
            pids.push(leaf.run(pid()).await?);
        }
        if daemons {
            for leaf in &leaves {
                pids.push(leaf.run(start_daemon()).await?);
            }
        }
        let _open = ctx.started(pids).await?;
        std::future::pending().await
    })
    .await
}

/// The tree, until it fails. Once all of it is there its processes are said to the harness.
pub(super) async fn twenty_one(daemons: Daemons) -> Result<()> {
    let daemons = daemons == Daemons::OneEach;
    open_nursery(async |an| -> Result<_> {
        let (send, mut receive) = tokio::sync::mpsc::channel(WIDTH);
        for name in ["north", "east", "south", "west"] {
            let branch = an.start_actor(name, tractor::expose![middle]).await?;
            let send = send.clone();
            an.start_soon(async move {
                branch
                    .open_context(middle(daemons), async |_, pids| -> Result<()> {
                        send.send(pids).await.unwrap();
                        std::future::pending().await
                    })
                    .await
            });
        }
        let mut pids = Vec::new();
        for _ in 0..WIDTH {
            let Some(branch) = receive.recv().await else {
                break;
            };
            pids.extend(branch.iter().map(|pid| to_pid(*pid)));
        }
        let (nanny, guardian) = nanny_and_guardian();
        say_pids([nanny, guardian].into_iter().chain(pids));
        std::future::pending().await
    })
    .await
}

fn to_pid(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed()).unwrap()
}

/// The processes of the tree, watched from the harness.
pub(super) struct Seen {
    pub(super) root: Watched,
    pub(super) nanny: Watched,
    pub(super) guardian: Watched,
    pub(super) middles: Vec<Watched>,
    pub(super) leaves: Vec<Watched>,
    pub(super) daemons: Vec<Watched>,
}

/// A process, and how to see its death.
pub(super) struct Watched {
    pub(super) pid: Pid,
    watch: OwnedFd,
}

impl Watched {
    /// `None` if it has gone.
    pub(super) fn new(pid: Pid) -> Option<Self> {
        let watch = linux::pidfd(pid)?;
        Some(Self { pid, watch })
    }
}

impl Seen {
    pub(super) fn hear(running: &mut Running) -> Self {
        let pids = running.hear_pids();
        let there = |pid: &Pid| Watched::new(*pid).expect("it is there");
        let (reapers, branches) = pids.split_at(2);
        let branches = branches.chunks_exact(branches.len() / WIDTH);
        let (mut middles, mut leaves, mut daemons) = (Vec::new(), Vec::new(), Vec::new());
        for branch in branches {
            middles.push(there(&branch[0]));
            leaves.extend(branch[1..=WIDTH].iter().map(there));
            daemons.extend(branch[1 + WIDTH..].iter().map(there));
        }
        assert_eq!((middles.len(), leaves.len()), (WIDTH, WIDTH * WIDTH));
        Self {
            root: there(&running.pid()),
            nanny: there(&reapers[0]),
            guardian: there(&reapers[1]),
            middles,
            leaves,
            daemons,
        }
    }

    /// What is below the root, but for nanny and guardian.
    pub(super) fn below(&self) -> impl Iterator<Item = &Watched> {
        let actors = self.middles.iter().chain(&self.leaves);
        actors.chain(&self.daemons)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Watched> {
        let reapers = [&self.root, &self.nanny, &self.guardian];
        self.below().chain(reapers)
    }
}

/// How long it is from `start` until the last of these is dead; how many are not, if they are not in time.
pub(super) fn deaths<'a>(
    start: Instant,
    whom: impl IntoIterator<Item = &'a Watched>,
    within: Duration,
) -> Result<Duration, usize> {
    let alive = |one: &&Watched| {
        let left = within.saturating_sub(start.elapsed());
        !ends_within(&one.watch, left)
    };
    match whom.into_iter().filter(alive).count() {
        0 => Ok(signs::now() - start),
        survivors => Err(survivors),
    }
}
