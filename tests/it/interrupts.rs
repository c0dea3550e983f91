//! Signals that ask a root to end, sent to its process from outside.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use tractor::prelude::*;
use tractor::{CancelReason, Error, OneWay, OpenedContext, Result, cancel_scope};
use tractor_core::testing::{Case, Running, pause, say};
use tractor_core::this_test;

use crate::actors::{block, stay};
use crate::signs::{self, OnDrop};

/// Ends when it likes to: not before it has been killed.
struct Stubborn;

#[tractor::actor]
impl Stubborn {
    #[init]
    fn new() -> Self {
        Self
    }

    fn hear(&mut self) {}

    #[on_stop]
    async fn stop(&mut self) {
        signs::give("stopping");
        std::future::pending().await
    }
}

fn by_the_user(ended: Result<()>) {
    match ended {
        Err(Error::Cancelled(cancel)) => {
            assert_eq!(cancel.reason, CancelReason::User);
            assert_eq!(cancel.canceller.name(), "root");
        }
        other => panic!("{other:?}"),
    }
}

fn interrupt(running: &Running, signal: Signal) {
    kill_process(running.pid(), signal).unwrap();
}

/// B11: children sleep, one of them deaf, and Ctrl-C comes: all have been ended and reaped when the nursery tells of it.
#[test]
fn an_interrupt_cancels_the_tree() {
    cancels_the_tree(Case::new(this_test!()), Signal::INT);
}

/// The same by SIGTERM.
#[test]
fn a_termination_cancels_the_tree() {
    cancels_the_tree(Case::new(this_test!()), Signal::TERM);
}

fn cancels_the_tree(case: Case, signal: Signal) {
    case.run(
        async || {
            let ended = open_nursery(async |an| -> Result<()> {
                let sleeper = an.start_actor("sleeper", tractor::expose![stay]).await?;
                an.start_soon(async move { Ok(sleeper.run(stay("asleep".into())).await?) });
                let deaf = an.start_actor("deaf", tractor::expose![block]).await?;
                an.start_soon(async move { Ok(deaf.run(block("deaf".into())).await?) });
                signs::seen("asleep").await;
                signs::seen("deaf").await;
                say("ready");
                std::future::pending().await
            });
            by_the_user(ended.await);
            assert!(signs::given("asleep.gone"));
            assert_eq!(tractor_core::node::reaper::unreaped(), 0);
        },
        |running| {
            assert_eq!(running.hear(), "ready");
            interrupt(running, signal);
            assert!(running.wait().success());
        },
    );
}

/// B12: a signal reaches a block two nurseries down, whatever task it waits in.
#[test]
fn a_signal_reaches_nested_blocks_and_other_tasks() {
    Case::new(this_test!()).run(
        async || {
            let ended = open_nursery(async |an| -> Result<()> {
                an.start_soon(async {
                    open_nursery(async |inner| -> Result<()> {
                        inner.run_in_actor(stay("inner".into())).start().await?;
                        std::future::pending().await
                    })
                    .await
                });
                an.run_in_actor(stay("outer".into())).start().await?;
                signs::seen("inner").await;
                signs::seen("outer").await;
                say("ready");
                std::future::pending().await
            });
            by_the_user(ended.await);
            assert!(signs::given("inner.gone") && signs::given("outer.gone"));
        },
        |running| {
            assert_eq!(running.hear(), "ready");
            interrupt(running, Signal::INT);
            assert!(running.wait().success());
        },
    );
}

/// A tree that does not end before it has been killed; says when it is there, and when it has been asked to end.
async fn a_stubborn_tree() {
    let ended = open_nursery(async |an| -> Result<()> {
        let stubborn = an.start_actor("stubborn", Stubborn::spec()).await?;
        stubborn.hear().await?;
        say("ready");
        tractor::finally(std::future::pending::<()>(), async |_| {
            signs::seen("stopping").await;
            say("stopping");
        })
        .await?;
        Ok(())
    });
    by_the_user(ended.await);
}

/// A second signal does not wait for who was asked by the first.
#[test]
fn a_second_signal_kills() {
    Case::new(this_test!()).run(a_stubborn_tree, |running| {
        assert_eq!(running.hear(), "ready");
        interrupt(running, Signal::INT);
        let asked = signs::now();
        assert_eq!(running.hear(), "stopping");
        interrupt(running, Signal::INT);
        assert!(running.wait().success());
        // The ladder alone takes 1.6 s for it.
        assert!(
            asked.elapsed() < Duration::from_millis(1500),
            "{:?}",
            asked.elapsed()
        );
    });
}

/// A root whose executor is blocked cannot end in order: whoever asks three times ends it, and nothing is left.
#[test]
fn a_blocked_root_is_left_by_the_third_signal() {
    Case::new(this_test!()).run(
        async || {
            let blocked = open_nursery(async |an| -> Result<()> {
                an.run_in_actor(stay("there".into())).start().await?;
                signs::seen("there").await;
                say("ready");
                loop {
                    std::thread::park();
                }
            });
            blocked.await
        },
        |running| {
            assert_eq!(running.hear(), "ready");
            for _ in 0..3 {
                interrupt(running, Signal::INT);
                // Each is heard by itself.
                signs::block_for(Duration::from_millis(50));
            }
            assert_eq!(running.wait().signal(), Some(Signal::INT.as_raw()));
        },
    );
}

/// A tree that has ended, and a program that goes on without one.
async fn without_a_tree() {
    let one = open_nursery(async |an| -> Result<()> {
        an.run_in_actor(stay("one".into())).start().await?;
        signs::seen("one").await;
        an.cancel().await;
        Ok(())
    });
    one.await.unwrap();
    say("ready");
    pause();
}

/// Where there is no tree, a signal does what it does to every program.
#[test]
fn a_signal_beside_a_tree_is_the_systems() {
    Case::new(this_test!()).run(without_a_tree, |running| {
        assert_eq!(running.hear(), "ready");
        interrupt(running, Signal::INT);
        assert_eq!(running.wait().signal(), Some(Signal::INT.as_raw()));
    });
}

/// A signal that a program was started to ignore stays ignored.
#[test]
fn an_ignored_signal_stays_ignored() {
    let case = Case::new(this_test!()).wrap("trap '' INT; exec \"$@\"");
    case.run(without_a_tree, |running| {
        assert_eq!(running.hear(), "ready");
        interrupt(running, Signal::INT);
        running.go_on();
        assert!(running.wait().success());
    });
}

/// A shield around cleanup holds against a signal too; a root that comes after starts anew.
#[test]
fn a_shield_holds_against_a_signal() {
    Case::new(this_test!()).run(
        async || {
            let shield = cancel_scope().shield().within(Duration::from_secs(10));
            let ended = open_nursery(async |_| -> Result<()> {
                let held = shield.run(async |_| {
                    say("ready");
                    pause();
                    signs::give("held");
                });
                held.await?;
                tractor::checkpoint().await?;
                Ok(())
            });
            by_the_user(ended.await);
            assert!(signs::given("held"));
            let next = open_nursery(async |_| -> Result<_> { Ok(tractor::checkpoint().await?) });
            next.await.unwrap();
        },
        |running| {
            assert_eq!(running.hear(), "ready");
            interrupt(running, Signal::INT);
            signs::block_for(Duration::from_millis(50));
            running.go_on();
            assert!(running.wait().success());
        },
    );
}

/// A root that begins after a killed one has nothing to do with the signals that were the other's, nor with their time.
#[test]
fn a_root_after_a_killed_one_is_not_its_successor() {
    Case::new(this_test!()).run(
        async || {
            a_stubborn_tree().await;
            let next = open_nursery(async |_| -> Result<_> {
                // Longer than a root that was killed has to leave.
                Ok(tractor::sleep(Duration::from_millis(1500)).await?)
            });
            next.await.unwrap();
        },
        |running| {
            assert_eq!(running.hear(), "ready");
            interrupt(running, Signal::INT);
            assert_eq!(running.hear(), "stopping");
            interrupt(running, Signal::INT);
            assert!(running.wait().success());
        },
    );
}

/// Streams both ways, until it is cancelled.
#[tractor::context]
async fn echo(ctx: Context<(), u64, u64>) -> Result<()> {
    let _gone = OnDrop("echo.gone".into());
    let mut stream = ctx.started(()).await?.open_stream().await?;
    while let Some(value) = stream.next().await? {
        stream.send(value).await?;
    }
    Ok(())
}

/// Streams for ever.
struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[stream]
    fn count(&self) -> impl futures_util::Stream<Item = u64> {
        futures_util::stream::iter(0..)
    }

    #[on_stop]
    fn stop(&mut self) {
        signs::give("counter.stopped");
    }
}

/// I11, I15: Ctrl-C while streams of both kinds are open and flowing: the whole tree ends in its time, in order.
#[test]
fn an_interrupt_ends_open_streams() {
    Case::new(this_test!()).run(
        async || {
            let ended = open_nursery(async |an| -> Result<()> {
                let far = an.start_actor("far", tractor::expose![echo]).await?;
                let counter = an.start_actor("counter", Counter::spec()).await?;
                an.start_soon(async move {
                    let block = async |mut stream: OneWay<u64>| -> Result<()> {
                        while stream.next().await?.is_some() {}
                        Ok(())
                    };
                    counter.count().open(block).await
                });
                let block = async |ctx: OpenedContext<u64, u64, (), Error>, ()| -> Result<()> {
                    let mut stream = ctx.open_stream().await?;
                    for value in 0.. {
                        stream.send(value).await?;
                        assert_eq!(stream.next().await?, Some(value));
                        if value == 1000 {
                            say("flowing");
                        }
                    }
                    Ok(())
                };
                far.open_context(echo(), block).await
            });
            by_the_user(ended.await);
            assert!(signs::given("echo.gone") && signs::given("counter.stopped"));
        },
        |running| {
            assert_eq!(running.hear(), "flowing");
            let asked = signs::now();
            interrupt(running, Signal::INT);
            assert!(running.wait().success());
            let took = asked.elapsed();
            assert!(took < Duration::from_secs(2), "{took:?}");
        },
    );
}
