//! The invariants of the runtime, each seen from outside.

use std::path::PathBuf;
use std::pin::pin;

use futures_util::FutureExt;
use futures_util::future::{Either, join, join_all, select};
use tokio::sync::oneshot;
use tractor::prelude::*;
use tractor::{Error, OpenError, RemoteErrorKind, Result, SendError, Statistics};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::{Daemon, Missing, double, fail, missing, pid, stay};
use crate::signs::{self, OnDrop};

/// Writes down what reaches it.
struct Log {
    lines: Vec<String>,
    count: u64,
}

#[tractor::actor]
impl Log {
    #[init]
    fn new() -> Self {
        let (lines, count) = (Vec::new(), 0);
        Self { lines, count }
    }

    fn note(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Has the state for itself until it is told to go on.
    async fn hold(&mut self, name: String) {
        signs::give(&name);
        signs::seen(&format!("{name}.go")).await;
        self.note(name);
    }

    #[cast]
    fn jot(&mut self, line: String) {
        self.lines.push(line);
    }

    #[cast]
    fn count(&mut self) {
        self.count += 1;
    }

    fn counted(&self) -> u64 {
        self.count
    }

    fn lines(&self) -> Vec<String> {
        self.lines.clone()
    }

    async fn look_on(&self, name: String) {
        let _gone = OnDrop(format!("{name}.gone"));
        signs::give(&name);
        std::future::pending().await
    }

    async fn look_on_and_panic(&self, name: String) {
        signs::seen(&name).await;
        panic!("{name}");
    }
}

#[tractor::rpc]
async fn panic_with(text: String) {
    panic!("{text}");
}

#[tractor::rpc]
async fn statistics() -> Result<Statistics> {
    tractor::statistics()
}

#[tractor::context]
async fn echo(ctx: Context<(), u64, u64>) -> Result<()> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    while let Some(value) = stream.next().await? {
        stream.send(value).await?;
    }
    Ok(())
}

/// Hears nothing until it is let go.
#[tractor::context]
async fn hear_nothing(ctx: Context<(), (), ()>) {
    let _begun = ctx.started(()).await;
    signs::seen("begun").await;
    signs::give("deaf");
    signs::block_on("let go");
}

/// Polls it once: it takes its place, or is sent.
fn begin<F: Future + Unpin>(work: &mut F) {
    assert!(work.now_or_never().is_none(), "it has nothing to wait for");
}

fn lives(pid: u32) -> bool {
    PathBuf::from(format!("/proc/{pid}")).exists()
}

/// PRT-1: what is not polled is not sent, and what is polled takes its place by that, not by when it was made.
#[test]
fn nothing_is_sent_before_the_first_poll() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Log::spec().expose(tractor::expose![stay, echo]);
            let log = an.start_actor("log", spec).await?;
            let mut first = log.note("first".into()).into_future();
            let second = log.note("second".into()).into_future();
            let mut third = log.note("third".into()).into_future();
            let cast = log.jot("cast".into());
            let run = log.run(stay("run".into())).into_future();
            let block = async |_, ()| -> Result<()> { Ok(()) };
            let context = log.open_context(echo(), block);
            assert_eq!(tractor::statistics()?.opened, 0);
            begin(&mut third);
            begin(&mut first);
            assert_eq!(tractor::statistics()?.opened, 2);
            first.await?;
            third.await?;
            drop((second, cast, run, context));
            assert_eq!(log.lines().await?, ["third", "first"]);
            assert!(!signs::given("run"));
            let own = tractor::statistics()?;
            assert_eq!((own.opened, own.unsent), (0, 0));
            Ok(())
        })
        .await
    });
}

/// PRT-2: of a hundred calls to a busy actor none begins once its caller has left: neither those that wait here for
/// room, nor those that wait there for their turn. One that has begun is dropped where it is.
#[test]
fn a_call_that_is_dropped_is_taken_back_or_cancelled() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Log::spec().expose(tractor::expose![statistics]);
            let log = an.start_actor("log", spec).await?;

            let mut running = log.look_on("running".into()).into_future();
            begin(&mut running);
            signs::seen("running").await;
            drop(running);
            signs::seen("running.gone").await;

            let mut holding = log.hold("holding".into()).into_future();
            begin(&mut holding);
            signs::seen("holding").await;
            let mut calls = Vec::new();
            for n in 0..100 {
                let mut call = log.note(format!("{n}")).into_future();
                begin(&mut call);
                calls.push(call);
            }
            let waiting = tractor::statistics()?.queued_calls;
            assert!(waiting > 0 && waiting < 100, "{waiting}");
            let mut cast = log.jot("cast".into());
            begin(&mut cast);
            assert_eq!(tractor::statistics()?.queued_casts, 1);
            // The last first, so that none of them gets a place by another's leaving.
            drop(cast);
            while let Some(call) = calls.pop() {
                drop(call);
            }
            let own = tractor::statistics()?;
            assert_eq!((own.queued_calls, own.queued_casts), (0, 0));
            assert!(own.unsent > waiting as u64, "{own:?}");
            let mut after = log.note("after".into()).into_future();
            begin(&mut after);
            signs::give("holding.go");
            holding.await?;
            after.await?;
            assert_eq!(log.lines().await?, ["holding", "after"]);
            signs::until(|| tractor::statistics().is_ok_and(|own| own.opened == 0)).await;
            let there = log.run(statistics()).await?;
            assert_eq!((there.opened, there.served), (0, 1));
            Ok(())
        })
        .await
    });
}

/// CTX-1: a far side that hears nothing is waited for so long, and then the wait is an error; the block ends.
#[test]
fn a_cancelled_context_ends_in_bounded_time() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![hear_nothing]);
            let child = child.await?;
            let block = async |ctx: tractor::OpenedContext<(), (), (), tractor::Never>, ()| {
                signs::give("begun");
                signs::seen("deaf").await;
                let cancelled = ctx.cancel().await;
                assert!(
                    matches!(cancelled, Err(OpenError::TooSlow)),
                    "{cancelled:?}"
                );
                assert!(!ctx.has_ended());
                signs::give("let go");
                Ok::<_, Error>(())
            };
            child.open_context(hear_nothing(), block).await
        })
        .await
    });
}

/// NODE-1: every task there is on the runtime is one of the node's, and none of them is left behind its root.
#[test]
fn no_task_is_left_behind_its_root() {
    case(this_test!(), async || -> Result<_> {
        let metrics = tokio::runtime::Handle::current().metrics();
        let before = metrics.num_alive_tasks();
        let block = async |root: tractor::Root| -> Result<_> {
            open_nursery(async |an| -> Result<_> {
                let child = an.start_actor("child", tractor::expose![echo, double]);
                let child = child.await?;
                let shot = an.run_in_actor(stay("there".into())).start().await?;
                let block = async |ctx: tractor::OpenedContext<u64, u64, (), Error>, ()| {
                    let mut stream = ctx.open_stream().await?;
                    stream.send(1).await?;
                    assert_eq!(stream.next().await?, Some(1));
                    assert_eq!(child.run(double(1)).await?, 2);
                    let tasks = root.statistics().tasks;
                    assert!(tasks > 0);
                    assert_eq!(metrics.num_alive_tasks() - before, tasks);
                    Ok::<_, Error>(())
                };
                child.open_context(echo(), block).await?;
                an.cancel().await;
                drop(shot);
                Ok(())
            })
            .await
        };
        tractor::root().run(block).await?;
        assert_eq!(metrics.num_alive_tasks(), before);
        Ok(())
    });
}

/// NODE-2: what a busy method keeps waiting is who sends to its actor; the link goes on: functions while there is room for
/// them, and whatever is open with its credit, ends and cancels.
#[test]
fn a_busy_actor_does_not_hold_its_link() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Log::spec().expose(tractor::expose![double, echo, stay]);
            let log = &an.start_actor("log", spec).await?;
            let mut holding = log.hold("holding".into()).into_future();
            begin(&mut holding);
            signs::seen("holding").await;

            assert_eq!(log.run(double(2)).await?, 4);
            let mut staying = log.run(stay("staying".into())).into_future();
            begin(&mut staying);
            signs::seen("staying").await;
            let block = async |ctx: tractor::OpenedContext<u64, u64, (), Error>, ()| {
                let mut stream = ctx.open_stream().await?;
                let mut sent = 0;
                let full = loop {
                    match log.count().try_send() {
                        Ok(()) => sent += 1,
                        Err(error) => break error,
                    }
                };
                assert!(matches!(full, SendError::Full), "{full}");
                assert!(sent <= 64, "{sent}");
                let mut flood = Box::pin(async move {
                    for _ in sent..10_000 {
                        log.count().await?;
                    }
                    Ok::<_, Error>(())
                });
                begin(&mut flood);
                assert_eq!(tractor::statistics()?.queued_casts, 1);
                for value in 0..1_000 {
                    stream.send(value).await?;
                    assert_eq!(stream.next().await?, Some(value));
                }
                begin(&mut flood);
                Ok::<_, Error>(flood)
            };
            let flood = log.open_context(echo(), block).await?;
            drop(staying);
            signs::seen("staying.gone").await;
            assert_eq!(tractor::statistics()?.queued_casts, 1);
            signs::give("holding.go");
            holding.await?;
            flood.await?;
            assert_eq!(log.counted().await?, 10_000);
            Ok(())
        })
        .await
    });
}

/// Has one of its own below it.
#[tractor::rpc]
async fn stay_above(name: String) -> Result<()> {
    open_nursery(async |an| -> Result<_> {
        let below = an.start_actor("below", tractor::expose![pid, stay]).await?;
        signs::give(&format!("{name}.{}", below.run(pid()).await?));
        below.run(stay(name)).await?;
        Ok(())
    })
    .await
}

/// NUR-1: however a nursery ends, nobody of it is there any more, nor of those below.
#[test]
fn a_nursery_that_has_ended_has_nobody_left() {
    case(this_test!(), async || {
        let block = async |root: tractor::Root| -> Result<_> {
            for way in ["returned", "failed", "cancelled", "child failed"] {
                let mut pids = Vec::new();
                let result = open_nursery(async |an| -> Result<_> {
                    for name in ["a", "b"] {
                        let exposed = tractor::expose![pid];
                        let spec = Daemon::spec(format!("{way}.{name}")).expose(exposed);
                        pids.push(an.start_actor(name, spec).await?.run(pid()).await?);
                    }
                    if way == "returned" {
                        return Ok(());
                    }
                    let above = an.run_in_actor(stay_above(way.into())).start().await?;
                    signs::seen(way).await;
                    pids.push(pid_below(way));
                    drop(above);
                    match way {
                        "failed" => return Err(Error::app(missing(way))),
                        "cancelled" => an.cancel().await,
                        _ => {
                            an.run_in_actor(fail(way.into())).start().await?;
                            an.wait().await;
                        }
                    }
                    Ok(())
                });
                assert_eq!(result.await.is_err(), way.contains("failed"), "{way}");
                assert_eq!(root.statistics().unreaped, 0, "{way}");
                assert!(pids.len() >= 2);
                assert!(!pids.into_iter().any(lives), "{way}");
            }
            Ok(())
        };
        tractor::root().run(block).await
    });
}

/// The pid given as the rest of a sign.
fn pid_below(name: &str) -> u32 {
    let prefix = format!("{name}.");
    let signs = std::fs::read_dir(std::env::temp_dir()).unwrap();
    let names = signs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pids = names.filter_map(|name| name.strip_prefix(&prefix)?.parse().ok());
    pids.next().unwrap()
}

/// NUR-2: a nursery that is dropped where it stands takes its actors along, the one that is being started too; the root
/// does not end before they have.
#[test]
fn a_nursery_dropped_from_outside_loses_nobody() {
    case(this_test!(), async || {
        let mut pids = Vec::new();
        let block = async |root: tractor::Root| -> Result<_> {
            let nursery = open_nursery(async |an| -> Result<()> {
                let exposed = tractor::expose![pid, stay];
                let daemon = an.start_actor("a", exposed).await?;
                pids.push(daemon.run(pid()).await?);
                daemon.run(stay("a".into())).await?;
                Ok(())
            });
            match select(pin!(nursery), pin!(signs::seen("a"))).await {
                Either::Left((ended, _)) => panic!("{ended:?}"),
                Either::Right(((), nursery)) => assert_eq!(pending(nursery), None),
            }
            let starting = open_nursery(async |an| -> Result<()> {
                let daemon = Daemon::spec("b".into());
                an.start_actor("b", daemon).await?;
                std::future::pending().await
            });
            {
                let mut starting = pin!(starting);
                begin(&mut starting);
            }
            assert!(root.statistics().nurseries == 0 && root.statistics().tasks > 0);
            Ok(())
        };
        tractor::root().run(block).await.unwrap();
        assert!(signs::given("a.gone"));
        assert!(pids.len() == 1 && !pids.into_iter().any(lives));
    });
}

/// What a future that was not ready has to say.
fn pending<T>(_dropped: impl Future<Output = T>) -> Option<()> {
    None
}

/// RPC-1: returned, failed, panicked, cancelled: each request has the one answer that is its own, and nothing is left.
#[test]
fn every_request_has_one_answer() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let exposed = tractor::expose![double, fail, panic_with, stay, statistics];
            let child = &an.start_actor("child", exposed).await?;
            let rounds = (0..20).map(|n| async move {
                assert_eq!(child.run(double(n)).await?, 2 * n);
                match child.run(fail(format!("{n}"))).await {
                    Err(CallError::App { error, .. }) => {
                        assert_eq!(error, missing(&format!("{n}")))
                    }
                    other => panic!("{other:?}"),
                }
                match child.run(panic_with(format!("no {n}"))).await {
                    Err(CallError::Panicked(error)) => {
                        assert_eq!(error.message(), format!("no {n}"));
                    }
                    other => panic!("{other:?}"),
                }
                let mut staying = child.run(stay(format!("{n}"))).into_future();
                begin(&mut staying);
                signs::seen(&format!("{n}")).await;
                drop(staying);
                signs::seen(&format!("{n}.gone")).await;
                Ok::<_, Error>(())
            });
            for round in join_all(rounds).await {
                round?;
            }
            signs::until(|| tractor::statistics().is_ok_and(|own| own.opened == 0)).await;
            let there = child.run(statistics()).await?;
            assert_eq!((there.opened, there.served, there.broken), (0, 1, 0));
            let own = tractor::statistics()?;
            assert_eq!((own.opened, own.late, own.broken), (0, 0, 0));
            Ok(())
        })
        .await
    });
}

/// RPC-1: a crash answers all of an actor's callers: who caused it by the panic, who was running or waiting by the loss,
/// which names the panic.
#[test]
fn a_crash_answers_everybody() {
    case(this_test!(), async || {
        open_nursery(async |_| -> Result<_> {
            let (tell, told) = oneshot::channel();
            let living = open_nursery(async |an| -> Result<_> {
                drop(tell.send(an.start_actor("log", Log::spec()).await?));
                an.wait().await;
                Ok(())
            });
            let calling = async {
                let log: LogPortal = told.await.unwrap();
                let mut running = log.look_on("running".into()).into_future();
                let mut panicking = log.look_on_and_panic("now".into()).into_future();
                let mut queued = log.note("never".into()).into_future();
                begin(&mut running);
                begin(&mut panicking);
                begin(&mut queued);
                signs::seen("running").await;
                signs::give("now");
                match panicking.await {
                    Err(CallError::Panicked(error)) => assert_eq!(error.message(), "now"),
                    other => panic!("{other:?}"),
                }
                for other in [running.await, queued.await] {
                    match other {
                        Err(CallError::Lost(error)) => {
                            assert_eq!(error.origin(), log.id());
                            assert!(error.to_string().contains("now"), "{error}");
                        }
                        other => panic!("{other:?}"),
                    }
                }
                // And whoever comes too late.
                signs::until(|| tractor::statistics().is_ok_and(|own| own.links == 0)).await;
                match log.lines().await {
                    Err(CallError::Lost(error)) => {
                        assert!(error.to_string().contains("now"), "{error}");
                    }
                    other => panic!("{other:?}"),
                }
            };
            let (lived, ()) = join(living, calling).await;
            let error = lived.unwrap_err();
            assert_eq!(*error.remote().unwrap().kind(), RemoteErrorKind::Panic);
            assert_eq!(error.remote().unwrap().downcast::<Missing>(), None);
            assert_eq!(tractor::statistics()?.opened, 0);
            Ok(())
        })
        .await
    });
}
