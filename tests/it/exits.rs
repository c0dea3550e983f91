//! The exit stack: what is done at the end of an actor, whatever way it takes.

use std::time::Duration;

use tractor::prelude::*;
use tractor::{Ladder, RemoteErrorKind, Result, on_exit};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::missing;
use crate::signs::{self, OnDrop, took};

/// Leaves by the way it is told, with two things on its exit stack.
struct Keeper {
    name: String,
}

#[tractor::actor]
impl Keeper {
    #[init]
    fn new(name: String) -> Self {
        for which in ["first", "second"] {
            let sign = format!("{name}.exits");
            on_exit(async move || {
                // It may wait.
                tokio::task::yield_now().await;
                signs::write_line(&sign, which);
            })
            .unwrap();
        }
        Self { name }
    }

    /// Something below it, that ends before the stack is closed.
    async fn own(&mut self) -> Result<()> {
        let name = self.name.clone();
        open_nursery(async |an| -> Result<()> {
            an.start_actor("below", Self::spec(format!("{name}.below")))
                .await?;
            signs::give(&format!("{name}.owns"));
            std::future::pending().await
        })
        .await
    }

    /// In a context of somebody who takes longer to end than this one has.
    async fn lean(&mut self, on: Portal<tractor::Service>) -> Result<()> {
        let name = self.name.clone();
        on.open_context(linger(), async |_, ()| -> Result<()> {
            signs::give(&format!("{name}.leans"));
            std::future::pending().await
        })
        .await
    }

    fn panic(&mut self) {
        panic!("on purpose");
    }

    /// Puts something on it that panics, or never ends, above something that does not wait.
    fn spoil(&mut self, for_ever: bool) {
        let name = self.name.clone();
        let below = format!("{name}.exits");
        on_exit(async move || signs::write_line(&below, "below")).unwrap();
        let spoiled = on_exit(async move || {
            signs::give(&format!("{name}.spoiled"));
            if for_ever {
                std::future::pending().await
            }
            panic!("at the exit");
        });
        spoiled.unwrap();
    }

    #[on_stop]
    fn stop(&mut self) {
        signs::write_line(&format!("{}.exits", self.name), "stopped");
    }
}

#[tractor::context]
async fn linger(ctx: Context<(), (), ()>) -> std::result::Result<(), AnyError> {
    let _open = ctx.started(()).await?;
    let wait = std::future::pending::<()>();
    let long = Duration::from_secs(3);
    tractor::finally_within(2 * long, wait, async |_| drop(tractor::sleep(long).await)).await?;
    Ok(())
}

#[tractor::rpc]
async fn return_or_fail(fail: bool) -> std::result::Result<(), AnyError> {
    on_exit(async || signs::give("returned.exits"))?;
    if fail {
        return Err(AnyError::message("it failed"));
    }
    Ok(())
}

/// A13, EXIT-1: stopped, cancelled, crashed: the stack is closed once, the last one first, behind the goodbye and behind all that is
/// below; and the parent has not been told of the end before.
#[test]
fn an_exit_stack_is_closed_on_every_way_out() {
    case(this_test!(), async || -> Result<_> {
        let crashed = open_nursery(async |an| -> Result<()> {
            let keeper = |name: &'static str| an.start_actor(name, Keeper::spec(name.into()));
            let stopped = keeper("stopped").await?;
            stopped.stop().await?;
            assert_eq!(signs::read("stopped.exits"), "stopped\nsecond\nfirst\n");

            let cancelled = keeper("cancelled").await?;
            let owning = cancelled.own().into_future();
            let cancelling = async {
                signs::seen("cancelled.owns").await;
                cancelled.cancel_actor().await
            };
            let (_owned, ended) = futures_util::future::join(owning, cancelling).await;
            ended?;
            assert_eq!(signs::read("cancelled.exits"), "stopped\nsecond\nfirst\n");
            assert!(signs::given("cancelled.below.exits"));

            let crashed = keeper("crashed").await?;
            let _panicked = crashed.panic().await;
            std::future::pending().await
        });
        let failure = crashed.await.unwrap_err();
        assert_eq!(*failure.remote().unwrap().kind(), RemoteErrorKind::Panic);
        assert_eq!(signs::read("crashed.exits"), "second\nfirst\n");
        Ok(())
    });
}

/// A13: a one-shot that returns, and one that fails.
#[test]
fn an_exit_stack_of_a_one_shot_is_closed() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            for fail in [false, true] {
                let ended = an.run_in_actor(return_or_fail(fail)).await;
                assert_eq!(ended.is_err(), fail, "{ended:?}");
                signs::take_back("returned.exits");
            }
            Ok(())
        })
        .await
    });
}

/// A root's is closed when all of its tree has gone, and before it returns; outside of an actor there is none.
#[test]
fn an_exit_stack_of_a_root_is_closed() {
    case(this_test!(), async || {
        assert!(on_exit(async || {}).is_err());
        let fails = tractor::root().run(async |_| -> Result<()> {
            on_exit(async || {
                assert_eq!(tractor_core::testing::children().len(), 1, "the nanny");
                // It works in the actor it belongs to, whose time is over.
                assert!(tractor::current_actor().is_ok());
                signs::give("root.exits");
            })?;
            open_nursery(async |an| -> Result<()> {
                an.start_actor("child", Keeper::spec("child".into()))
                    .await?;
                Err(tractor::Error::app(missing("the block's")))
            })
            .await
        });
        let failure = fails.await.unwrap_err();
        assert!(failure.to_string().contains("the block's"), "{failure}");
        assert!(signs::given("root.exits") && signs::given("child.exits"));
    });
}

/// EXIT-2: one that panics fails its actor and keeps nobody from their turn; one that does not end is cut when the actor's time is
/// over, which is in the log.
#[test]
fn an_exit_callback_that_panics_fails_its_actor() {
    case(this_test!(), async || {
        let spoiled = open_nursery(async |an| -> Result<()> {
            let panics = an.start_actor("panics", Keeper::spec("panics".into()));
            let panics = panics.await?;
            panics.spoil(false).await?;
            panics.stop().await?;
            Ok(())
        });
        let failure = spoiled.await.unwrap_err();
        assert!(failure.to_string().contains("at the exit"), "{failure}");
        assert_eq!(
            signs::read("panics.exits"),
            "stopped\nbelow\nsecond\nfirst\n"
        );

        let spoiled = open_nursery(async |an| -> Result<()> {
            let ladder = Ladder {
                cap: Duration::from_millis(400),
                ..Ladder::default()
            };
            let stays = an.start_actor("stays", Keeper::spec("stays".into()));
            let stays = stays.ladder(ladder).await?;
            stays.spoil(true).await?;
            let (ended, took) = took(stays.cancel_actor()).await;
            ended.expect("it was cut by itself, and not from outside");
            assert!(took < Duration::from_millis(1500), "{took:?}");
            Ok(())
        });
        spoiled.await.unwrap();
        assert_eq!(signs::read("stays.exits"), "stopped\nbelow\n");
    });
}

/// EXIT-2: an actor that was stopped, and has all its time, is then cancelled and has less: it is through with its stack in
/// that.
#[test]
fn an_exit_stack_is_hurried() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let ladder = Ladder {
                cap: Duration::from_millis(400),
                ..Ladder::default()
            };
            let keeper = an.start_actor("keeper", Keeper::spec("keeper".into()));
            let keeper = keeper.ladder(ladder).await?;
            keeper.spoil(true).await?;
            let cancelling = async {
                signs::seen("keeper.spoiled").await;
                keeper.cancel_actor().await
            };
            let (stopped, cancelled) = futures_util::future::join(keeper.stop(), cancelling).await;
            stopped?;
            cancelled?;
            assert_eq!(signs::read("keeper.exits"), "stopped\nbelow\n");
            Ok(())
        })
        .await
    });
}

/// A root that is dropped from outside can do nothing of it, and keeps nothing of it; and takes nothing more.
#[test]
fn an_exit_stack_of_a_dropped_root_is_dropped() {
    case(this_test!(), async || {
        let block = async |root: tractor::Root| -> Result<()> {
            let kept = (root.portal(), OnDrop("kept.gone".into()));
            on_exit(async move || {
                drop(kept);
                signs::give("done");
            })?;
            std::future::pending().await
        };
        let root = tractor::root().run(block);
        let ended = futures_util::FutureExt::now_or_never(root);
        assert!(ended.is_none());
        assert!(signs::given("kept.gone") && !signs::given("done"));
    });
}

/// What a callback has started has ended too, whatever became of the callback.
#[test]
fn what_an_exit_callback_leaves_is_waited_for() {
    case(this_test!(), async || {
        let ended = tractor::root().run(async |_| -> Result<()> {
            on_exit(async || {
                let nursery = open_nursery(async |an| -> Result<()> {
                    an.start_actor("late", Keeper::spec("late".into())).await?;
                    panic!("at the exit")
                });
                nursery.await.unwrap();
            })
        });
        let failure = ended.await.unwrap_err();
        assert!(failure.to_string().contains("at the exit"), "{failure}");
        assert!(signs::given("late.exits"));
        assert!(tractor_core::testing::children().len() <= 1, "the nanny");
    });
}

/// An actor that is cancelled does not spend all of its time on the end of a context: there is its own to come.
#[test]
fn a_context_that_lingers_leaves_time_for_the_exit_stack() {
    case(this_test!(), async || {
        let root = tractor::root().expose(tractor::expose![linger]);
        let ended = root.run(async |root| -> Result<()> {
            open_nursery(async |an| -> Result<()> {
                let keeper = an.start_actor("keeper", Keeper::spec("keeper".into()));
                let keeper = keeper.await?;
                let leaning = keeper.lean(root.portal()).into_future();
                let cancelling = async {
                    signs::seen("keeper.leans").await;
                    keeper.cancel_actor().await
                };
                let (_leaned, cancelled) = futures_util::future::join(leaning, cancelling).await;
                cancelled?;
                Ok(())
            })
            .await
        });
        ended.await.unwrap();
        assert_eq!(signs::read("keeper.exits"), "stopped\nsecond\nfirst\n");
    });
}
