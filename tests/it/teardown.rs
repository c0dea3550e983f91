//! Ending actors: three verbs, and the ladder they are places on.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tractor::prelude::*;
use tractor::{EndError, Error, Ladder, RemoteErrorKind, Result};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::{Daemon, block, pid, stay};
use crate::signs::{self, OnDrop, took};

/// Leaves when it likes to.
struct Slow;

#[tractor::actor]
impl Slow {
    #[init]
    fn new() -> Self {
        Self
    }

    fn pid(&mut self) -> u32 {
        std::process::id()
    }

    /// Works for a while, then says so.
    async fn work(&mut self, name: String) {
        signs::give(&format!("{name}.begun"));
        signs::seen(&format!("{name}.go")).await;
        signs::give(&name);
    }

    /// Says when the actor is being stopped, and ends by that.
    #[context(drain)]
    async fn wind_down(
        _me: Me<Self>,
        ctx: Context<(), (), ()>,
    ) -> std::result::Result<u32, AnyError> {
        let ctx = ctx.started(()).await?;
        ctx.ctx().stopping().await;
        signs::give("winding down");
        Ok(7)
    }

    /// Takes one value, and no more.
    #[context]
    async fn take_in(
        _me: Me<Self>,
        ctx: Context<(), Vec<u8>, ()>,
    ) -> std::result::Result<(), AnyError> {
        let _stream = ctx.started(()).await?.open_stream().await?;
        std::future::pending().await
    }

    /// Where it is told to, blocks its thread for good: the actor has accepted its cancel and does not end. Otherwise, where
    /// it is told that, cleans up for as long as it is let.
    #[on_stop]
    async fn stop(&mut self) {
        if signs::given("stubborn") {
            signs::give("stopping");
            loop {
                std::thread::park();
            }
        }
        if signs::given("tidy") {
            signs::give("tidying");
            let _gone = OnDrop("tidied".into());
            std::future::pending().await
        }
    }
}

#[tractor::rpc]
async fn end(whom: SlowPortal) -> String {
    whom.cancel_actor().await.unwrap_err().to_string()
}

/// Below it, a leaf that hears nothing; ends its nursery when it is cancelled.
#[tractor::rpc]
async fn above_a_deaf_one(depth: u32) -> Result<()> {
    open_nursery(async |an| -> Result<()> {
        match depth {
            0 => {
                let deaf = an.start_actor("deaf", tractor::expose![block]).await?;
                deaf.run(block(format!("deaf.{}", std::process::id())))
                    .await?;
            }
            _ => {
                for name in ["left", "right"] {
                    let shot = an.run_in_actor(above_a_deaf_one(depth - 1));
                    shot.name(name).start().await?;
                }
            }
        }
        Ok(())
    })
    .await
}

fn lives(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

fn process(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// D1: a cancel returns once the actor and all below it have ended and been reaped, and is no failure; the others go on.
#[test]
fn a_cancelled_actor_has_ended_when_its_cancel_returns() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let daemon = an
                .start_actor("daemon", Daemon::spec("daemon".into()))
                .await?;
            let other = an.start_actor("other", tractor::expose![pid, stay]).await?;
            let gone = other.run(pid()).await?;
            let calling = other.run(stay("called".into()));
            let cancelling = async {
                signs::seen("called").await;
                took(other.cancel_actor()).await
            };
            let (called, (cancelled, took)) =
                futures_util::future::join(calling.into_future(), cancelling).await;
            cancelled?;
            assert!(took < Duration::from_millis(1500), "{took:?}");
            assert!(matches!(called, Err(CallError::Cancelled(_))), "{called:?}");
            assert!(signs::given("called.gone") && !lives(gone));
            // Again: it has ended.
            other.cancel_actor().await?;
            assert_eq!(daemon.serve().await?, 1);
            Ok(())
        })
        .await
    });
}

/// D2, D4: who does not answer is told of as too slow after half a second; the nursery terminates it, kills it (it is stopped:
/// nothing less helps) and has no failure of it.
#[test]
fn an_actor_that_does_not_answer_is_too_slow_and_ended_all_the_same() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let slow = an.start_actor("slow", Slow::spec()).await?;
            let gone = slow.pid().await?;
            kill_process(process(gone), Signal::STOP).unwrap();
            let (ended, took) = took(slow.cancel_actor()).await;
            assert!(
                matches!(&ended, Err(EndError::TooSlow { actor }) if actor == slow.id()),
                "{ended:?}"
            );
            assert!(took >= Duration::from_millis(500), "{took:?}");
            an.wait().await;
            assert!(!lives(gone));
            Ok(())
        })
        .await
    });
}

/// D3: one that accepts and then does not end is too slow as well, when the time it had is up, and is terminated.
#[test]
fn an_actor_that_accepts_and_stays_is_too_slow() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let ladder = Ladder {
                cap: Duration::from_millis(300),
                ..Ladder::default()
            };
            let slow = an.start_actor("slow", Slow::spec()).ladder(ladder).await?;
            let gone = slow.pid().await?;
            signs::give("stubborn");
            let (ended, took) = took(slow.cancel_actor()).await;
            assert!(matches!(ended, Err(EndError::TooSlow { .. })), "{ended:?}");
            assert!(signs::given("stopping"));
            // What its ladder leaves it, and not what is usual.
            assert!(took < Duration::from_millis(1500), "{took:?}");
            an.wait().await;
            assert!(!lives(gone));
            Ok(())
        })
        .await
    });
}

/// D7: a cancel behind a link that takes nothing any more is too slow in its own time, and does not wait for the link.
#[test]
fn a_cancel_does_not_wait_for_a_link_that_is_full() {
    case(this_test!(), async || {
        let ended = open_nursery(async |an| -> Result<()> {
            let slow = an.start_actor("slow", Slow::spec()).await?;
            let gone = slow.pid().await?;
            slow.take_in()
                .open(async |ctx, ()| -> Result<()> {
                    let mut stream = ctx.open_stream().await?;
                    kill_process(process(gone), Signal::STOP).unwrap();
                    let full = tractor::move_on_after(Duration::from_millis(300), async |_| {
                        loop {
                            stream.send(vec![0; 60_000]).await?;
                        }
                        #[expect(unreachable_code, reason = "names the type of the block")]
                        Result::<()>::Ok(())
                    });
                    assert!(full.await.is_none(), "there is no room");
                    let (ended, took) = took(slow.cancel_actor()).await;
                    assert!(matches!(ended, Err(EndError::TooSlow { .. })), "{ended:?}");
                    assert!(took < Duration::from_millis(1500), "{took:?}");
                    Ok(())
                })
                .await
        });
        // What the context is told of, when the actor has been killed.
        assert!(ended.await.is_err());
    });
}

/// What is left of an actor's ladder travels to it: it is done with its own end in that, and not in what is usual.
#[test]
fn an_actor_fits_its_end_into_the_time_it_is_given() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let ladder = Ladder {
                cap: Duration::from_millis(400),
                ..Ladder::default()
            };
            let slow = an.start_actor("slow", Slow::spec()).ladder(ladder).await?;
            slow.pid().await?;
            signs::give("tidy");
            slow.cancel_actor().await?;
            assert!(
                signs::given("tidied"),
                "its cleanup was cut, and not its process"
            );
            Ok(())
        })
        .await
    });
}

/// D6: a second cancel, and a stop behind it, change nothing; and a kill does not wait for what was asked before.
#[test]
fn verbs_only_lead_further_down() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let slow = an.start_actor("slow", Slow::spec()).await?;
            signs::give("stubborn");
            let first = slow.cancel_actor();
            let killing = async {
                signs::seen("stopping").await;
                let again = futures_util::FutureExt::now_or_never(slow.stop());
                assert!(again.is_none(), "it has not ended");
                took(slow.kill()).await
            };
            let (first, (killed, took)) = futures_util::future::join(first, killing).await;
            killed?;
            assert!(took < Duration::from_millis(1000), "{took:?}");
            assert!(matches!(first, Err(EndError::TooSlow { .. })), "{first:?}");
            Ok(())
        })
        .await
    });
}

/// A stop lets what is queued and running finish, a context that drains among it, and takes nothing new.
#[test]
fn a_stop_finishes_what_there_is() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let slow = an.start_actor("slow", Slow::spec()).await?;
            let one = slow.work("one".into()).into_future();
            let two = slow.work("two".into()).into_future();
            let winding = slow.wind_down().open(async |ctx, ()| -> Result<u32> {
                signs::give("wound");
                Ok(ctx.result().await?)
            });
            let stopping = async {
                signs::seen("one.begun").await;
                signs::seen("wound").await;
                let stop = slow.stop();
                let late = async {
                    signs::seen("winding down").await;
                    let late = slow.work("late".into()).await;
                    assert!(matches!(late, Err(CallError::Stopping(_))), "{late:?}");
                    signs::give("one.go");
                    signs::give("two.go");
                };
                futures_util::future::join(stop, late).await.0
            };
            let (calls, wound, stopped) = futures_util::future::join3(
                futures_util::future::join(one, two),
                winding,
                stopping,
            )
            .await;
            stopped?;
            calls.0?;
            calls.1?;
            assert_eq!(wound?, 7);
            assert!(signs::given("one") && signs::given("two") && !signs::given("late.begun"));
            Ok(())
        })
        .await
    });
}

/// B15: a nursery that kills does not ask: who would say goodbye does not.
#[test]
fn a_nursery_can_kill_without_asking() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let daemon = an
                .start_actor("daemon", Daemon::spec("daemon".into()))
                .await?;
            let deaf = an.start_actor("deaf", tractor::expose![block]).await?;
            an.start_soon(async move {
                let _killed = deaf.run(block("deaf".into())).await;
                Ok(())
            });
            signs::seen("deaf").await;
            let ((), took) = took(an.kill()).await;
            assert!(
                took < Duration::from_millis(450),
                "nobody was asked: {took:?}"
            );
            assert!(!signs::given("daemon.stopped"));
            assert!(matches!(daemon.serve().await, Err(CallError::Lost(_))));
            Ok(())
        })
        .await
    });
}

/// Who has not started an actor may not end it, and is told so: a child its parent, an actor itself.
#[test]
fn only_who_started_an_actor_may_end_it() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let spec = Slow::spec().expose(tractor::expose![end]);
            let slow = an.start_actor("slow", spec).await?;
            let refused = slow.run(end(slow.clone())).await?;
            assert!(
                refused.contains("only the actor that started it"),
                "{refused}"
            );
            assert!(slow.pid().await? > 0);
            Ok(())
        })
        .await
    });
}

/// D8, V11: three levels, a leaf at the end of each branch that hears nothing. The root fails: everything is gone within the
/// ladders of the levels, which fit into one another, and the root's error is its own.
#[test]
fn ladders_of_nested_nurseries_fit_into_one_another() {
    case(this_test!(), async || {
        let ((ended, began), _) = took(async {
            let mut began = None;
            let ended = open_nursery(async |an| -> Result<()> {
                an.run_in_actor(above_a_deaf_one(2)).start().await?;
                signs::seen_all("deaf.", 4).await;
                began = Some(signs::now());
                Err(Error::app(std::io::Error::other("the root's own")))
            });
            (ended.await, began)
        })
        .await;
        let took = began.unwrap().elapsed();
        assert_eq!(ended.unwrap_err().to_string(), "the root's own");
        // A leaf is killed a second after it was asked; each level above it waits for that, and for nothing else.
        assert!(took < Duration::from_secs(3), "{took:?}");
    });
}

/// A child killed from outside while it is being cancelled is no failure of its nursery; one that was not is.
#[test]
fn who_killed_it_decides_whether_it_failed() {
    case(this_test!(), async || {
        let ended = open_nursery(async |an| -> Result<()> {
            let one = an.start_actor("one", Slow::spec()).await?;
            one.kill().await?;
            let two = an.start_actor("two", Slow::spec()).await?;
            kill_process(process(two.pid().await?), Signal::KILL).unwrap();
            std::future::pending().await
        });
        let error = ended.await.unwrap_err();
        let failure = error.remote().unwrap();
        assert_eq!(*failure.kind(), RemoteErrorKind::Killed { signal: 9 });
        assert_eq!(failure.origin().name(), "two");
    });
}

/// What belongs to no task of ours belongs to its runtime's actor, and may end what that has started.
#[test]
fn verbs_work_from_any_task() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let mut slow = Vec::new();
            for name in ["one", "two", "three"] {
                slow.push(an.start_actor(name, Slow::spec()).await?);
            }
            #[expect(clippy::disallowed_methods, reason = "as a user may")]
            let ended = tokio::spawn(async move {
                slow[0].stop().await?;
                slow[1].cancel_actor().await?;
                slow[2].kill().await?;
                // Once gone, they are that, whatever took them there.
                slow[2].cancel_actor().await
            });
            ended.await.unwrap()?;
            an.wait().await;
            Ok(())
        })
        .await
    });
}

/// A leaf whose goodbye takes as long as it is let: cancelled at leisure, and then with less time around it.
#[tractor::rpc]
async fn above_a_tidy_one() -> Result<()> {
    open_nursery(async |an| -> Result<()> {
        let leaf = an.start_actor("leaf", Slow::spec()).await?;
        leaf.pid().await?;
        signs::give("asked");
        leaf.cancel_actor().await?;
        Ok(())
    })
    .await
}

/// D8: less time around a nursery is less time for who has been cancelled in it before.
#[test]
fn a_cancel_that_is_under_way_is_hurried() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let ladder = Ladder {
                cap: Duration::from_millis(500),
                ..Ladder::default()
            };
            signs::give("tidy");
            let middle = an.start_actor("middle", tractor::expose![above_a_tidy_one]);
            let middle = middle.ladder(ladder).await?;
            let calling = middle.run(above_a_tidy_one());
            let cancelling = async {
                signs::seen("asked").await;
                signs::seen("tidying").await;
                middle.cancel_actor().await
            };
            let (_called, cancelled) =
                futures_util::future::join(calling.into_future(), cancelling).await;
            cancelled?;
            Ok(())
        })
        .await
    });
}

/// Sleeps without letting anybody else run.
#[tractor::rpc]
async fn sleep_deaf() {
    signs::give("sleeping");
    signs::block_for(DEAF);
    signs::give("slept");
}

/// Longer than the ladder.
const DEAF: Duration = Duration::from_secs(3);

#[tractor::rpc]
async fn above_a_sleeper() -> Result<()> {
    open_nursery(async |an| -> Result<()> { Ok(an.run_in_actor(sleep_deaf()).await?) }).await
}

/// V6: a leaf two nurseries down sleeps in a blocking call. The root fails, or cancels: all of it is gone within the ladder,
/// the leaf without having woken; and the root's error is its own alone.
#[test]
fn a_sleeper_two_nurseries_down_does_not_hold_the_root_up() {
    case(this_test!(), async || {
        for fails in [true, false] {
            let mut began = signs::now();
            let ended = open_nursery(async |an| -> Result<()> {
                an.run_in_actor(above_a_sleeper()).start().await?;
                signs::seen("sleeping").await;
                began = signs::now();
                if fails {
                    return Err(Error::app(std::io::Error::other("the root's own")));
                }
                an.cancel().await;
                Ok(())
            })
            .await;
            let took = began.elapsed();
            assert!(took < Duration::from_secs(2), "{took:?}");
            match ended {
                Err(error) => assert_eq!(error.to_string(), "the root's own"),
                Ok(()) => assert!(!fails),
            }
            assert!(!signs::given("slept"));
            signs::take_back("sleeping");
        }
    });
}

/// A nursery has a ladder of its own, for all in it that have none.
#[test]
fn a_nursery_has_a_ladder_of_its_own() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |around| -> Result<_> {
            let other = around.start_actor("other", Slow::spec()).await?;
            let hasty = Ladder {
                accept: Duration::from_millis(100),
                kill_after: Duration::from_millis(50),
                ..Ladder::default()
            };
            let hasty = tractor::nursery().ladder(hasty);
            hasty
                .run(async |an: ActorNursery<'_>| -> Result<_> {
                    let slow = an.start_actor("slow", Slow::spec()).await?;
                    kill_process(process(slow.pid().await?), Signal::STOP).unwrap();
                    let ((), took) = took(an.cancel()).await;
                    assert!(took >= Duration::from_millis(150), "{took:?}");
                    assert!(took < Duration::from_millis(900), "{took:?}");
                    Ok(())
                })
                .await?;
            assert!(other.pid().await? > 0);
            Ok(())
        })
        .await
    });
}
