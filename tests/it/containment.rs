//! Nothing outlives its tree: whoever is killed, whatever the others are doing, all of it goes.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tractor::prelude::*;
use tractor::{Error, RemoteErrorKind, Result};
use tractor_core::host::linux;
use tractor_core::testing::{
    Case, Running, case, children, ends_within, nanny_and_guardian, pause, say, say_pids,
};
use tractor_core::this_test;

use crate::actors::{block, double, pid, stay};
use crate::signs;

/// Two leaves below it, one that does nothing and one that hears nothing; says who they are, and stays.
#[tractor::context]
async fn middle(ctx: Context<Vec<u32>, (), ()>, name: String) -> Result<()> {
    open_nursery(async |an| -> Result<_> {
        let idle = an.start_actor("idle", tractor::expose![pid]).await?;
        let deaf = an.start_actor("deaf", tractor::expose![pid, block]).await?;
        let below = vec![idle.run(pid()).await?, deaf.run(pid()).await?];
        an.start_soon(async move {
            deaf.run(block(format!("deaf.{name}"))).await?;
            Ok(())
        });
        let _open = ctx.started(below).await?;
        std::future::pending().await
    })
    .await
}

/// A tree of seven actors, the root among them. Says its processes to the harness: nanny, guardian, the middles, the
/// leaves; and runs `body` while all of them are busy.
async fn seven<F: AsyncFnOnce() -> Result<()>>(body: F) -> Result<()> {
    open_nursery(async |an| -> Result<_> {
        let mut middles = Vec::new();
        for name in ["left", "right"] {
            middles.push(an.start_actor(name, tractor::expose![middle, pid]).await?);
        }
        let (left, right) = (&middles[0], &middles[1]);
        let mut pids = vec![left.run(pid()).await?, right.run(pid()).await?];
        left.open_context(middle("left".into()), async |_, leaves| -> Result<_> {
            pids.extend(leaves);
            right
                .open_context(middle("right".into()), async |_, leaves| -> Result<_> {
                    pids.extend(leaves);
                    signs::seen_all("deaf.", 2).await;
                    let (nanny, guardian) = nanny_and_guardian();
                    let actors = pids.iter().map(|pid| to_pid(*pid));
                    say_pids([nanny, guardian].into_iter().chain(actors));
                    body().await
                })
                .await
        })
        .await
    })
    .await
}

fn to_pid(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed()).unwrap()
}

fn kill(pid: Pid) {
    kill_process(pid, Signal::KILL).unwrap();
}

/// The processes of [`seven`], watched from the harness: nanny, guardian, middles, leaves; and the root, last.
struct Seven {
    pids: Vec<Pid>,
    watches: Vec<OwnedFd>,
}

impl Seven {
    fn hear(running: &mut Running) -> Self {
        let mut pids = running.hear_pids();
        assert_eq!(pids.len(), 8, "nanny, guardian and six actors");
        pids.push(running.pid());
        let watches = pids.iter().map(|pid| linux::pidfd(*pid).unwrap());
        let watches = watches.collect();
        Self { pids, watches }
    }

    /// Sees all of these die in time.
    fn die<'a>(&'a self, watches: impl IntoIterator<Item = &'a OwnedFd>, within: Duration) {
        let start = signs::now();
        for watch in watches {
            let left = within.saturating_sub(start.elapsed());
            let index = self.watches.iter().position(|one| std::ptr::eq(one, watch));
            assert!(
                ends_within(watch, left),
                "process {index:?} outlives its tree"
            );
        }
        println!("all gone after {:?}", start.elapsed());
    }
}

/// The promise.
const WITHIN: Duration = Duration::from_secs(1);

/// Done-item 5 and D9: `kill -9` of the root; nobody survives it by a second, nanny and guardian included.
#[test]
fn a_killed_root_leaves_nobody_of_seven() {
    Case::new(this_test!()).trials(3).run(
        async || {
            seven(async || {
                pause();
                Ok(())
            })
            .await
        },
        |running| {
            let seven = Seven::hear(running);
            running.kill();
            seven.die(&seven.watches, WITHIN);
        },
    );
}

/// A killed actor takes what is below it; the others go on, and its parent is told how it went.
#[test]
fn a_killed_middle_takes_its_leaves_alone() {
    Case::new(this_test!()).run(
        async || {
            let result = seven(async || {
                say("ready");
                std::future::pending().await
            });
            let error = result.await.unwrap_err();
            let failure = error.remote().unwrap_or_else(|| panic!("{error}"));
            assert_eq!(*failure.kind(), RemoteErrorKind::Killed { signal: 9 });
            assert_eq!(failure.origin().name(), "left");
        },
        |running| {
            let seven = Seven::hear(running);
            assert_eq!(running.hear(), "ready");
            kill(seven.pids[2]);
            let (middle, leaves) = (&seven.watches[2], &seven.watches[4..6]);
            seven.die(leaves.iter().chain([middle]), WITHIN);
            assert!(running.wait().success());
        },
    );
}

/// Without its guardian a tree cannot keep its promise: it ends, and the root is told. Another tree may begin.
#[test]
fn a_killed_guardian_ends_the_tree_and_not_the_root() {
    Case::new(this_test!()).run(
        async || {
            let result = seven(async || {
                say("ready");
                std::future::pending().await
            });
            let error = result.await.unwrap_err();
            assert!(error.to_string().contains("guardian"), "{error}");
            assert_eq!(children(), []);
            open_nursery(async |an| -> Result<_> {
                assert_eq!(an.run_in_actor(double(4)).await?, 8);
                Ok(())
            })
            .await
        },
        |running| {
            let seven = Seven::hear(running);
            assert_eq!(running.hear(), "ready");
            kill(seven.pids[1]);
            let (_root, below) = seven.watches.split_last().unwrap();
            seven.die(below, WITHIN);
            assert!(running.wait().success());
        },
    );
}

/// A root that panics ends its tree on its way out.
#[test]
fn a_root_that_panics_leaves_nobody() {
    Case::new(this_test!()).run(
        async || {
            let tree = seven(async || {
                pause();
                panic!("the root's own")
            });
            let tree = std::panic::AssertUnwindSafe(tree);
            let panic = futures_util::FutureExt::catch_unwind(tree)
                .await
                .unwrap_err();
            assert_eq!(*panic.downcast_ref::<&str>().unwrap(), "the root's own");
            // The root's end waits for all of them.
            say("panicked");
        },
        |running| {
            let seven = Seven::hear(running);
            running.go_on();
            assert_eq!(running.hear(), "panicked");
            assert!(running.wait().success());
            seven.die(&seven.watches, WITHIN);
        },
    );
}

/// A nursery dropped from outside, which cannot wait: its actors end all the same, the next nursery works, and the root
/// does not leave before they are gone.
#[test]
fn a_nursery_dropped_from_outside_leaves_nobody() {
    case(this_test!(), async || {
        let block = async |root: tractor::Root| -> Result<_> {
            let nursery = open_nursery(async |an| -> Result<()> {
                an.run_in_actor(stay("there".into())).start().await?;
                std::future::pending().await
            });
            tokio::select! {
                biased;
                _ = nursery => unreachable!(),
                () = signs::seen("there") => {}
            }
            assert!(root.statistics().unreaped > 0);
            let next =
                open_nursery(async |an| -> Result<_> { Ok(an.run_in_actor(double(1)).await?) });
            assert_eq!(next.await?, 2);
            Ok(())
        };
        tractor::root().run(block).await.unwrap();
        assert!(signs::given("there.gone"));
    });
}

/// A runtime that is shut down under its tree: the tree goes with it.
#[test]
fn a_runtime_shut_down_takes_its_tree_along() {
    case(this_test!(), async || {
        let gone = tokio::task::spawn_blocking(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            let (send, started) = std::sync::mpsc::channel();
            runtime.spawn(async move {
                let nursery = open_nursery(async |an| -> Result<()> {
                    let child = an.start_actor("child", tractor::expose![pid]).await?;
                    send.send(child.run(pid()).await?).map_err(Error::app)?;
                    std::future::pending().await
                });
                nursery.await
            });
            let child = linux::pidfd(to_pid(started.recv().unwrap())).unwrap();
            runtime.shutdown_background();
            ends_within(&child, Duration::from_secs(3))
        });
        assert!(gone.await.unwrap());
    });
}
