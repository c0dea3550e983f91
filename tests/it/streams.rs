//! Streams beside the life of their actor: its window, its crash, and itself as a partner.

use std::task::Poll;

use futures_util::StreamExt;
use futures_util::future::join;
use tokio::sync::oneshot;
use tractor::prelude::*;
use tractor::{
    Error, OneWay, OpenError, OpenedContext, RecvError, RemoteErrorKind, Result, SendError, Stream,
};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::double;
use crate::signs;

/// An open context as the blocks of these tests have it.
type Far<In, Out, T, E = Error> = OpenedContext<In, Out, T, E>;

/// Sends for as long as there is room, tells how much that was, and then waits for more room.
#[tractor::context]
async fn fill(ctx: Context<(), (), u32>) -> Result<u32> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    let mut sent = 0;
    loop {
        match stream.try_send(sent) {
            Ok(()) => sent += 1,
            Err(SendError::Full) => break,
            Err(other) => return Err(other.into()),
        }
    }
    signs::give("full");
    for more in 0..sent {
        stream.send(sent + more).await?;
    }
    Ok(sent)
}

/// A writer is one window ahead of its reader and no more; nothing is lost or reordered by waiting.
#[test]
fn a_writer_waits_for_its_reader() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![fill, double]);
            let child = child.await?;
            let block = async |ctx: Far<u32, (), u32>, ()| -> Result<_> {
                let mut stream = ctx.open_stream().await?;
                signs::seen("full").await;
                // What a writer waits for is its own: the link goes on.
                assert_eq!(child.run(double(1)).await?, 2);
                assert!(!stream.ctx().has_ended());
                let mut values = Vec::new();
                while let Some(value) = stream.next().await? {
                    values.push(value);
                }
                assert_eq!(values, (0..128).collect::<Vec<_>>());
                Ok(stream.ctx().result().await?)
            };
            assert_eq!(child.open_context(fill(), block).await?, 64);
            Ok(())
        })
        .await
    });
}

/// Gives streams and contexts, and crashes.
#[derive(Debug)]
struct Source {
    asked: u32,
}

#[tractor::actor]
impl Source {
    #[init]
    fn new() -> Self {
        Self { asked: 0 }
    }

    fn ask(&mut self) -> u32 {
        self.asked += 1;
        self.asked
    }

    /// So many, and no end; says when they have been sent.
    #[stream]
    fn some(&self, many: u64) -> impl Stream<Item = u64> {
        let no_end = futures_util::stream::poll_fn(|_| {
            signs::give("said");
            Poll::Pending
        });
        futures_util::stream::iter(0..many).chain(no_end)
    }

    #[cast]
    fn go_down(&mut self) {
        panic!("it was enough");
    }

    /// Panics in its context.
    #[context]
    async fn crash_later(me: Me<Self>, ctx: Context<(), (), ()>) {
        let _begun = ctx.started(()).await;
        panic!("{} cannot go on", me.id());
    }

    /// Opens a context with itself.
    #[context]
    async fn open_to_self(me: Me<Self>, ctx: Context<(), (), ()>) -> Result<()> {
        let _begun = ctx.started(()).await?;
        let block = async |_: Far<(), (), ()>, ()| -> Result<()> { Ok(()) };
        me.portal().open_to_self().open(block).await
    }
}

/// An actor crashes although a stream of it is open; what it had sent is read before its end, which says why.
#[test]
fn a_crash_ends_open_streams_behind_their_values() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |_| -> Result<_> {
            let (tell, told) = oneshot::channel();
            let living = open_nursery(async |an| -> Result<_> {
                let source = an.start_actor("source", Source::spec()).await?;
                drop(tell.send(source));
                an.wait().await;
                Ok(())
            });
            let reading = async {
                let source = told.await.unwrap();
                let block = async |mut stream: OneWay<u64>| -> Result<()> {
                    signs::seen("said").await;
                    source.go_down().await?;
                    signs::until(|| tractor::statistics().unwrap().unreaped == 0).await;
                    for value in 0..10 {
                        assert_eq!(stream.next().await?, Some(value));
                    }
                    let end = stream.next().await.unwrap_err();
                    assert!(matches!(end, Error::Recv(RecvError::Lost(_))), "{end}");
                    assert!(end.to_string().contains("it was enough"), "{end}");
                    Ok(())
                };
                source.some(10).open(block).await
            };
            let (lived, read) = join(living, reading).await;
            let failure = lived.unwrap_err();
            assert_eq!(failure.remote().unwrap().origin().name(), "source");
            let failure = read.unwrap_err();
            assert!(failure.to_string().contains("it was enough"), "{failure}");
            Ok(())
        })
        .await
    });
}

/// An actor cannot open a context to itself, and is told who that is.
#[test]
fn a_context_to_oneself_is_refused() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let source = an.start_actor("source", Source::spec()).await?;
            let block = async |ctx: Far<(), (), ()>, ()| -> Result<()> { Ok(ctx.result().await?) };
            let refused = source.open_to_self().open(block).await.unwrap_err();
            let text = refused.to_string();
            let expected = format!("{} cannot open a context to itself", source.id());
            assert!(text.contains(&expected), "{text}");
            assert_eq!(source.ask().await?, 1);
            Ok(())
        })
        .await
    });
}

/// One's own cancel of a one-way stream is no failure of its block.
#[test]
fn a_cancelled_stream_is_no_failure_of_its_block() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let source = an.start_actor("source", Source::spec()).await?;
            let block = async |mut stream: OneWay<u64>| -> Result<u64> {
                assert_eq!(stream.next().await?, Some(0));
                stream.ctx().cancel().await?;
                Ok(5)
            };
            assert_eq!(source.some(2).open(block).await?, 5);
            assert_eq!(source.ask().await?, 1);
            Ok(())
        })
        .await
    });
}

/// A panic in a context of an actor with a state is that actor's crash.
#[test]
fn a_panic_in_an_actors_context_ends_the_actor() {
    case(this_test!(), async || {
        let mut opened = None;
        let result = open_nursery(async |an| -> Result<()> {
            let source = an.start_actor("source", Source::spec()).await?;
            let block = async |_: Far<(), (), (), tractor::Never>, ()| -> Result<()> {
                std::future::pending().await
            };
            opened = Some(source.crash_later().open(block).await);
            std::future::pending().await
        });
        let error = result.await.unwrap_err();
        let failure = error.remote().unwrap();
        assert_eq!(*failure.kind(), RemoteErrorKind::Panic);
        assert_eq!(failure.origin().name(), "source");
        assert!(failure.message().contains("cannot go on"), "{failure}");
        let opened = opened.unwrap().unwrap_err();
        assert!(
            matches!(opened, Error::Open(OpenError::Call(CallError::Panicked(_)))),
            "{opened}"
        );
    });
}
