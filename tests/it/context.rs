//! Contexts and streams: two linked tasks, neither of which outlives the other.

use tractor::prelude::*;
use tractor::{Error, OpenError, RecvError, RemoteErrorKind, Result, SendError, Statistics};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::{Missing, double, missing, pid};
use crate::signs::{self, OnDrop};

/// Says back what it is told, and how often that was.
#[tractor::context]
async fn echo(ctx: Context<u32, String, String>, first: u32) -> std::result::Result<u32, AnyError> {
    let ctx = ctx.started(first + 1).await?;
    let mut stream = ctx.open_stream().await?;
    let mut count = 0;
    while let Some(said) = stream.next().await? {
        stream.send(said).await?;
        count += 1;
    }
    Ok(count)
}

/// Stays from its first value until it is dropped.
#[tractor::context]
async fn linger(ctx: Context<(), (), ()>, name: String) {
    let _gone = OnDrop(format!("{name}.gone"));
    let _open = ctx.started(()).await;
    signs::give(&name);
    std::future::pending().await
}

/// Fails, after its first value, when it is told to.
#[tractor::context]
async fn fail_late(ctx: Context<(), (), ()>, name: String) -> std::result::Result<(), Missing> {
    let _open = ctx.started(()).await;
    signs::seen(&format!("{name}.go")).await;
    Err(missing(&name))
}

#[tractor::rpc]
async fn statistics() -> Result<Statistics> {
    tractor::statistics()
}

/// First value, both directions, the end of each, the result.
#[test]
fn both_sides_of_a_context_speak_and_end() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("echo", tractor::expose![echo, statistics]);
            let portal = portal.await?;
            let block = portal.open_context(echo(41), async |ctx, first| -> Result<_> {
                assert_eq!(first, 42);
                let mut stream = ctx.open_stream().await?;
                // More than a window, sent ahead of what is read.
                for n in 0..60 {
                    stream.send(n.to_string()).await?;
                }
                for n in 0..60 {
                    assert_eq!(stream.next().await?, Some(n.to_string()));
                }
                assert!(!stream.ctx().has_ended());
                stream.stop();
                assert_eq!(stream.next().await?, None);
                match stream.send("late".into()).await {
                    Err(Error::Send(SendError::Closed)) => {}
                    other => panic!("{other:?}"),
                }
                Ok(stream.ctx().result().await?)
            });
            assert_eq!(block.await?, 60);
            assert_eq!(tractor::statistics()?.opened, 0);
            assert_eq!(portal.run(statistics()).await?.served, 1);
            Ok(())
        })
        .await
    });
}

/// G4: when the far side fails, the block is dropped where it stands, and the failure is its result.
#[test]
fn an_error_after_started_cancels_the_openers_body() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("a", tractor::expose![fail_late]).await?;
            let result = portal.open_context(fail_late("late".into()), async |_, ()| {
                let _gone = OnDrop("body.gone".into());
                signs::give("late.go");
                std::future::pending::<Result<()>>().await
            });
            let error = result.await.unwrap_err();
            let Error::Open(OpenError::Call(CallError::Failed(failure))) = &error else {
                panic!("{error:?}")
            };
            assert_eq!(failure.downcast(), Some(missing("late")));
            assert_eq!(failure.origin(), portal.id());
            assert!(signs::given("body.gone"));
            Ok(())
        })
        .await
    });
}

/// G5: a result stays; who asks again gets it again. (The serving side has nothing to ask: no such method is there.)
#[test]
fn a_result_can_be_read_again() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an
                .start_actor("a", tractor::expose![echo, fail_late])
                .await?;
            portal
                .open_context(echo(0), async |ctx, _| -> Result<_> {
                    let mut stream = ctx.open_stream().await?;
                    stream.stop();
                    assert_eq!(stream.ctx().result().await?, 0);
                    assert_eq!(stream.ctx().result().await?, 0);
                    drop(stream);
                    Ok(())
                })
                .await?;
            let failing = portal.open_context(fail_late("a".into()), async |ctx, ()| {
                signs::give("a.go");
                for _ in 0..2 {
                    match ctx.result().await {
                        Err(CallError::App { error, .. }) => assert_eq!(error, missing("a")),
                        other => panic!("{other:?}"),
                    }
                }
                Result::<()>::Ok(())
            });
            assert!(failing.await.is_err());
            Ok(())
        })
        .await
    });
}

/// Fails before its first value, whatever it has been asked meanwhile: it does not await.
#[tractor::context]
async fn fail_early(_ctx: Context<(), (), ()>) -> std::result::Result<(), Missing> {
    signs::give("there");
    signs::block_on("cancelled");
    Err(missing("early"))
}

/// G6: a failure that was there first is the outcome, not the cancel that came meanwhile.
#[test]
fn an_error_before_started_wins_over_a_cancel() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("a", tractor::expose![fail_early]).await?;
            let block = async |_: OpenedOf<(), Missing>, ()| -> Result<()> { unreachable!() };
            let opening = portal.open_context(fail_early(), block);
            let cancel = async {
                signs::seen("there").await;
                let go_on = async {
                    signs::until(|| an.cancel_called()).await;
                    signs::give("cancelled");
                };
                futures_util::future::join(an.cancel(), go_on).await;
            };
            let (result, ()) = futures_util::future::join(opening, cancel).await;
            match result.unwrap_err() {
                Error::Open(OpenError::EndedBeforeStarted { outcome }) => {
                    assert!(
                        outcome.to_string().contains("no such thing: early"),
                        "{outcome}"
                    );
                }
                other => panic!("{other:?}"),
            }
            Ok(())
        })
        .await
    });
}

type OpenedOf<T, E> = tractor::OpenedContext<(), (), T, E>;

/// Parks in a lock nobody lets go of.
#[tractor::context]
async fn lock(ctx: Context<(), (), ()>) {
    let lock = tokio::sync::Mutex::new(());
    let _held = lock.lock().await;
    let _open = ctx.started(()).await;
    let _gone = OnDrop("lock.gone".into());
    signs::give("lock");
    let _never = lock.lock().await;
}

/// G7: a task that waits for something else than us ends by a cancel all the same, and says by whose.
#[test]
fn a_callee_cancelled_while_it_waits_for_a_lock_ends_as_cancelled() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("a", tractor::expose![lock, double]).await?;
            portal
                .open_context(lock(), async |ctx, ()| -> Result<_> {
                    signs::seen("lock").await;
                    ctx.cancel().await?;
                    assert!(ctx.has_ended() && signs::given("lock.gone"));
                    match ctx.result().await {
                        Err(CallError::Cancelled(cancel)) => {
                            assert_eq!(cancel.canceller, tractor::current_actor()?);
                        }
                        other => panic!("{other:?}"),
                    }
                    // Asked again, it is still ended.
                    Ok(ctx.cancel().await?)
                })
                .await?;
            assert_eq!(portal.run(double(1)).await?, 2);
            Ok(())
        })
        .await
    });
}

/// G8: five contexts with three actors, two of them with one: each ends by itself.
#[test]
fn the_end_of_one_context_leaves_the_others_open() {
    async fn speak(portal: &Portal<tractor::Service>, name: &str, end: bool) -> Result<u32> {
        let words = format!("{name}.words");
        portal
            .open_context(echo(0), async |ctx, _| -> Result<_> {
                let mut stream = ctx.open_stream().await?;
                signs::give(&words);
                if end {
                    signs::seen_all("stays", 3).await;
                    return Err(Error::app(missing(name)));
                }
                // The other ends while this one goes on.
                signs::seen("ended").await;
                for n in 0..10 {
                    stream.send(n.to_string()).await?;
                    assert_eq!(stream.next().await?, Some(n.to_string()));
                }
                stream.stop();
                Ok(stream.ctx().result().await?)
            })
            .await
    }

    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let mut actors = Vec::new();
            for name in ["a", "b", "c"] {
                actors.push(an.start_actor(name, tractor::expose![echo, linger]).await?);
            }
            let staying = async {
                let (a, b, c) = tokio::join!(
                    speak(&actors[0], "stays.a", false),
                    speak(&actors[0], "stays.b", false),
                    speak(&actors[1], "stays.c", false),
                );
                Result::<_>::Ok([a?, b?, c?])
            };
            let ending = async {
                let failed = speak(&actors[1], "ends", true).await;
                assert!(matches!(failed, Err(Error::App(_))), "{failed:?}");
                let left = linger("lingers".into());
                let left = actors[2].open_context(left, async |ctx, ()| -> Result<_> {
                    ctx.cancel().await?;
                    Ok(())
                });
                left.await?;
                signs::give("ended");
                Result::<()>::Ok(())
            };
            let (staying, ending) = tokio::join!(staying, ending);
            ending?;
            assert_eq!(staying?, [10, 10, 10]);
            Ok(())
        })
        .await
    });
}

/// G9: the error of a block ends its far side, is the result as it is, and means nothing to the portal.
#[test]
fn an_error_in_the_body_cancels_the_far_side_and_leaves_the_portal() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an
                .start_actor("a", tractor::expose![linger, double])
                .await?;
            let result = portal.open_context(linger("there".into()), async |_, ()| {
                signs::seen("there").await;
                Result::<()>::Err(Error::app(missing("mine")))
            });
            match result.await {
                Err(Error::App(error)) => assert_eq!(error.text(), "no such thing: mine"),
                other => panic!("{other:?}"),
            }
            // The block has waited for the far side's end.
            assert!(signs::given("there.gone"));
            assert_eq!(portal.run(double(2)).await?, 4);
            Ok(())
        })
        .await
    });
}

/// CTX-1: a block that just ends waits for its far side, which learns that nobody speaks any more.
#[test]
fn a_block_outlives_its_far_task() {
    #[tractor::context]
    async fn tidy_up(ctx: Context<(), (), ()>) -> std::result::Result<(), AnyError> {
        let mut stream = ctx.started(()).await?.open_stream().await?;
        assert_eq!(stream.next().await?, None);
        signs::give("tidy");
        Ok(())
    }

    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("a", tractor::expose![tidy_up]).await?;
            let block = async |_ctx, ()| -> Result<_> { Ok(7) };
            assert_eq!(portal.open_context(tidy_up(), block).await?, 7);
            assert!(signs::given("tidy"));
            Ok(())
        })
        .await
    });
}

/// What a context that returned, or failed, before its first value is to its opener.
#[test]
fn a_far_side_that_ends_before_it_began_is_told_at_once() {
    #[tractor::context]
    async fn nothing_to_say(_ctx: Context<(), (), ()>) -> u32 {
        7
    }

    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an
                .start_actor("a", tractor::expose![nothing_to_say])
                .await?;
            let block = async |_: tractor::OpenedContext<_, _, _, _>, ()| -> Result<()> {
                unreachable!("there is no first value")
            };
            match portal.open_context(nothing_to_say(), block).await {
                Err(Error::Open(OpenError::EndedBeforeStarted { outcome })) => {
                    assert!(
                        outcome.to_string().contains("without a first value"),
                        "{outcome}"
                    );
                }
                other => panic!("{other:?}"),
            }
            Ok(())
        })
        .await
    });
}

/// Says all it has to say, and is no more.
#[tractor::context]
async fn last_words(ctx: Context<u32, (), u32>) {
    let ctx = ctx.started(std::process::id()).await.unwrap();
    let mut stream = ctx.open_stream().await.unwrap();
    for n in 0..40 {
        stream.send(n).await.unwrap();
    }
    signs::seen("die").await;
    std::process::abort();
}

#[tractor::context]
async fn panic_at_last(ctx: Context<(), (), u32>) {
    let mut stream = ctx.started(()).await.unwrap().open_stream().await.unwrap();
    for n in 0..40 {
        stream.send(n).await.unwrap();
    }
    panic!("that was all");
}

/// K9: what a child said before it died is heard before that it did, however fast the news of its death is.
#[test]
fn what_a_child_said_before_its_end_still_arrives() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("a", tractor::expose![panic_at_last]).await?;
            let block = portal.open_context(panic_at_last(), async |ctx, ()| -> Result<_> {
                let mut stream = ctx.open_stream().await?;
                for n in 0..40 {
                    assert_eq!(stream.next().await?, Some(n));
                }
                match stream.next().await {
                    Err(Error::Recv(RecvError::Failed(error))) => {
                        assert_eq!(*error.kind(), RemoteErrorKind::Panic);
                    }
                    other => panic!("{other:?}"),
                }
                Ok(())
            });
            assert!(block.await.is_err());
            Ok(())
        })
        .await
        .unwrap();
        let result = open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("b", tractor::expose![last_words]).await?;
            let block = portal.open_context(last_words(), async |ctx, pid| -> Result<_> {
                let mut stream = ctx.open_stream().await?;
                assert_eq!(stream.next().await?, Some(0));
                // It dies while nobody here listens: words and news of its death are there together.
                signs::give("die");
                signs::block_on_death_of(pid);
                for n in 1..40 {
                    assert_eq!(stream.next().await?, Some(n));
                }
                match stream.next().await {
                    Err(Error::Recv(RecvError::Lost(error))) => {
                        assert_eq!(*error.kind(), RemoteErrorKind::Killed { signal: 6 });
                    }
                    other => panic!("{other:?}"),
                }
                signs::give("heard");
                Ok(())
            });
            block.await
        });
        assert!(result.await.is_err());
        assert!(signs::given("heard"));
    });
}

struct Room {
    visits: u32,
}

#[tractor::actor]
impl Room {
    #[init]
    fn new() -> Self {
        Self { visits: 0 }
    }

    fn visits(&mut self) -> u32 {
        self.visits
    }

    #[context]
    async fn visit(
        me: Me<Self>,
        ctx: Context<u32, u32, u32>,
        by: u32,
    ) -> std::result::Result<u32, AnyError> {
        let ctx = ctx.started(by).await?;
        let mut stream = ctx.open_stream().await?;
        while let Some(n) = stream.next().await? {
            let all = me
                .with(move |room| {
                    room.visits += n;
                    room.visits
                })
                .await?;
            stream.send(all).await?;
        }
        // Its own methods can be called too.
        Ok(me.portal().visits().await?)
    }
}

/// A context of a stateful actor reaches the state in its turn, and the actor serves on meanwhile.
#[test]
fn a_context_reaches_the_state_without_holding_it() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let room = an.start_actor("room", Room::spec()).await?;
            let visit = room.visit(3).open(async |ctx, first| -> Result<_> {
                assert_eq!(first, 3);
                let mut stream = ctx.open_stream().await?;
                stream.send(2).await?;
                assert_eq!(stream.next().await?, Some(2));
                assert_eq!(room.visits().await?, 2);
                stream.send(5).await?;
                assert_eq!(stream.next().await?, Some(7));
                stream.stop();
                Ok(stream.ctx().result().await?)
            });
            assert_eq!(visit.await?, 7);
            Ok(())
        })
        .await
    });
}

/// A slow reader holds its writer and nobody else: the window bounds what is under way.
#[test]
fn a_slow_reader_holds_its_writer() {
    #[tractor::context]
    async fn flood(ctx: Context<(), (), u64>) -> std::result::Result<(), AnyError> {
        let mut stream = ctx.started(()).await?.open_stream().await?;
        for n in 0.. {
            signs::give(&format!("sent.{n}"));
            stream.send(n).await?;
        }
        Ok(())
    }

    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("a", tractor::expose![flood, pid]).await?;
            portal
                .open_context(flood(), async |ctx, ()| -> Result<_> {
                    let mut stream = ctx.open_stream().await?;
                    signs::seen("sent.64").await;
                    // It has tried once more than there is room, and answers others.
                    for _ in 0..50 {
                        portal.run(pid()).await?;
                    }
                    assert!(!signs::given("sent.65"));
                    for n in 0..64 {
                        assert_eq!(stream.next().await?, Some(n));
                    }
                    signs::seen("sent.96").await;
                    stream.ctx().cancel().await?;
                    Ok(())
                })
                .await
        })
        .await
    });
}
