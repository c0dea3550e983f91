//! The exit stack: what is done at the end of an actor, whatever way it takes.

use std::time::Duration;

use tractor::prelude::*;
use tractor::{Ladder, RemoteErrorKind, Result, on_exit};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::missing;
use crate::signs::{self, took};

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

    fn panic(&mut self) {
        panic!("on purpose");
    }

    /// Puts something on it that panics, or never ends.
    fn spoil(&mut self, for_ever: bool) {
        let spoiled = on_exit(async move || {
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
        assert_eq!(signs::read("panics.exits"), "stopped\nsecond\nfirst\n");

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
        assert_eq!(signs::read("stays.exits"), "stopped\n");
    });
}
