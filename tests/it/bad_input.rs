//! What a program asks for and cannot have: each a typed error that names the thing, and everything else goes on.

use std::time::Duration;

use rustix::net::{Shutdown, SocketType};
use rustix::process::{PidfdFlags, PidfdGetfdFlags};
use tractor::prelude::*;
use tractor::{
    CancelReason, Error, NameError, OneWay, OpenError, OpenedContext, Result, RunError, SendError,
    SpawnError, SpawnMethodKey, Stream,
};
use tractor_core::testing::{Case, case, children, ends_well};
use tractor_core::this_test;

use crate::actors::double;

/// What a longest message (16 MiB) has room for beside the longest head (8 KiB).
const LIMIT: u64 = (16 << 20) - (8 << 10);

/// Weighs what it is given.
struct Scales {
    weighed: usize,
}

#[tractor::actor]
impl Scales {
    #[init]
    fn new() -> Self {
        Self { weighed: 0 }
    }

    fn weigh(&mut self, text: String) -> usize {
        self.weighed += 1;
        text.len()
    }

    fn weighed(&self) -> usize {
        self.weighed
    }

    fn make(&self, size: usize) -> String {
        "x".repeat(size)
    }

    #[cast]
    fn take(&mut self, text: String) {
        drop(text);
        self.weighed += 1;
    }

    #[stream]
    fn weights(&self, text: String) -> impl Stream<Item = usize> {
        futures_util::stream::iter([text.len()])
    }

    #[context]
    async fn weigh_all(_me: Me<Self>, ctx: Context<(), String, usize>) -> Result<()> {
        let mut stream = ctx.started(()).await?.open_stream().await?;
        while let Some(text) = stream.next().await? {
            stream.send(text.len()).await?;
        }
        Ok(())
    }
}

struct Heavy;

#[tractor::actor]
impl Heavy {
    #[init]
    fn new(load: String) -> Self {
        assert!(load.is_empty(), "nothing so heavy is started");
        Self
    }
}

struct Mute;

#[tractor::actor]
impl Mute {
    /// Shuts its link down, the first stream socket its process has, and stays.
    #[init]
    fn new() -> Self {
        let me =
            rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).unwrap();
        for fd in 3..64 {
            if let Ok(socket) = rustix::process::pidfd_getfd(&me, fd, PidfdGetfdFlags::empty())
                && rustix::net::sockopt::socket_type(&socket) == Ok(SocketType::STREAM)
            {
                rustix::net::shutdown(&socket, Shutdown::Both).unwrap();
                break;
            }
        }
        loop {
            std::thread::park();
        }
    }
}

#[tractor::rpc]
async fn triple(n: u64) -> u64 {
    3 * n
}

type Weighing = OpenedContext<usize, String, (), Error>;

async fn never_opened(_ctx: Weighing, (): ()) -> Result<()> {
    panic!("it has not been opened");
}

async fn never_streamed(_stream: OneWay<usize>) -> Result<()> {
    panic!("it has not been opened");
}

/// What builds an actor is refused before it is started, if it is more than a message may be.
#[test]
fn arguments_over_the_limit_are_refused_before_the_start() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let heavy = Heavy::spec("x".repeat(usize::try_from(LIMIT).unwrap()));
            match an.start_actor("heavy", heavy).await {
                Err(SpawnError::Encode(error)) => {
                    let text = error.to_string();
                    assert!(
                        text.contains("16769024") && text.contains("more than"),
                        "{text}"
                    );
                }
                other => panic!("{:?}", other.map(drop)),
            }
            Ok(())
        })
        .await
    });
}

/// A child that loses its link before it serves, and does not leave, is killed: an error at once, and no wait.
#[test]
fn a_child_without_its_link_is_killed() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            match an.start_actor("mute", Mute::spec()).await {
                Err(SpawnError::Handshake { name, error }) => {
                    assert!(name.starts_with("mute"), "{name}");
                    assert!(error.to_string().contains("link"), "{error}");
                }
                other => panic!("{:?}", other.map(drop)),
            }
            Ok(())
        })
        .await
    });
}

/// A function its actor does not expose, called or in an actor of another, is refused by its full name.
#[test]
fn an_unknown_function_is_refused_by_name() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![double]).await?;
            match child.run(triple(1)).await {
                Err(CallError::NotExposed(error)) => {
                    let text = error.to_string();
                    assert!(text.contains(concat!(module_path!(), "::triple")), "{text}");
                    assert_eq!(error.origin(), child.id());
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(child.run(double(1)).await?, 2);
            Ok(())
        })
        .await
    });
}

/// What is larger than a message may be is refused where it is: here or there, with its size and the limit; the largest
/// that may be travels both ways.
#[test]
fn a_message_over_the_limit_is_refused_with_its_size() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let scales = an.start_actor("scales", Scales::spec()).await?;
            let most = usize::try_from(LIMIT).unwrap() - 4;
            let large = "x".repeat(most + 1);
            match scales.weigh(large.clone()).await {
                Err(CallError::TooLarge { size, limit }) => {
                    assert_eq!((size, limit), (LIMIT + 1, LIMIT));
                }
                other => panic!("{other:?}"),
            }
            let cast = scales.take(large.clone()).await;
            assert!(
                matches!(cast, Err(SendError::TooLarge { size, .. }) if size == LIMIT + 1),
                "{cast:?}"
            );
            let stream = scales.weights(large.clone()).open(never_streamed).await;
            let too_large = |error: &Error| {
                matches!(
                    error,
                    Error::Open(OpenError::Call(CallError::TooLarge { .. }))
                )
            };
            assert!(stream.as_ref().is_err_and(too_large), "{stream:?}");
            match scales.make(most + 1).await {
                Err(CallError::TooLarge { size, limit }) => {
                    assert_eq!((size, limit), (LIMIT + 1, LIMIT));
                }
                other => panic!("{other:?}"),
            }
            let block = async |ctx: Weighing, ()| -> Result<_> {
                let mut stream = ctx.open_stream().await?;
                match stream.send(large.clone()).await {
                    Err(Error::Send(SendError::TooLarge { size, limit })) => {
                        assert_eq!((size, limit), (LIMIT + 1, LIMIT));
                    }
                    other => panic!("{other:?}"),
                }
                stream.send("small".into()).await?;
                assert_eq!(stream.next().await?, Some(5));
                Ok(())
            };
            scales.weigh_all().open(block).await?;
            assert_eq!(scales.weighed().await?, 0);
            assert_eq!(scales.weigh(scales.make(most).await?).await?, most);
            Ok(())
        })
        .await
    });
}

/// Without any time nothing is sent, whatever it is; the error is that of any other deadline.
#[test]
fn a_deadline_of_zero_has_passed_before_anything_is_sent() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Scales::spec().expose(tractor::expose![double]);
            let scales = an.start_actor("scales", spec).await?;
            let passed = |error: &CallError| matches!(error, CallError::Cancelled(cancel) if cancel.reason == CancelReason::Deadline);
            let call = scales.weigh("x".into()).within(Duration::ZERO).await;
            assert!(call.as_ref().is_err_and(passed), "{call:?}");
            let call = scales.weigh("x".into()).deadline(tractor::now()?).await;
            assert!(call.as_ref().is_err_and(passed), "{call:?}");
            let call = scales.run(double(1)).within(Duration::ZERO).await;
            assert!(call.as_ref().is_err_and(passed), "{call:?}");
            let passed = |error: &Error| matches!(error, Error::Open(OpenError::Call(CallError::Cancelled(cancel))) if cancel.reason == CancelReason::Deadline);
            let context = scales.weigh_all().within(Duration::ZERO).open(never_opened).await;
            assert!(context.as_ref().is_err_and(passed), "{context:?}");
            let stream = scales.weights("x".into()).within(Duration::ZERO);
            let stream = stream.open(never_streamed).await;
            assert!(stream.as_ref().is_err_and(passed), "{stream:?}");
            assert_eq!(tractor::statistics()?.opened, 0);
            assert_eq!(scales.weighed().await?, 0);
            Ok(())
        })
        .await
    });
}

/// Odd names are refused before anything is started, with the name and what is wrong with it.
#[test]
fn an_odd_name_is_refused_with_what_is_odd() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let long = "ü".repeat(33);
            for odd in ["", " ", "a b", "a/b", "../a", "a\0b", "a\nb", "a\u{202e}b", &long] {
                let start = an.start_actor(odd, tractor::expose![double]).await;
                let Err(SpawnError::Name(error)) = start else {
                    panic!("{odd:?}: {start:?}")
                };
                match (odd, &error) {
                    ("", NameError::Empty) => {}
                    (_, NameError::TooLong { len, .. }) => assert_eq!((odd, *len), (&*long, 66)),
                    (_, NameError::BadCharacter { name, found }) => {
                        assert!(name == odd && odd.contains(*found), "{error}");
                    }
                    _ => panic!("{odd:?}: {error}"),
                }
                let shot = an.run_in_actor(double(1)).name(odd).await;
                assert!(
                    matches!(&shot, Err(RunError::Spawn(SpawnError::Name(other))) if *other == error),
                    "{shot:?}"
                );
            }
            assert_eq!(children(), []);
            assert!(!an.cancel_called());
            Ok(())
        })
        .await
        .unwrap();
        let root = tractor::root().name("a b");
        let root = root.run(async |_| -> Result<()> { Ok(()) }).await;
        assert!(matches!(
            root,
            Err(Error::Spawn(SpawnError::Name(NameError::BadCharacter {
                found: ' ',
                ..
            })))
        ));
    });
}

/// A nursery that has ended starts nothing and says so, in its tree and after it; nobody waits for it.
#[test]
fn a_nursery_used_after_its_block_says_that_it_has_ended() {
    case(this_test!(), async || -> Result<_> {
        let check = async |an: &ActorNursery<'static>| {
            let daemon = an.start_actor("late", tractor::expose![double]).await;
            let Err(SpawnError::Closed { reason }) = daemon else {
                panic!("{daemon:?}")
            };
            assert_eq!(reason, "its block has ended");
            let shot = an.run_in_actor(double(1)).start().await;
            assert!(matches!(shot, Err(SpawnError::Closed { .. })), "{shot:?}");
            let shot = an.run_in_actor(double(1)).await;
            assert!(
                matches!(shot, Err(RunError::Spawn(SpawnError::Closed { .. }))),
                "{shot:?}"
            );
            an.wait().await;
            an.cancel().await;
            assert_eq!(children(), []);
        };
        let mut failed = None;
        let block = async |_root| -> Result<_> {
            let ended = open_nursery(async |an| -> Result<_> { Ok(an) }).await?;
            check(&ended).await;
            let result = open_nursery(async |an: ActorNursery<'static>| {
                failed = Some(an);
                Err::<(), _>(Error::app(NameError::Empty))
            });
            assert!(result.await.is_err());
            Ok(ended)
        };
        let ended = tractor::root().run(block).await?;
        check(&ended).await;
        check(&failed.unwrap()).await;
        Ok(())
    });
}

/// A portal outlives its actor, and answers every use of it by who is gone.
#[test]
fn a_portal_to_a_dead_actor_says_who_is_gone() {
    case(this_test!(), async || {
        open_nursery(async |_| -> Result<_> {
            let scales = open_nursery(async |an| -> Result<_> {
                let spec = Scales::spec().expose(tractor::expose![double]);
                let scales = an.start_actor("scales", spec).await?;
                assert_eq!(scales.weigh("x".into()).await?, 1);
                Ok(scales)
            })
            .await?;
            let gone = |error: &RemoteError| {
                assert_eq!(error.origin(), scales.id(), "{error}");
                assert!(error.to_string().contains("scales"), "{error}");
            };
            match scales.weigh("x".into()).await {
                Err(CallError::Lost(error)) => gone(&error),
                other => panic!("{other:?}"),
            }
            match scales.run(double(1)).await {
                Err(CallError::Lost(error)) => gone(&error),
                other => panic!("{other:?}"),
            }
            for sent in [
                scales.take("x".into()).await,
                scales.take("x".into()).try_send(),
            ] {
                match sent {
                    Err(SendError::Lost(error)) => gone(&error),
                    other => panic!("{other:?}"),
                }
            }
            let stream = scales.weights("x".into()).open(never_streamed).await;
            let context = scales.weigh_all().open(never_opened).await;
            for opened in [stream, context] {
                match opened {
                    Err(Error::Open(OpenError::Call(CallError::Lost(error)))) => gone(&error),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(tractor::statistics()?.opened, 0);
            Ok(())
        })
        .await
    });
}

/// A method that is not there has no key, and one that cannot work starts nothing; each is refused by its name, with
/// what is there instead.
#[test]
fn an_unknown_or_unsupported_spawn_method_is_refused() {
    let unknown = "warp".parse::<SpawnMethodKey>();
    let Err(SpawnError::UnknownMethod { given, known }) = unknown else {
        panic!("{unknown:?}")
    };
    assert_eq!(given, "warp");
    assert!(known.contains("exec"), "{known}");
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let key = "subint_fork".parse()?;
            let shot = an.run_in_actor(double(1)).method(key).await;
            match shot {
                Err(RunError::Spawn(SpawnError::Unsupported {
                    method,
                    instead,
                    analysis,
                    ..
                })) => {
                    assert_eq!((method, instead), ("thread_fork", "exec"));
                    assert!(analysis.is_some());
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(children(), []);
            Ok(())
        })
        .await
    });
}

/// Nonsense in the variable that chooses the method is an error of each start that has no method of its own.
#[test]
fn nonsense_in_the_spawn_method_variable_is_named() {
    let case = Case::new(this_test!()).wrap("export TRACTOR_SPAWN_METHOD=warp; exec \"$@\"");
    let body = async || {
        open_nursery(async |an| -> Result<_> {
            let start = an.start_actor("a", tractor::expose![double]).await;
            match start {
                Err(SpawnError::UnknownMethod { given, known }) => {
                    assert_eq!(given, "warp");
                    assert!(known.contains("exec"), "{known}");
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(children(), []);
            let start = an.start_actor("a", tractor::expose![double]);
            let named = start.method(SpawnMethodKey::Exec).await?;
            assert_eq!(named.run(double(1)).await?, 2);
            Ok(())
        })
        .await
    };
    case.run(body, ends_well);
}

/// The names Python's tractor has for a method choose it.
#[test]
fn the_spawn_method_variable_knows_other_names() {
    let case = Case::new(this_test!()).wrap("export TRACTOR_SPAWN_METHOD=trio; exec \"$@\"");
    let body = async || {
        open_nursery(async |an| -> Result<_> {
            assert_eq!(an.run_in_actor(double(1)).await?, 2);
            Ok(())
        })
        .await
    };
    case.run(body, ends_well);
}
