//! What programs do that they had better not: panics in destructors, closed standard streams, ends that come late, one-way
//! messages nobody understands.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use tractor::prelude::*;
use tractor::{OpenError, OpenedContext, RemoteErrorKind, Result, Statistics};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::double;
use crate::signs;

/// Panics when it is dropped.
struct Spring;

impl Drop for Spring {
    fn drop(&mut self) {
        panic!("the spring broke");
    }
}

struct Toy {
    spring: Option<Spring>,
}

#[tractor::actor]
impl Toy {
    #[init]
    fn new(wound: bool) -> Self {
        let spring = wound.then(|| Spring);
        Self { spring }
    }

    /// Holds a spring until it is dropped.
    async fn hold(&self) {
        let _spring = Spring;
        signs::give("held");
        std::future::pending().await
    }

    #[context]
    async fn hold_open(_me: Me<Self>, ctx: Context<(), (), ()>) {
        let _open = ctx.started(()).await;
        let _spring = Spring;
        std::future::pending().await
    }

    fn is_wound(&mut self) -> bool {
        self.spring.is_some()
    }

    #[cast]
    fn take(&mut self, _: Unreadable) {}
}

/// Is read by nobody.
#[derive(Debug, Serialize)]
struct Unreadable;

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
        Err(serde::de::Error::custom("never"))
    }
}

#[tractor::rpc]
async fn hold_there() {
    let _spring = Spring;
    signs::give("held");
    std::future::pending().await
}

#[tractor::rpc]
async fn statistics() -> Result<Statistics> {
    tractor::statistics()
}

/// Blocks its thread for so long once it has started, and then ends well.
#[tractor::context]
async fn end_late(ctx: Context<(), (), ()>, millis: u64) -> Result<()> {
    let _open = ctx.started(()).await?;
    signs::seen("cancelled").await;
    signs::block_for(Duration::from_millis(millis));
    Ok(())
}

fn broke(failure: &RemoteError) {
    assert_eq!(*failure.kind(), RemoteErrorKind::Panic, "{failure}");
    assert_eq!(failure.message(), "the spring broke");
}

/// A destructor that panics while a cancelled method is dropped is a panic of that method, and the actor's crash.
#[test]
fn a_panic_in_the_drop_of_a_cancelled_method_is_a_crash() {
    case(this_test!(), async || {
        let ended = open_nursery(async |an| -> Result<()> {
            let toy = an.start_actor("toy", Toy::spec(false)).await?;
            let mut held = toy.hold().into_future();
            let _late =
                futures_util::future::select(&mut held, Box::pin(signs::seen("held"))).await;
            drop(held);
            std::future::pending().await
        });
        broke(ended.await.unwrap_err().remote().unwrap());
    });
}

/// The same in a context.
#[test]
fn a_panic_in_the_drop_of_a_cancelled_context_is_a_crash() {
    case(this_test!(), async || {
        let mut told = None;
        let ended = open_nursery(async |an| -> Result<()> {
            let toy = an.start_actor("toy", Toy::spec(false)).await?;
            let block = async |ctx: OpenedContext<_, _, (), _>, ()| -> Result<()> {
                let _ended = ctx.cancel().await;
                Ok(ctx.result().await?)
            };
            told = Some(toy.hold_open().open(block).await);
            std::future::pending().await
        });
        broke(ended.await.unwrap_err().remote().unwrap());
        let told = told.unwrap().unwrap_err();
        assert!(told.to_string().contains("the spring broke"), "{told}");
    });
}

/// The same in a function fails that call alone; and in the state of an actor that is stopped it is how the actor ended.
#[test]
fn panics_in_other_drops_are_told_too() {
    case(this_test!(), async || {
        let ended = open_nursery(async |an| -> Result<()> {
            let service = an.start_actor("service", tractor::expose![hold_there, double]);
            let service = service.await?;
            let held = service.run(hold_there()).within(Duration::from_millis(200));
            match held.await {
                Err(CallError::Cancelled(_) | CallError::Panicked(_)) => {}
                other => panic!("{other:?}"),
            }
            assert_eq!(service.run(double(2)).await?, 4);
            let toy = an.start_actor("toy", Toy::spec(true)).await?;
            assert!(toy.is_wound().await?);
            Ok(())
        });
        broke(ended.await.unwrap_err().remote().unwrap());
    });
}

/// A far side that was cancelled and takes its time has ended by the end of the block all the same, and then all is well;
/// only one that does not end at all is too slow.
#[test]
fn a_block_waits_for_a_far_side_that_ends_late() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![end_late]).await?;
            let block = async |ctx: OpenedContext<_, _, (), _>, ()| -> Result<()> {
                signs::give("cancelled");
                // It blocks by then, and does not hear.
                signs::block_for(Duration::from_millis(100));
                let slow = ctx.cancel().await;
                assert!(matches!(slow, Err(OpenError::TooSlow)), "{slow:?}");
                Ok(())
            };
            // Past what an acceptance and an end may take together, within what the end of a block waits.
            child.open_context(end_late(1_500), block).await
        })
        .await
    });
}

/// A one-way message that nobody understands is counted, and hurts nobody.
#[test]
fn a_cast_that_is_not_understood_is_counted() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let spec = Toy::spec(false).expose(tractor::expose![statistics]);
            let toy = an.start_actor("toy", spec).await?;
            toy.take(Unreadable).await?;
            assert!(!toy.is_wound().await?);
            assert_eq!(toy.run(statistics()).await?.casts_lost, 1);
            Ok(())
        })
        .await
    });
}

/// A program that has closed its standard streams prints to nobody, and not into what the library has opened.
#[test]
fn closed_standard_streams_stay_out_of_the_way() {
    case(this_test!(), async || -> Result<_> {
        use rustix::io::fcntl_dupfd_cloexec;
        use rustix::stdio::{dup2_stdin, dup2_stdout, stdin, stdout, take_stdin, take_stdout};
        let (input, output) = (
            fcntl_dupfd_cloexec(stdin(), 3).unwrap(),
            fcntl_dupfd_cloexec(stdout(), 3).unwrap(),
        );
        // SAFETY: whoever uses these numbers meanwhile is what this test is about; they are taken again before its end.
        drop(unsafe { take_stdin() });
        // SAFETY: as above.
        drop(unsafe { take_stdout() });
        let ended = open_nursery(async |an| -> Result<_> {
            let one = an.start_actor("one", tractor::expose![double]).await?;
            println!("to nobody");
            let two = an.start_actor("two", tractor::expose![double]).await?;
            println!("to nobody");
            Ok((one.run(double(1)).await?, two.run(double(2)).await?))
        });
        let ended = ended.await;
        for number in [0, 1] {
            let target = std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
            assert_eq!(target, std::path::Path::new("/dev/null"));
        }
        dup2_stdin(&input).unwrap();
        dup2_stdout(&output).unwrap();
        assert_eq!(ended?, (2, 4));
        Ok(())
    });
}
