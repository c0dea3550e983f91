//! Failures: what they are to whom, and the way they have come.

use std::time::Duration;

use futures_util::FutureExt;
use rustix::process::{Pid, Signal, kill_process};
use tractor::prelude::*;
use tractor::{CastError, Error, OnError, RecvError, RemoteErrorKind, Result, SpawnError};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::{Daemon, Missing, double, fail, missing, pid, stay};
use crate::signs;

/// Fails by what its leaf has failed by.
#[tractor::rpc]
async fn fail_below(what: String) -> Result<()> {
    open_nursery(async |an| -> Result<_> {
        an.run_in_actor(fail(what)).name("leaf").start().await?;
        Ok(())
    })
    .await
}

/// L1: an error through two hops says where it happened and by whom it was passed on, its root cause first.
#[test]
fn an_error_through_two_hops_names_its_origin_and_its_path() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let middle = an.start_actor("middle", tractor::expose![fail_below]);
            let middle = middle.await?;
            let error = middle.run(fail_below("spoon".into())).await.unwrap_err();
            let CallError::Failed(failure) = &error else {
                panic!("{error:?}")
            };
            assert_eq!(failure.downcast(), Some(missing("spoon")));
            assert_eq!(failure.origin().name(), "leaf");
            assert_eq!(failure.relay(), [middle.id().clone()]);
            let text = error.to_string();
            assert!(text.starts_with("no such thing: spoon (in leaf@"), "{text}");
            assert!(text.contains(", via middle@"), "{text}");
            Ok(())
        })
        .await
    });
}

/// Passes its leaf's error on as one does.
#[tractor::rpc]
async fn relay_below(what: String) -> Result<()> {
    open_nursery(async |an| -> Result<_> {
        let leaf = an.start_actor("leaf", tractor::expose![fail]).await?;
        leaf.run(fail(what)).await?;
        Ok(())
    })
    .await
}

/// L1, where the error of a call is passed on by `?`: it has not become the relay's.
#[test]
fn an_error_passed_on_names_its_origin_and_its_path() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let middle = an.start_actor("middle", tractor::expose![relay_below]);
            let middle = middle.await?;
            let error = middle.run(relay_below("spoon".into())).await.unwrap_err();
            let CallError::Failed(failure) = &error else {
                panic!("{error:?}")
            };
            assert_eq!(failure.downcast(), Some(missing("spoon")));
            assert_eq!(failure.origin().name(), "leaf");
            assert_eq!(failure.relay(), [middle.id().clone()]);
            Ok(())
        })
        .await
    });
}

/// L1, by way of nurseries alone: nobody calls, the one-shots just fail.
#[test]
fn a_failing_one_shot_names_its_path_too() {
    case(this_test!(), async || {
        let result = open_nursery(async |an| -> Result<_> {
            let call = fail_below("spoon".into());
            an.run_in_actor(call).name("middle").start().await?;
            Ok(())
        });
        let Err(Error::Actor(failure)) = result.await else {
            panic!("it has failed")
        };
        assert_eq!(failure.downcast(), Some(missing("spoon")));
        assert_eq!(failure.origin().name(), "leaf");
        let relay: Vec<_> = failure.relay().iter().map(|actor| actor.name()).collect();
        assert_eq!(relay, ["middle"]);
    });
}

struct Brittle;

#[tractor::actor]
impl Brittle {
    #[init]
    fn new() -> Self {
        Self
    }

    async fn break_at(&mut self, sign: String) {
        signs::give("breaking");
        signs::seen(&sign).await;
        panic!("it broke");
    }

    fn touch(&mut self) {}

    #[context]
    async fn lean_on(_me: Me<Self>, ctx: Context<(), (), ()>) {
        let _open = ctx.started(()).await;
        std::future::pending().await
    }
}

/// A panic in a method is its actor's crash: its caller hears the panic, everybody else that the actor is lost by it, and
/// the nursery fails by it.
#[test]
fn a_panic_is_the_end_of_its_actor_and_told_to_everybody() {
    case(this_test!(), async || {
        let result = open_nursery(async |an| -> Result<_> {
            let spec = Brittle::spec().expose(tractor::expose![double]);
            let brittle = an.start_actor("brittle", spec).await?;
            an.start_soon({
                let brittle = brittle.clone();
                async move {
                    let leaning = brittle.lean_on();
                    let result = leaning.open(async |_, ()| {
                        signs::give("leaning");
                        std::future::pending::<Result<()>>().await
                    });
                    let error = result.await.unwrap_err();
                    let lost = error.remote().unwrap();
                    assert_eq!(lost.cause().unwrap().message(), "it broke", "{lost}");
                    signs::give("fell");
                    Ok(())
                }
            });
            signs::seen("leaning").await;
            let breaking = async { brittle.break_at("break".into()).await };
            let waiting = async {
                signs::seen("breaking").await;
                let mut touching = brittle.touch().into_future();
                assert!((&mut touching).now_or_never().is_none());
                // What was sent later has been answered: that has arrived.
                brittle.run(double(1)).await?;
                signs::give("break");
                Result::<_>::Ok(touching.await)
            };
            let (breaking, waiting) = futures_util::future::join(breaking, waiting).await;
            let Err(CallError::Panicked(panic)) = breaking else {
                panic!("{breaking:?}")
            };
            assert_eq!(
                (panic.message(), panic.origin()),
                ("it broke", brittle.id())
            );
            let Err(CallError::Lost(lost)) = waiting? else {
                panic!("it is lost")
            };
            assert_eq!(lost.cause().unwrap().message(), "it broke");
            signs::give("told");
            std::future::pending().await
        });
        let error: Error = Result::<()>::unwrap_err(result.await);
        let failure = error.remote().unwrap();
        assert_eq!(*failure.kind(), RemoteErrorKind::Panic);
        assert_eq!(failure.message(), "it broke");
        assert!(signs::given("told") && signs::given("fell"));
    });
}

#[tractor::rpc]
async fn leave(code: i32) {
    eprintln!("my last words");
    std::process::exit(code)
}

fn check_exit(failure: &RemoteError, code: i32) {
    assert_eq!(*failure.kind(), RemoteErrorKind::Exited { code });
    let text = failure.to_string();
    assert!(text.contains(&format!("exited with code {code}")), "{text}");
}

/// A child that goes by itself is a failure that says how, with what it last wrote.
#[test]
fn a_child_that_exits_is_an_error_with_its_last_words() {
    case(this_test!(), async || {
        let result = open_nursery(async |an| -> Result<()> {
            let portal = an.start_actor("leaving", tractor::expose![leave, stay]);
            let portal = portal.await?;
            an.start_soon({
                let portal = portal.clone();
                async move {
                    let Err(CallError::Lost(error)) = portal.run(stay("there".into())).await else {
                        panic!("it is lost")
                    };
                    check_exit(&error, 3);
                    signs::give("told");
                    Ok(())
                }
            });
            signs::seen("there").await;
            let Err(CallError::Lost(error)) = portal.run(leave(3)).await else {
                panic!("it is lost")
            };
            check_exit(&error, 3);
            std::future::pending().await
        });
        let error = result.await.unwrap_err();
        let failure = error.remote().unwrap();
        check_exit(failure, 3);
        assert_eq!(failure.origin().name(), "leaving");
        assert!(failure.message().contains("my last words"), "{failure}");
        assert!(signs::given("told"));
    });
}

/// A child that is killed from outside, and one that leaves as if all were well: neither has been asked to.
#[test]
fn a_child_that_goes_unasked_is_an_error() {
    case(this_test!(), async || {
        for (kind, how) in [
            (RemoteErrorKind::Killed { signal: 9 }, "kill"),
            (RemoteErrorKind::Exited { code: 0 }, "exit"),
        ] {
            let result = open_nursery(async |an| -> Result<()> {
                let portal = an.start_actor(how, tractor::expose![pid, leave]).await?;
                if how == "kill" {
                    let pid = portal.run(pid()).await?.cast_signed();
                    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
                } else {
                    portal.run(leave(0)).await.unwrap_err();
                }
                std::future::pending().await
            });
            let error = result.await.unwrap_err();
            assert_eq!(*error.remote().unwrap().kind(), kind);
        }
    });
}

/// One that fails cancels the rest; failures that are not ours to have caused stay out of its way.
#[test]
fn a_child_that_dies_takes_its_siblings_along() {
    case(this_test!(), async || {
        let result = open_nursery(async |an| -> Result<()> {
            an.start_actor("a", Daemon::spec("a".into())).await?;
            an.run_in_actor(stay("there".into())).start().await?;
            signs::seen("there").await;
            let portal = an.start_actor("b", tractor::expose![leave]).await?;
            portal.run(leave(7)).await?;
            Ok(())
        });
        let error = result.await.unwrap_err();
        check_exit(error.remote().unwrap(), 7);
        assert!(signs::given("a.stopped") && signs::given("there.gone"));
    });
}

struct Picky;

#[tractor::actor]
impl Picky {
    #[init]
    fn new(what: String) -> std::result::Result<Self, Missing> {
        match what.as_str() {
            "nothing" => Ok(Self),
            "everything" => panic!("too much"),
            what => Err(missing(what)),
        }
    }

    #[cast]
    fn take(&mut self, what: String) -> std::result::Result<(), Missing> {
        Err(missing(&what))
    }
}

/// An actor that cannot be built is an error of its start: typed, with the panic's text, and no failure of the nursery.
#[test]
fn an_init_that_fails_is_an_error_of_the_start() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let start = an.start_actor("a", Picky::spec("spoon".into())).await;
            let Err(SpawnError::Init { error, .. }) = start else {
                panic!("it cannot be built")
            };
            let cause = error.cause().unwrap();
            assert_eq!(cause.downcast(), Some(missing("spoon")));
            assert_eq!(cause.origin().name(), "a");
            let start = an.start_actor("b", Picky::spec("everything".into())).await;
            let Err(SpawnError::Init { error, .. }) = start else {
                panic!("it cannot be built")
            };
            assert_eq!(*error.kind(), RemoteErrorKind::Panic);
            assert_eq!(error.message(), "too much");
            assert!(!an.cancel_called());
            Ok(())
        })
        .await
    });
}

struct Patient {
    failed: Vec<String>,
}

#[tractor::actor]
impl Patient {
    #[init]
    fn new() -> Self {
        let failed = Vec::new();
        Self { failed }
    }

    #[cast]
    fn take(&mut self, what: String) -> std::result::Result<(), Missing> {
        self.failed.push(what.clone());
        Err(missing(&what))
    }

    fn failed(&mut self) -> Vec<String> {
        self.failed.clone()
    }

    #[on_error]
    fn bear(&self, error: CastError) -> OnError {
        assert_eq!(error.method(), "take");
        OnError::Continue
    }
}

/// A one-way message that fails has no caller: the actor ends by it, unless it says that it bears it.
#[test]
fn a_failing_one_way_message_is_its_actors_matter() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let patient = an.start_actor("patient", Patient::spec()).await?;
            patient.take("spoon".into()).await?;
            patient.take("fork".into()).await?;
            assert_eq!(patient.failed().await?, ["spoon", "fork"]);
            Ok(())
        })
        .await
        .unwrap();
        let result = open_nursery(async |an| -> Result<()> {
            let picky = an.start_actor("picky", Picky::spec("nothing".into()));
            picky.await?.take("spoon".into()).await?;
            std::future::pending().await
        });
        let error = result.await.unwrap_err();
        let failure = error.remote().unwrap();
        assert_eq!(failure.downcast(), Some(missing("spoon")));
        assert_eq!(failure.origin().name(), "picky");
    });
}

/// A failure inside a context's block, of another actor, is that block's and told as what it is.
#[test]
fn the_loss_of_an_actor_ends_its_contexts() {
    #[tractor::context]
    async fn lean(ctx: Context<u32, u32, u32>) {
        let _open = ctx.started(std::process::id()).await;
        std::future::pending().await
    }

    case(this_test!(), async || {
        let result = open_nursery(async |an| -> Result<()> {
            let portal = an.start_actor("a", tractor::expose![lean, double]).await?;
            let block = portal.open_context(lean(), async |ctx, pid| -> Result<()> {
                let mut stream = ctx.open_stream().await?;
                let pid = Pid::from_raw(pid.cast_signed()).unwrap();
                kill_process(pid, Signal::KILL).unwrap();
                stream.next().await?;
                panic!("nothing was sent")
            });
            let error = block.await.unwrap_err();
            let Error::Recv(RecvError::Lost(lost)) = &error else {
                panic!("{error:?}")
            };
            assert_eq!(*lost.kind(), RemoteErrorKind::Killed { signal: 9 });
            assert_eq!(error.remote().unwrap().origin(), portal.id());
            Err(error)
        });
        assert!(result.await.is_err());
    });
}

/// Ends this process before it is any actor, if the environment says so.
#[used]
#[unsafe(link_section = ".init_array.00050")]
static DIE_EARLY: extern "C" fn() = die_early;

extern "C" fn die_early() {
    let Ok(how) = std::env::var("TEST_DIE_EARLY") else {
        return;
    };
    if std::env::var_os("TRACTOR_ROLE").is_none() {
        return;
    }
    std::fs::write(
        std::env::temp_dir().join("early"),
        std::process::id().to_string(),
    )
    .unwrap();
    signs::block_on("early.die");
    eprintln!("dying early");
    match how.as_str() {
        "exit" => std::process::exit(5),
        _ => std::process::abort(),
    }
}

/// Covers C6 and V9: a child that dies before it has said who it is, is an error as soon as it has been reaped, with its
/// status and its last words.
#[test]
fn a_child_that_dies_before_its_handshake_is_an_error_at_once() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let mut late = Vec::new();
            for (how, status) in [
                ("exit", "exited with code 5"),
                ("abort", "killed by signal 6"),
            ] {
                let watch = std::thread::spawn(|| {
                    signs::block_until_written("early");
                    let pid = signs::read("early").parse().unwrap();
                    signs::give("early.die");
                    signs::block_on_death_of(pid);
                    signs::now()
                });
                let start = an.start_actor("early", tractor::expose![double]);
                let (start, took) =
                    signs::took(start.env("TEST_DIE_EARLY", how).into_future()).await;
                let told = signs::now();
                let Err(error) = start else { panic!("it died") };
                let SpawnError::DiedBooting { how, stderr, .. } = &error else {
                    panic!("{error:?}")
                };
                assert!(how.contains(status), "{how}");
                assert_eq!(stderr, "dying early\n");
                let reaped = watch.join().unwrap();
                late.push(told.saturating_duration_since(reaped));
                assert!(took < Duration::from_secs(2), "{took:?}");
                signs::take_back("early");
                signs::take_back("early.die");
            }
            // Whichever the machine had time for.
            let soonest = late.iter().min().unwrap();
            assert!(*soonest < Duration::from_millis(100), "{late:?} after");
            Ok(())
        })
        .await
    });
}
