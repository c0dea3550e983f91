//! Who waits for whom, and for how long: no wait without an end, no call that waits for itself.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Deserializer, Serialize};
use tractor::prelude::*;
use tractor::{
    CancelReason, Error, OneWay, OpenError, OpenedContext, RemoteErrorKind, Result, SendError,
};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::signs::{self, OnDrop, took};

/// Does everything in the ways that could wait for themselves.
#[derive(Debug)]
struct Knot {
    turns: u32,
}

#[tractor::actor]
impl Knot {
    #[init]
    fn new() -> Self {
        Self { turns: 0 }
    }

    fn turn(&mut self) -> u32 {
        self.turns += 1;
        self.turns
    }

    fn look(&self) -> u32 {
        self.turns
    }

    fn pid(&mut self) -> u32 {
        std::process::id()
    }

    #[cast]
    fn note(&mut self) {
        self.turns += 1;
    }

    /// Calls itself, though it may be dropped at any time.
    #[cancel_safe]
    async fn call_self(&mut self, me: KnotPortal) -> String {
        format!("{:?}", me.turn().await)
    }

    /// Says one thing after the other to itself, and how many were taken.
    async fn note_to_self(&mut self, me: KnotPortal) -> usize {
        notes_taken(&me).await
    }

    /// Has a child do that.
    async fn note_from_below(&mut self, me: KnotPortal) -> Result<usize> {
        open_nursery(async |an| -> Result<_> { Ok(an.run_in_actor(notes(me)).await?) }).await
    }

    /// A child that it only waits for at the end of a nursery calls it back.
    async fn leave_a_call_below(&mut self, me: KnotPortal) -> Result<String> {
        open_nursery(async |an| -> Result<_> {
            let shot = an.run_in_actor(turn_of(me)).start().await?;
            Ok(shot.result().await?)
        })
        .await
    }

    /// Another task of this process, not one of the library's, uses a portal that came in a message.
    async fn call_from_a_task(&self, other: KnotPortal) -> std::result::Result<u32, AnyError> {
        #[expect(clippy::disallowed_methods, reason = "as a user may")]
        let task = tokio::spawn(async move { other.look().await });
        Ok(task.await??)
    }

    /// Asks its own actor for each value, after it has been asked for.
    #[stream]
    fn turns(&mut self, me: KnotPortal) -> impl Stream<Item = String> + use<> {
        futures_util::stream::unfold(me, async |me| Some((format!("{:?}", me.turn().await), me)))
    }

    /// Has no values and no end.
    #[stream]
    fn nothing(&mut self, name: String) -> impl Stream<Item = ()> + use<> {
        let gone = OnDrop(format!("{name}.gone"));
        futures_util::stream::poll_fn(move |_| {
            let _held = &gone;
            std::task::Poll::Pending
        })
    }

    /// Says whether it has a deadline, each time it is asked.
    #[stream]
    fn timed(&mut self) -> impl Stream<Item = bool> + use<> {
        futures_util::stream::repeat_with(|| tractor::current_deadline().is_some())
    }

    #[stream]
    fn breaks(&self) -> impl Stream<Item = u32> + use<> {
        futures_util::stream::iter([1, 2]).map(|n| match n {
            1 => n,
            _ => panic!("the stream broke"),
        })
    }

    #[context]
    async fn read_first(_me: Me<Self>, ctx: Context<(), (), ()>, _: Unreadable) {
        let _open = ctx.started(()).await;
    }

    #[context]
    async fn linger(_me: Me<Self>, ctx: Context<(), (), ()>) {
        let _open = ctx.started(()).await;
        std::future::pending().await
    }

    /// Works without ever waiting, then says so.
    fn grind(&mut self, name: String) {
        signs::block_for(GRIND);
        signs::write_line("ground", &name);
    }

    fn read(&mut self, _: Unreadable) {}

    #[on_stop]
    fn stop(&mut self) {
        signs::give("stopped");
    }
}

/// What one call of `grind` takes: a tenth of it would do for the cancel of the actor to come through.
const GRIND: Duration = Duration::from_millis(100);

#[tractor::rpc]
async fn notes(of: KnotPortal) -> usize {
    notes_taken(&of).await
}

#[tractor::rpc]
async fn turn_of(knot: KnotPortal) -> String {
    format!("{:?}", knot.turn().await)
}

async fn notes_taken(to: &KnotPortal) -> usize {
    let mut taken = 0;
    loop {
        match to.note().await {
            Ok(()) => taken += 1,
            Err(SendError::Full) => return taken,
            Err(other) => panic!("{other}"),
        }
    }
}

/// Whoever reads it panics.
#[derive(Debug, Serialize)]
struct Unreadable;

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
        panic!("it cannot be read")
    }
}

/// A context and a stream end when their own time is up, though their far side stands still.
#[test]
fn the_time_of_a_dialog_is_kept_by_its_opener() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let knot = an.start_actor("knot", Knot::spec()).await?;
            let pid = Pid::from_raw(i32::try_from(knot.pid().await?).unwrap()).unwrap();
            kill_process(pid, Signal::STOP).unwrap();
            let time = Duration::from_millis(50);
            let context = knot
                .linger()
                .within(time)
                .open(async |_, ()| std::future::pending::<Result<()>>().await);
            let stream = knot.nothing("still".into()).within(time);
            let stream = stream.open(async |mut stream: OneWay<()>| -> Result<_> {
                stream.next().await.map(drop)
            });
            let (ends, took) = took(futures_util::future::join(context, stream)).await;
            kill_process(pid, Signal::CONT).unwrap();
            for end in [ends.0, ends.1] {
                match end.unwrap_err() {
                    Error::Open(OpenError::Call(CallError::Cancelled(cancel))) => {
                        assert_eq!(cancel.reason, CancelReason::Deadline);
                    }
                    other => panic!("{other}"),
                }
            }
            // What they are cancelled in, and a machine that does something else.
            assert!(took < Duration::from_secs(8), "{took:?}");
            Ok(())
        })
        .await
    });
}

/// The stream of a method that runs alone has its call's time, and is nobody's turn any more: it may call its own actor.
#[test]
fn a_stream_outlives_the_turn_it_was_made_in() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let knot = an.start_actor("knot", Knot::spec()).await?;
            let block = async |mut stream: OneWay<String>| -> Result<_> {
                assert_eq!(stream.next().await?.unwrap(), "Ok(1)");
                Ok(())
            };
            knot.turns(knot.clone()).open(block).await?;
            for time in [None, Some(Duration::from_secs(30))] {
                let timed = knot.timed();
                let timed = match time {
                    Some(time) => timed.within(time),
                    None => timed,
                };
                let block = async |mut stream: OneWay<bool>| stream.next().await;
                assert_eq!(timed.open(block).await?, Some(time.is_some()));
            }
            let stream = knot
                .nothing("late".into())
                .within(Duration::from_millis(50));
            let end = stream.open(async |mut stream: OneWay<()>| -> Result<_> {
                stream.next().await.map(drop)
            });
            assert!(end.await.is_err());
            signs::seen("late.gone").await;
            Ok(())
        })
        .await
    });
}

/// A method that runs alone and calls its own actor, or casts to it beyond what fits: told at once, by whatever way.
#[test]
fn what_runs_alone_does_not_wait_for_itself() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let knot = an.start_actor("knot", Knot::spec()).await?;
            let answer = knot.call_self(knot.clone()).await?;
            assert!(answer.starts_with("Err(Deadlock"), "{answer}");
            let answer = knot.leave_a_call_below(knot.clone()).await?;
            assert!(answer.starts_with("Err(Deadlock"), "{answer}");
            assert_eq!(knot.note_to_self(knot.clone()).await?, 64);
            assert_eq!(knot.turn().await?, 65, "what was taken has been done");
            assert_eq!(knot.note_from_below(knot.clone()).await?, 64);
            assert_eq!(knot.turn().await?, 130);
            Ok(())
        })
        .await
    });
}

/// A portal that came in a message is one in every task of the process.
#[test]
fn a_portal_that_came_is_one_for_every_task() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let knot = an.start_actor("knot", Knot::spec()).await?;
            assert_eq!(knot.call_from_a_task(knot.clone()).await?, 0);
            Ok(())
        })
        .await
    });
}

/// A panic in the stream of an actor with a state is that actor's crash, behind what it has sent.
#[test]
fn a_panic_in_an_actors_stream_ends_the_actor() {
    case(this_test!(), async || {
        let mut read = None;
        let result = open_nursery(async |an| -> Result<()> {
            let knot = an.start_actor("knot", Knot::spec()).await?;
            let block = async |mut stream: OneWay<u32>| -> Result<_> {
                assert_eq!(stream.next().await?, Some(1));
                stream.next().await.map(drop)
            };
            read = Some(knot.breaks().open(block).await);
            std::future::pending().await
        });
        let error = result.await.unwrap_err();
        let failure = error.remote().unwrap();
        assert_eq!(*failure.kind(), RemoteErrorKind::Panic);
        assert_eq!(failure.message(), "the stream broke");
        let read = read.unwrap().unwrap_err();
        assert!(read.to_string().contains("the stream broke"), "{read}");
    });
}

/// An argument whose reading panics fails its own call; the actor has not been touched.
#[test]
fn a_panic_while_arguments_are_read_fails_that_call_alone() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let knot = an.start_actor("knot", Knot::spec()).await?;
            let error = knot.read(Unreadable).await.unwrap_err();
            assert!(matches!(error, CallError::Panicked(_)), "{error}");
            assert!(error.to_string().contains("it cannot be read"), "{error}");
            let block = async |_: OpenedContext<_, _, _, _>, ()| -> Result<()> { Ok(()) };
            let error = knot.read_first(Unreadable).open(block).await.unwrap_err();
            assert!(error.to_string().contains("it cannot be read"), "{error}");
            assert_eq!(knot.turn().await?, 1);
            Ok(())
        })
        .await
    });
}

/// An actor whose methods never wait hears its cancel between two of them, and ends by it in its own way.
#[test]
fn a_cancel_comes_between_methods_that_never_wait() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let knot = an.start_actor("knot", Knot::spec()).await?;
            let calls = (0..40).map(|n| knot.grind(n.to_string()).into_future());
            let calls = futures_util::future::join_all(calls);
            let cancelling = async {
                signs::seen("ground").await;
                an.cancel().await;
            };
            let (ends, ()) = futures_util::future::join(calls, cancelling).await;
            assert!(ends[0].is_ok());
            assert!(ends[39].is_err());
            assert!(signs::given("stopped"), "it was cancelled, and not killed");
            Ok(())
        })
        .await
    });
}
