//! Who cancels a context, and what that is to whom: one's own cancel is absorbed where it was asked for, everybody else's is
//! raised, and a real error says more than either.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tractor::prelude::*;
use tractor::{CancelReason, Error, OpenError, OpenedContext, RecvError, Result};
use tractor_core::boot::Flavor;
use tractor_core::testing::{Case, case, ends_well};
use tractor_core::this_test;

use crate::actors::{Missing, double, missing, pid};
use crate::signs::{self, OnDrop};

/// A context as the blocks of these tests have it.
type Far<T, E = AnyError> = OpenedContext<u32, u32, T, E>;

/// Stays from its first value on, in its stream.
#[tractor::context]
async fn stay_open(ctx: Context<(), u32, u32>, name: String) -> std::result::Result<u32, AnyError> {
    let _gone = OnDrop(format!("{name}.gone"));
    let mut stream = ctx.started(()).await?.open_stream().await?;
    signs::give(&name);
    while let Some(value) = stream.next().await? {
        stream.send(value).await?;
    }
    Ok(7)
}

/// Returns at once.
#[tractor::context]
async fn return_early(ctx: Context<(), u32, u32>) -> std::result::Result<u32, AnyError> {
    let _open = ctx.started(()).await?;
    Ok(7)
}

/// Cancels itself, before or after its first value.
#[tractor::context]
async fn cancel_self(
    ctx: Context<(), u32, u32>,
    early: bool,
) -> std::result::Result<u32, AnyError> {
    if early {
        ctx.ctx().cancel();
        tractor::checkpoint().await?;
    }
    let ctx = ctx.started(()).await?;
    ctx.ctx().cancel();
    std::future::pending().await
}

/// Fails while it is being cancelled.
#[tractor::context]
async fn fail_in_cleanup(ctx: Context<(), u32, u32>) -> std::result::Result<u32, Missing> {
    let _open = ctx.started(()).await;
    open_nursery(async |an| -> std::result::Result<(), AnyError> {
        an.start_soon(async {
            let wait = std::future::pending::<()>();
            let cleaned = tractor::finally(wait, async |_| Err(Error::app(missing("cleanup"))));
            cleaned.await?
        });
        std::future::pending().await
    })
    .await
    .map(|()| 7)
    .map_err(|error| missing(error.text()))
}

fn cancelled_by<T: std::fmt::Debug, E: std::fmt::Debug>(
    result: std::result::Result<T, CallError<E>>,
    who: &tractor::ActorId,
) {
    match result {
        Err(CallError::Cancelled(cancel)) => assert_eq!(cancel.canceller, *who),
        other => panic!("{other:?}"),
    }
}

/// H1: the opener cancels: acknowledged at the far side's end, no error of the block, the outcome a value that names the
/// opener; and so it stays, however often it is read.
#[test]
fn ones_own_cancel_is_absorbed() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let me = tractor::current_actor()?;
            let child = an.start_actor("child", tractor::expose![stay_open]).await?;
            let block = async |ctx: Far<u32>, ()| -> Result<_> {
                assert!(!ctx.cancel_called() && ctx.outcome().is_none());
                assert_eq!(ctx.canceller(), None);
                ctx.cancel().await?;
                assert!(signs::given("far.gone"), "it has ended by then");
                assert!(ctx.cancel_called() && ctx.has_ended());
                assert_eq!(ctx.canceller().as_ref(), Some(&me));
                cancelled_by(ctx.outcome().unwrap(), &me);
                cancelled_by(ctx.result().await, &me);
                // Once more changes nothing.
                ctx.cancel().await?;
                Ok(3)
            };
            assert_eq!(child.open_context(stay_open("far".into()), block).await?, 3);
            Ok(())
        })
        .await
    });
}

/// H2: the opener cancels the whole actor: the context's cancel is raised, although its canceller is the opener; for it was
/// not the context that was asked to end.
#[test]
fn a_cancel_of_the_actor_is_raised_by_its_contexts() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let me = tractor::current_actor()?;
            let child = an.start_actor("child", tractor::expose![stay_open]).await?;
            let block = async |ctx: Far<u32>, ()| -> Result<()> {
                child.cancel_actor().await?;
                cancelled_by(ctx.result().await, &me);
                assert!(!ctx.cancel_called());
                Ok(())
            };
            let raised = child.open_context(stay_open("far".into()), block).await;
            match raised.unwrap_err() {
                Error::Open(OpenError::Call(error)) => cancelled_by::<(), _>(Err(error), &me),
                other => panic!("{other}"),
            }
            assert!(signs::given("far.gone"));
            Ok(())
        })
        .await
    });
}

/// A far side that has returned keeps its result, whoever cancels what afterwards.
#[test]
fn a_result_that_is_there_survives_every_cancel() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let exposed = tractor::expose![return_early, double];
            let child = an.start_actor("child", exposed).await?;
            for actor_too in [false, true] {
                let block = async |ctx: Far<u32>, ()| -> Result<u32> {
                    assert_eq!(ctx.result().await?, 7);
                    ctx.cancel().await?;
                    if actor_too {
                        child.cancel_actor().await?;
                    }
                    assert_eq!(ctx.outcome().unwrap()?, 7);
                    Ok(ctx.result().await?)
                };
                assert_eq!(child.open_context(return_early(), block).await?, 7);
            }
            Ok(())
        })
        .await
    });
}

/// H3: the far side cancels itself, before its first value or after: raised, and the far side is named.
#[test]
fn a_callee_that_cancels_itself_is_raised() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an
                .start_actor("child", tractor::expose![cancel_self])
                .await?;
            for early in [true, false] {
                let block = async |_: Far<u32>, ()| -> Result<()> { std::future::pending().await };
                let raised = child.open_context(cancel_self(early), block).await;
                match raised.unwrap_err() {
                    Error::Open(OpenError::Call(error)) => {
                        cancelled_by::<(), _>(Err(error), child.id());
                    }
                    other => panic!("{early}: {other}"),
                }
            }
            Ok(())
        })
        .await
    });
}

/// H4, H11: a cancel does not touch the body, which runs on to its next word with the far side; the stream tells of
/// the cancel, a stream opened after it as well, and the block ends without an error.
#[test]
fn after_a_cancel_the_body_runs_on() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let me = tractor::current_actor()?;
            let child = an.start_actor("child", tractor::expose![stay_open]).await?;
            let told = async |ctx: Far<u32>, ()| -> Result<()> {
                let mut stream = ctx.open_stream().await?;
                stream.send(1).await?;
                assert_eq!(stream.next().await?, Some(1));
                stream.ctx().cancel().await?;
                signs::give("on");
                match stream.next().await {
                    Err(Error::Recv(RecvError::Cancelled(cancel))) => {
                        assert_eq!(cancel.canceller, me)
                    }
                    other => panic!("{other:?}"),
                }
                Ok(())
            };
            child.open_context(stay_open("one".into()), told).await?;
            assert!(signs::given("on"));
            let late = async |ctx: Far<u32>, ()| -> Result<()> {
                ctx.cancel().await?;
                match ctx.open_stream().await {
                    Err(Error::Open(OpenError::Call(error))) => {
                        cancelled_by::<(), _>(Err(error), &me)
                    }
                    other => panic!("{other:?}"),
                }
                Ok(())
            };
            child.open_context(stay_open("two".into()), late).await
        })
        .await
    });
}

/// H5: a cancel that nobody acknowledges is too slow after half a second; the body decides what that means to it.
#[test]
fn a_cancel_that_is_not_acknowledged_is_too_slow() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![stay_open, pid]);
            let child = child.await?;
            let process = Pid::from_raw(i32::try_from(child.run(pid()).await?).unwrap()).unwrap();
            let block = async |ctx: Far<u32>, ()| -> Result<()> {
                kill_process(process, Signal::STOP).unwrap();
                let (slow, took) = signs::took(ctx.cancel()).await;
                assert!(matches!(slow, Err(OpenError::TooSlow)), "{slow:?}");
                assert!(took >= Duration::from_millis(500), "{took:?}");
                kill_process(process, Signal::CONT).unwrap();
                Ok(())
            };
            child.open_context(stay_open("far".into()), block).await
        })
        .await
    });
}

/// H7: an error of the body's own, while it deals with a cancel, is what comes out; every other context has been cancelled for
/// it, and their cancels are absorbed.
#[test]
fn an_error_while_a_cancel_is_handled_is_what_comes_out() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let exposed = tractor::expose![stay_open, cancel_self];
            let child = an.start_actor("child", exposed).await?;
            let outer = async |other: Far<u32>, ()| -> std::result::Result<(), AnyError> {
                let inner = async |_: Far<u32>, ()| -> Result<()> { std::future::pending().await };
                let raised = child.open_context(cancel_self(false), inner).await;
                assert!(raised.is_err() && !other.cancel_called());
                Err(missing("handling").into())
            };
            let ended = child.open_context(stay_open("other".into()), outer).await;
            assert_eq!(ended.unwrap_err().text(), "no such thing: handling");
            assert!(signs::given("other.gone"));
            Ok(())
        })
        .await
    });
}

/// H9: another task cancels: whoever reads the stream sees it there, and the block absorbs it.
#[test]
fn a_cancel_from_another_task_is_absorbed_too() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![stay_open]).await?;
            let block = async |ctx: Far<u32>, ()| -> Result<()> {
                let handle = ctx.ctx().clone();
                let mut stream = ctx.open_stream().await?;
                let reading = async {
                    let end = stream.next().await;
                    assert!(
                        matches!(end, Err(Error::Recv(RecvError::Cancelled(_)))),
                        "{end:?}"
                    );
                };
                let cancelling = async {
                    signs::seen("far").await;
                    handle.cancel().await
                };
                futures_util::future::join(reading, cancelling).await.1?;
                Ok(())
            };
            child.open_context(stay_open("far".into()), block).await
        })
        .await
    });
}

/// H10: the far side waits in its stream, the opener for its result: a timeout, then a cancel; the link goes on.
#[test]
fn a_cancel_ends_a_wait_for_a_result_and_nothing_else() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let exposed = tractor::expose![stay_open, double];
            let child = an.start_actor("child", exposed).await?;
            let me = tractor::current_actor()?;
            let block = async |ctx: Far<u32>, ()| -> Result<()> {
                let wait =
                    tractor::move_on_after(Duration::from_millis(50), async |_| ctx.result().await);
                assert!(wait.await.is_none());
                assert!(!ctx.cancel_called(), "only the wait was given up");
                ctx.cancel().await?;
                cancelled_by(ctx.outcome().unwrap(), &me);
                assert_eq!(child.run(double(2)).await?, 4);
                Ok(())
            };
            child.open_context(stay_open("far".into()), block).await
        })
        .await
    });
}

/// H12, H13: two contexts with one actor: cancelled one by one in good order, or both by the end of their actor, which the
/// first canceller is named for.
#[test]
fn contexts_are_cancelled_each_for_itself_or_by_their_actor() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let me = tractor::current_actor()?;
            let child = an.start_actor("child", tractor::expose![stay_open]).await?;
            let good = child.open_context(
                stay_open("a".into()),
                async |a: Far<u32>, ()| -> Result<()> {
                    let inner = async |b: Far<u32>, ()| -> Result<()> {
                        b.cancel().await?;
                        assert!(!a.has_ended());
                        Ok(())
                    };
                    child.open_context(stay_open("b".into()), inner).await?;
                    a.cancel().await?;
                    Ok(())
                },
            );
            good.await?;
            let both = child.open_context(
                stay_open("c".into()),
                async |c: Far<u32>, ()| -> Result<()> {
                    let inner = async |d: Far<u32>, ()| -> Result<()> {
                        child.cancel_actor().await?;
                        cancelled_by(d.outcome().unwrap(), &me);
                        cancelled_by(c.outcome().unwrap(), &me);
                        Ok(())
                    };
                    child.open_context(stay_open("d".into()), inner).await
                },
            );
            assert!(both.await.is_err(), "nobody asked these contexts to end");
            Ok(())
        })
        .await
    });
}

/// A real error of the far side's cleanup says more than that it was cancelled: it is raised, also by who has cancelled it.
#[test]
fn an_error_of_a_cleanup_wins_over_the_cancel() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an
                .start_actor("child", tractor::expose![fail_in_cleanup])
                .await?;
            let block = async |ctx: Far<u32, Missing>, ()| -> Result<()> {
                ctx.cancel().await?;
                let failed = ctx.outcome().unwrap();
                let error = failed.unwrap_err();
                assert!(error.app().unwrap().what.contains("cleanup"), "{error}");
                Ok(())
            };
            let raised = child.open_context(fail_in_cleanup(), block).await;
            assert!(raised.unwrap_err().to_string().contains("cleanup"));
            Ok(())
        })
        .await
    });
}

/// A scope around that is cancelled is the far side's canceller's reason too.
#[test]
fn the_reason_travels() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![stay_open]).await?;
            let ended = tractor::cancel_scope().run(async |scope| {
                let block = async |_: Far<u32>, ()| -> Result<()> {
                    scope.cancel(CancelReason::User);
                    std::future::pending().await
                };
                child.open_context(stay_open("far".into()), block).await
            });
            assert_eq!(ended.await.unwrap_err().reason, CancelReason::User);
            assert!(signs::given("far.gone"));
            Ok(())
        })
        .await
    });
}

/// A scope inside the block that is cut takes its stream along: that is the end of this side's direction, and the dialog
/// goes on.
#[test]
fn a_stream_dropped_by_a_scope_inside_its_block_has_ended() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![stay_open]).await?;
            let block = async |ctx: Far<u32>, ()| -> Result<u32> {
                let handle = ctx.ctx().clone();
                let mut stream = ctx.open_stream().await?;
                let cut = tractor::cancel_scope().run(async move |scope| -> Result<()> {
                    stream.send(1).await?;
                    assert_eq!(stream.next().await?, Some(1));
                    scope.cancel(CancelReason::Requested);
                    stream.next().await?;
                    Ok(())
                });
                assert!(cut.await.is_err());
                Ok(handle.result().await?)
            };
            assert_eq!(child.open_context(stay_open("far".into()), block).await?, 7);
            Ok(())
        })
        .await
    });
}

/// Handles and streams in other tasks find that the block they come from has been dropped, although the far side (it is
/// stopped) owes its end for as long as they wait.
#[test]
fn what_outlives_its_block_is_told() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let me = tractor::current_actor()?;
            let child = an.start_actor("child", tractor::expose![stay_open, pid]);
            let child = child.await?;
            let process = Pid::from_raw(i32::try_from(child.run(pid()).await?).unwrap()).unwrap();
            let (waiting, mut waits) = tokio::sync::mpsc::channel(2);
            let block = async |ctx: Far<u32>, ()| -> Result<()> {
                let handle = ctx.ctx().clone();
                #[expect(clippy::disallowed_methods, reason = "as a user may")]
                let result = tokio::spawn(async move { handle.result().await });
                let mut stream = ctx.open_stream().await?;
                #[expect(clippy::disallowed_methods, reason = "as a user may")]
                let next = tokio::spawn(async move {
                    let next = stream.next().await;
                    (next, stream.next().await, stream.send(1).await)
                });
                kill_process(process, Signal::STOP).unwrap();
                tokio::task::yield_now().await;
                waiting.send((result, next)).await.unwrap();
                std::future::pending().await
            };
            let open = child.open_context(stay_open("far".into()), block);
            let (result, next) = {
                let mut open = std::pin::pin!(open);
                tokio::select! {
                    ended = &mut open => panic!("{ended:?}"),
                    waits = waits.recv() => waits.unwrap(),
                }
            };
            cancelled_by(result.await.unwrap(), &me);
            let (first, second, sent) = next.await.unwrap();
            for read in [first, second] {
                let told = matches!(&read, Err(Error::Recv(RecvError::Cancelled(cancel))) if cancel.canceller == me);
                assert!(told, "{read:?}");
            }
            assert!(sent.is_err());
            kill_process(process, Signal::CONT).unwrap();
            Ok(())
        })
        .await
    });
}

/// Takes all that is streamed, and says that it was all.
#[tractor::context]
async fn take_all(ctx: Context<(), u32, ()>, name: String) -> std::result::Result<(), AnyError> {
    let _gone = OnDrop(format!("{name}.gone"));
    let mut stream = ctx.started(()).await?.open_stream().await?;
    while let Some(value) = stream.next().await? {
        signs::give(&format!("{name}.{value}"));
    }
    signs::give(&format!("{name}.complete"));
    Ok(())
}

/// Panics with its stream in a scope of its own.
#[tractor::context]
async fn break_off(ctx: Context<(), (), u32>) -> std::result::Result<(), AnyError> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    let broken = tractor::move_on_after(Duration::from_secs(60), async move |_| {
        stream.send(1).await.unwrap();
        panic!("in the middle")
    });
    broken.await.unwrap_or(Ok(()))
}

/// Takes its time, in which what was sent before it arrives.
struct Slowly(&'static str);

impl Drop for Slowly {
    fn drop(&mut self) {
        let end = signs::now() + Duration::from_millis(200);
        signs::block_while(|| !signs::given(self.0) && signs::now() < end);
    }
}

/// A stream that goes down with its whole context, if from a scope inside, is not told of as complete, to either side.
#[test]
fn a_stream_that_is_broken_off_is_not_complete() {
    let body = async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let functions = tractor::expose![take_all, break_off];
            let child = an.start_actor("child", functions).await?;
            for (name, panics) in [("panic", true), ("deadline", false)] {
                let block = async |ctx: OpenedContext<(), u32, (), AnyError>, ()| -> Result<()> {
                    let _later = Slowly("panic.complete");
                    let inner = tractor::fail_after(Duration::from_millis(200), async |_| {
                        let mut stream = ctx.open_stream().await?;
                        stream.send(1).await?;
                        signs::seen(&format!("{name}.1")).await;
                        assert!(!panics, "in the middle");
                        std::future::pending::<Result<()>>().await
                    });
                    inner.await
                };
                let open = child.open_context(take_all(name.into()), block);
                let open = std::panic::AssertUnwindSafe(open);
                let ended = futures_util::FutureExt::catch_unwind(open).await;
                assert_eq!(ended.is_err(), panics, "{ended:?}");
                assert!(ended.is_err() || ended.unwrap().is_err());
                signs::seen(&format!("{name}.gone")).await;
                assert!(!signs::given(&format!("{name}.complete")), "{name}");
            }
            let block = async |ctx: OpenedContext<u32, (), (), AnyError>, ()| -> Result<()> {
                let mut stream = ctx.open_stream().await?;
                assert_eq!(stream.next().await?, Some(1));
                let end = stream.next().await;
                assert!(end.is_err(), "{end:?}");
                Ok(())
            };
            let broken = child.open_context(break_off(), block).await;
            assert!(broken.unwrap_err().to_string().contains("in the middle"));
            Ok(())
        })
        .await
    };
    // Elsewhere than here, what was sent goes out while something is being dropped.
    let case = Case::new(this_test!()).flavor(Flavor::MultiThread);
    case.run(body, ends_well);
}
