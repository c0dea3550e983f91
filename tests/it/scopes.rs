//! Cancel scopes around trees: what is inside one has ended before it goes on, and nothing behind it runs.

use std::time::Duration;

use tractor::prelude::*;
use tractor::{
    CancelReason, Cancellation, Error, Result, cancel_scope, fail_after, finally, move_on_after,
};
use tractor_core::testing::{case, children};
use tractor_core::this_test;

use crate::actors::{double, pid, stay};
use crate::signs::{self, OnDrop, took};

const SOON: Duration = Duration::from_millis(50);

/// Says numbers for as long as it is let.
struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[stream]
    fn numbers(&self) -> impl tractor::Stream<Item = u64> + use<> {
        futures_util::stream::iter(0..)
    }

    /// Cleans up after itself, however it ends.
    #[context]
    async fn tidy(&self, ctx: Context<(), (), ()>) -> std::result::Result<(), AnyError> {
        let _open = ctx.started(()).await?;
        let stay = std::future::pending::<()>();
        finally(stay, async |_| {
            tractor::sleep(Duration::from_millis(5)).await.unwrap();
            signs::give("tidied");
        })
        .await?;
        Ok(())
    }
}

fn lives(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// What is left of the time it was given, in milliseconds, here and by way of so many actors more.
#[tractor::rpc]
async fn time_left(hops: u32) -> Result<Vec<u64>> {
    let mut left = vec![match tractor::current_deadline() {
        Some(deadline) => millis(deadline.saturating_since(tractor::now()?)),
        None => u64::MAX,
    }];
    if hops > 0 {
        open_nursery(async |an| -> Result<_> {
            left.extend(an.run_in_actor(time_left(hops - 1)).await?);
            Ok(())
        })
        .await?;
    }
    Ok(left)
}

/// Stays, so many actors below, and says how each of them ended.
#[tractor::rpc]
async fn stay_below(hops: u32) -> Result<()> {
    let _gone = OnDrop(format!("below.{hops}.gone"));
    if hops == 0 {
        signs::give("below");
        return std::future::pending().await;
    }
    let staying = open_nursery(async |an| -> Result<_> {
        an.run_in_actor(stay_below(hops - 1)).await?;
        Ok(())
    });
    staying.await
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap()
}

/// B7, H14: a scope's time ends what is in it: an endless stream, its actor, the nursery. What stands behind them in the
/// block does not run.
#[test]
fn a_timeout_ends_an_endless_stream_and_its_nursery() {
    case(this_test!(), async || -> Result<_> {
        let mut reached = false;
        let ended = move_on_after(SOON, async |_| {
            let counted = open_nursery(async |an| -> Result<_> {
                let counter = an.start_actor("counter", Counter::spec()).await?;
                signs::give("begun");
                let read = async |mut numbers: tractor::OneWay<u64>| -> Result<_> {
                    while numbers.next().await?.is_some() {}
                    Ok(())
                };
                counter.numbers().open(read).await
            });
            let ended = counted.await;
            reached = true;
            ended
        });
        assert!(ended.await.is_none());
        assert!(!reached, "a scope drops what stands behind a nursery");
        assert!(signs::given("begun"));
        assert_eq!(tractor_core::node::reaper::unreaped(), 0);
        Ok(())
    });
}

/// B14: a scope two nurseries up is cancelled: both have ended, children reaped, before it goes on, and it is the scope that
/// catches it.
#[test]
fn a_scope_two_nurseries_up_ends_both() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |around| -> Result<_> {
            let beside = around.start_actor("beside", tractor::expose![pid]).await?;
            let mut pids = Vec::new();
            let scope = cancel_scope();
            let ended = scope.run(async |scope| {
                open_nursery(async |outer| -> Result<()> {
                    let one = outer.start_actor("one", tractor::expose![pid]).await?;
                    pids.push(one.run(pid()).await?);
                    open_nursery(async |inner| -> Result<()> {
                        let two = inner.start_actor("two", tractor::expose![pid]).await?;
                        pids.push(two.run(pid()).await?);
                        assert!(scope.cancel(CancelReason::Requested));
                        assert!(!scope.cancel(CancelReason::User), "the first one stands");
                        assert!(scope.cancel_called() && !scope.cancelled_caught());
                        signs::give("on");
                        std::future::pending().await
                    })
                    .await
                })
                .await
            });
            let cancel = ended.await.unwrap_err();
            assert_eq!(cancel.reason, CancelReason::Requested);
            assert_eq!(cancel.canceller, tractor::current_actor()?);
            assert!(signs::given("on"), "what runs goes on to its next await");
            assert!(pids.iter().all(|pid| !lives(*pid)), "{pids:?}");
            assert!(
                beside.run(pid()).await.is_ok(),
                "beside the scope all is well"
            );
            Ok(())
        })
        .await
    });
}

/// A scope's deadline goes with what is called in it, and what has come of it is seen at every hop.
#[test]
fn deadlines_cross_every_hop() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![time_left, stay_below]);
            let child = child.await?;
            let free = child.run(time_left(0)).await?;
            assert_eq!(free, [u64::MAX]);
            let within = Duration::from_secs(30);
            let left = fail_after(within, async |scope| -> Result<_> {
                assert!(scope.deadline().is_some());
                Ok(child.run(time_left(2)).await?)
            });
            let left = left.await?;
            assert_eq!(left.len(), 3);
            assert!(left.is_sorted_by(|a, b| a >= b), "{left:?}");
            assert!(left[0] <= millis(within) && left[2] > 0, "{left:?}");
            // Below, everything is dropped when the time is up; here, the scope says so.
            let slow = fail_after(Duration::from_millis(300), async |_| -> Result<_> {
                Ok(child.run(stay_below(2)).await?)
            });
            match slow.await {
                Err(Error::Cancelled(cancel)) => assert_eq!(cancel.reason, CancelReason::Deadline),
                other => panic!("{other:?}"),
            }
            assert!(signs::given("below"));
            for hop in 0..3 {
                signs::seen(&format!("below.{hop}.gone")).await;
            }
            Ok(())
        })
        .await
    });
}

/// H14: a context in a scope that is cancelled is cancelled at its far side, whose cleanup runs before the scope ends.
#[test]
fn a_context_cleans_up_before_its_scope_ends() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let counter = an.start_actor("counter", Counter::spec()).await?;
            let ended = move_on_after(SOON, async |_| {
                let block = async |_: tractor::OpenedContext<_, _, _, _>, ()| -> Result<()> {
                    std::future::pending().await
                };
                counter.tidy().open(block).await
            });
            assert!(ended.await.is_none());
            assert!(signs::given("tidied"));
            Ok(())
        })
        .await
    });
}

/// What a context's block has opened is torn down when the block is cut, by its own time or from around, and only then has
/// the context ended.
#[test]
fn what_is_in_a_block_is_torn_down_when_the_block_is_cut() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let counter = an.start_actor("counter", Counter::spec()).await?;
            let pids = std::sync::Mutex::new(Vec::new());
            let inside = async |_: tractor::OpenedContext<_, _, _, _>, ()| -> Result<()> {
                open_nursery(async |an| {
                    let child = an.start_actor("child", tractor::expose![pid]).await?;
                    let pid = child.run(pid()).await?;
                    pids.lock().unwrap().push(pid);
                    let stay = std::future::pending::<()>();
                    let cleaned = finally(stay, async |_| signs::give(&format!("cleaned.{pid}")));
                    cleaned.await?;
                    Ok(())
                })
                .await
            };
            let own = counter.tidy().within(6 * SOON).open(inside).await;
            match own.unwrap_err() {
                Error::Open(tractor::OpenError::Call(CallError::Cancelled(cancel))) => {
                    assert_eq!(cancel.reason, CancelReason::Deadline);
                }
                other => panic!("{other}"),
            }
            let around = move_on_after(6 * SOON, async |_| counter.tidy().open(inside).await);
            assert!(around.await.is_none());
            let pids = pids.into_inner().unwrap();
            assert_eq!(pids.len(), 2);
            for pid in pids {
                assert!(
                    signs::given(&format!("cleaned.{pid}")) && !lives(pid),
                    "{pid}"
                );
            }
            Ok(())
        })
        .await
    });
}

/// A one-shot that is left to its nursery knows the time around it, and when that is up it is no failure: whoever says so
/// first, it is the scope that is cancelled.
#[test]
fn a_one_shot_has_the_time_of_its_nursery() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |_| -> Result<_> {
            let left = fail_after(Duration::from_secs(30), async |_| {
                open_nursery(async |an| -> Result<_> {
                    let shot = an.run_in_actor(time_left(0)).start().await?;
                    Ok(shot.result().await?)
                })
                .await
            });
            assert!(left.await?[0] < u64::MAX);
            for _ in 0..20 {
                let ended = move_on_after(Duration::from_millis(30), async |_| {
                    open_nursery(async |an| -> Result<()> {
                        an.run_in_actor(stay_below(0)).start().await?;
                        std::future::pending().await
                    })
                    .await
                });
                let ended = ended.await;
                assert!(ended.is_none(), "{ended:?}");
            }
            Ok(())
        })
        .await
    });
}

/// A shield keeps the scopes around out, and they wait for it; a cleanup under one can still call.
#[test]
fn a_shield_holds_and_a_cleanup_can_call() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an
                .start_actor("child", tractor::expose![double, stay])
                .await?;
            let mut shielded = None;
            let ended = move_on_after(SOON, async |outer| {
                let shield = cancel_scope().shield().within(Duration::from_secs(10));
                shielded = Some(
                    shield
                        .run(async |_| {
                            signs::until(|| outer.cancel_called()).await;
                            child.run(double(4)).await
                        })
                        .await,
                );
                std::future::pending::<()>().await
            });
            assert!(ended.await.is_none());
            assert_eq!(shielded.unwrap().unwrap()?, 8);
            let mut answer = None;
            let ended = move_on_after(SOON, async |_| {
                finally(child.run(stay("stay".into())).into_future(), async |done| {
                    assert!(done.is_none());
                    answer = Some(child.run(double(5)).await);
                })
                .await
            });
            assert!(ended.await.is_none());
            assert_eq!(answer.unwrap()?, 10);
            assert!(signs::given("stay.gone"));
            Ok(())
        })
        .await
    });
}

/// A root that is opened inside a scope belongs to it.
#[test]
fn a_root_inside_a_scope_ends_with_it() {
    case(this_test!(), async || -> Result<_> {
        let (ended, took) = took(fail_after(SOON, async |_| -> Result<()> {
            tractor::root()
                .run(async |root| {
                    open_nursery(async |an| {
                        let child = an.start_actor("child", tractor::expose![pid]).await?;
                        assert_eq!(root.id(), &tractor::current_actor()?);
                        child.run(pid()).await?;
                        signs::give("up");
                        std::future::pending().await
                    })
                    .await
                })
                .await
        }))
        .await;
        match ended {
            Err(Error::Cancelled(cancel)) => assert_eq!(cancel.reason, CancelReason::Deadline),
            other => panic!("{other:?}"),
        }
        assert!(
            signs::given("up") && took < Duration::from_secs(5),
            "{took:?}"
        );
        let left = children().len();
        assert!(left <= 1, "but for the nanny: {left}");
        Ok(())
    });
}

/// In a task somebody else started there is no scope of ours but the root's; one that inherits fails in place of waiting.
#[test]
fn a_task_of_somebody_elses_inherits_if_it_is_let() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![stay]).await?;
            let mut tasks = Vec::new();
            let ended = move_on_after(SOON, async |_| {
                let (free, bound) = (child.clone(), child.clone());
                #[expect(clippy::disallowed_methods, reason = "as a user may")]
                let spawn = |task| tokio::spawn(task);
                let free = async move { free.run(stay("free".into())).await };
                let bound = async move { bound.run(stay("bound".into())).await };
                tasks.push(spawn(futures_util::future::Either::Left(free)));
                let bound = tractor::inherit(bound);
                tasks.push(spawn(futures_util::future::Either::Right(bound)));
                std::future::pending::<()>().await
            });
            assert!(ended.await.is_none());
            let bound = tasks.pop().unwrap().await.unwrap();
            assert!(matches!(bound, Err(CallError::Cancelled(_))), "{bound:?}");
            signs::seen("bound.gone").await;
            assert!(signs::given("free") && !signs::given("free.gone"));
            tasks.pop().unwrap().abort();
            signs::seen("free.gone").await;
            Ok(())
        })
        .await
    });
}

/// The clock of a scope moves its deadline, and a deadline moved in time cuts nothing.
#[test]
fn a_deadline_can_be_moved() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |_| -> Result<_> {
            let done = move_on_after(SOON, async |scope| {
                scope.set_deadline(None);
                tractor::sleep(2 * SOON).await.unwrap();
                scope.set_deadline(Some(scope.now()));
                tractor::checkpoint().await.unwrap();
                std::future::pending::<()>().await
            });
            assert!(done.await.is_none());
            Ok(())
        })
        .await
    });
}

/// A scope may be cancelled by another thread in the middle of a task's turn: an error by which the task tells of that is the
/// scope's cancellation, and no failure of the nursery's.
#[test]
fn a_task_that_tells_of_the_scopes_cancel_has_not_failed() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |_| -> Result<_> {
            let me = tractor::current_actor()?;
            let ended = cancel_scope().run(async |scope| {
                open_nursery(async |an| -> Result<()> {
                    an.start_soon(async move {
                        scope.cancel(CancelReason::User);
                        let (canceller, reason) = (me, CancelReason::User);
                        Err(Error::Cancelled(Cancellation { canceller, reason }))
                    });
                    std::future::pending().await
                })
                .await
            });
            let cancel = ended.await.unwrap_err();
            assert_eq!(cancel.reason, CancelReason::User);
            Ok(())
        })
        .await
    });
}
