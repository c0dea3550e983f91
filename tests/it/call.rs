//! Calls: what they run, what they give back, and what becomes of them when nobody waits any more.

use std::sync::Arc;
use std::task::{Context as Cx, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use futures_util::{FutureExt, Stream};
use tractor::prelude::*;
use tractor::{CancelReason, Result, SendError, Statistics};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::{Missing, double, fail, missing, pid, stay};
use crate::signs::{self, OnDrop};

/// A method of every kind.
struct Desk {
    lines: Vec<String>,
}

#[tractor::actor]
impl Desk {
    #[init]
    fn new() -> Self {
        Self { lines: Vec::new() }
    }

    fn note(&mut self, line: String) -> usize {
        self.lines.push(line);
        self.lines.len()
    }

    /// Has the desk for itself until it is told to go on.
    async fn hold(&mut self, name: String) -> usize {
        let _gone = OnDrop(format!("{name}.gone"));
        signs::give(&name);
        signs::seen(&format!("{name}.go")).await;
        self.note(name)
    }

    #[cancel_safe]
    async fn hold_safely(&mut self, name: String) {
        stay(name).await;
    }

    async fn lines(&self) -> Vec<String> {
        self.lines.clone()
    }

    /// Looks on until nobody wants it to.
    async fn look_on(&self, name: String) {
        stay(name).await;
    }

    async fn wait_for(&self, name: String) -> String {
        signs::give(&name);
        signs::seen(&format!("{name}.go")).await;
        name
    }

    #[cast]
    fn jot(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Counts for ever.
    #[stream]
    fn count(&self, name: String) -> impl Stream<Item = u64> {
        let gone = OnDrop(format!("{name}.gone"));
        futures_util::stream::unfold((0, gone), async |(n, gone)| Some((n, (n + 1, gone))))
    }

    #[blocking]
    fn sleep_on_it(&mut self, name: String) -> usize {
        signs::give(&name);
        signs::block_on(&format!("{name}.go"));
        self.note(name)
    }
}

#[tractor::rpc]
async fn wait_for(name: String) -> String {
    signs::give(&name);
    signs::seen(&format!("{name}.go")).await;
    name
}

#[tractor::rpc]
async fn panic_with(text: String) {
    panic!("{text}");
}

#[tractor::rpc]
async fn statistics() -> Result<Statistics> {
    tractor::statistics()
}

/// E1: what is exposed runs there; what it fails with is the value it failed with.
#[test]
fn a_portal_runs_what_is_exposed_and_types_its_errors() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let worker = an.start_actor("worker", tractor::expose![double, fail]);
            let worker = worker.await?;
            assert_eq!(worker.run(double(21)).await?, 42);
            match worker.run(fail("spoon".into())).await {
                Err(CallError::App { error, .. }) => assert_eq!(error, missing("spoon")),
                other => panic!("{other:?}"),
            }
            Ok(())
        })
        .await
    });
}

/// E2: what is not exposed does not run, though it is of the same image; who asks is told how to expose it.
#[test]
fn a_function_that_is_not_exposed_is_named_with_the_remedy() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let worker = an.start_actor("worker", tractor::expose![double]).await?;
            let desk = an.start_actor("desk", Desk::spec()).await?;
            for refused in [
                worker.run(stay("never".into())).await,
                desk.run(stay("never".into())).await,
            ] {
                let Err(CallError::NotExposed(error)) = refused else {
                    panic!("{refused:?}")
                };
                assert!(error.message().contains("`it::actors::stay`"), "{error}");
                assert!(error.message().contains("expose![stay]"), "{error}");
            }
            assert!(!signs::given("never"));
            assert_eq!(worker.run(double(4)).await?, 8);
            assert_eq!(desk.note("a".into()).await?, 1);
            Ok(())
        })
        .await
    });
}

/// E4: a free function that fails or panics is that call's matter alone.
#[test]
fn a_failing_call_leaves_the_actor_and_its_other_calls_alone() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let exposed = tractor::expose![double, fail, panic_with, wait_for];
            let worker = an.start_actor("worker", exposed).await?;
            let others = async {
                signs::seen("waiting").await;
                let failed = worker.run(fail("x".into())).await;
                assert!(matches!(failed, Err(CallError::App { .. })), "{failed:?}");
                let Err(CallError::Panicked(panic)) = worker.run(panic_with("ouch".into())).await
                else {
                    panic!("a panic is told")
                };
                assert_eq!(panic.message(), "ouch");
                assert_eq!(panic.origin(), worker.id());
                signs::give("waiting.go");
            };
            let waiting = async { worker.run(wait_for("waiting".into())).await };
            let (waited, ()) = futures_util::future::join(waiting, others).await;
            assert_eq!(waited?, "waiting");
            assert_eq!(worker.run(double(1)).await?, 2);
            Ok(())
        })
        .await
    });
}

/// L2: the error of a method is the value it returned, with the texts of what it was caused by.
#[test]
fn the_methods_own_error_arrives_typed() {
    #[derive(Debug, serde::Serialize, serde::Deserialize, thiserror::Error)]
    #[error("cannot lay the table")]
    struct Table {
        source: Missing,
    }

    struct Kitchen;

    #[tractor::actor]
    impl Kitchen {
        #[init]
        fn new() -> Self {
            Self
        }

        fn lay(&self) -> std::result::Result<u32, Table> {
            let source = missing("spoon");
            Err(Table { source })
        }
    }

    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let kitchen = an.start_actor("kitchen", Kitchen::spec()).await?;
            let Err(CallError::App { error, .. }) = kitchen.lay().await else {
                panic!("it has failed")
            };
            assert_eq!(error.source, missing("spoon"));
            // Where its type is not asked for, all its texts are there.
            let error = tractor::Error::from(kitchen.lay().await.unwrap_err());
            assert_eq!(
                error.to_string(),
                "cannot lay the table: no such thing: spoon"
            );
            Ok(())
        })
        .await
    });
}

/// Long enough for what is called, and what that calls, to be started and begin.
const DEADLINE: Duration = Duration::from_millis(1500);

/// Asks the one it was told of, and whether it may ask for what is not exposed.
#[tractor::rpc]
async fn ask(whom: Portal<tractor::Service>) -> Result<(u32, bool)> {
    let refused = whom.run(statistics()).await;
    let refused = matches!(refused, Err(CallError::NotExposed(_)));
    Ok((whom.run(pid()).await?, refused))
}

/// A root serves the functions it exposes: to its children, and to itself.
#[test]
fn a_root_serves_what_it_exposes() {
    case(this_test!(), async || -> Result<_> {
        let root = tractor::root().expose(tractor::expose![pid]);
        root.run(async |root| -> Result<_> {
            let me = (std::process::id(), true);
            assert_eq!(ask(root.portal()).await?, me);
            open_nursery(async |an| -> Result<_> {
                let child = an.start_actor("child", tractor::expose![ask]).await?;
                assert_eq!(child.run(ask(root.portal())).await?, me);
                Ok(())
            })
            .await
        })
        .await
    });
}

/// Polls it once: it takes its place, or is sent.
fn begin<F: Future + Unpin>(call: &mut F) {
    assert!(call.now_or_never().is_none(), "it has nothing to wait for");
}

/// Waits until nothing is under way here and, but for the question itself, there.
async fn wait_until_idle<A: tractor::Actor>(portal: &Portal<A>) -> Result<()> {
    signs::until(|| tractor::statistics().is_ok_and(|counted| counted.opened == 0)).await;
    let there = portal.run(statistics()).await?;
    assert_eq!((there.served, there.opened), (1, 0), "{there:?}");
    Ok(())
}

/// E11: nobody waits, nothing goes on: a free function and a `&self` method are dropped where they are, and what was
/// still queued never begins. Nothing is left of any of them, on either side.
#[test]
fn dropping_a_call_cancels_the_remote_task_and_frees_its_slot() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Desk::spec().expose(tractor::expose![stay, statistics]);
            let desk = an.start_actor("desk", spec).await?;

            let mut function = desk.run(stay("function".into())).into_future();
            begin(&mut function);
            signs::seen("function").await;
            drop(function);
            signs::seen("function.gone").await;

            let mut shared = desk.look_on("shared".into()).into_future();
            begin(&mut shared);
            signs::seen("shared").await;
            drop(shared);
            signs::seen("shared.gone").await;

            let mut safe = desk.hold_safely("safe".into()).into_future();
            begin(&mut safe);
            signs::seen("safe").await;
            drop(safe);
            signs::seen("safe.gone").await;

            let mut holding = desk.hold("holding".into()).into_future();
            begin(&mut holding);
            signs::seen("holding").await;
            let mut queued = desk.note("never".into()).into_future();
            begin(&mut queued);
            drop(queued);
            let mut after = desk.note("after".into()).into_future();
            begin(&mut after);
            signs::give("holding.go");
            assert_eq!(holding.await?, 1);
            assert_eq!(after.await?, 2);
            assert_eq!(desk.lines().await?, ["holding", "after"]);
            wait_until_idle(&desk).await
        })
        .await
    });
}

/// ACT-2: a `&mut self` method runs to its end whoever has left: the state is never half changed.
#[test]
fn an_exclusive_call_runs_to_its_end_without_its_caller() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Desk::spec().expose(tractor::expose![statistics]);
            let desk = an.start_actor("desk", spec).await?;
            let mut holding = desk.hold("dropped".into()).into_future();
            begin(&mut holding);
            signs::seen("dropped").await;
            drop(holding);
            signs::give("dropped.go");
            assert_eq!(desk.lines().await?, ["dropped"]);
            let late = desk.hold("late".into()).within(DEADLINE);
            let mut late = late.into_future();
            begin(&mut late);
            signs::seen("late").await;
            let late = late.await;
            match late {
                Err(CallError::Cancelled(cancel)) => {
                    assert_eq!(cancel.reason, CancelReason::Deadline);
                }
                other => panic!("{other:?}"),
            }
            assert!(!signs::given("late.gone"));
            signs::give("late.go");
            assert_eq!(desk.lines().await?, ["dropped", "late"]);
            wait_until_idle(&desk).await
        })
        .await
    });
}

/// E12: a stream that is left ends at its source.
#[test]
fn leaving_a_stream_early_cancels_its_source() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Desk::spec().expose(tractor::expose![statistics]);
            let desk = an.start_actor("desk", spec).await?;
            let count = desk.count("left".into());
            let sum = count
                .open(async |mut values| -> Result<_> {
                    let mut sum = 0;
                    for _ in 0..51 {
                        sum += values.next().await?.unwrap();
                    }
                    assert!(!signs::given("left.gone"));
                    Ok(sum)
                })
                .await?;
            assert_eq!(sum, 50 * 51 / 2);
            // The block has waited for the end of the source.
            assert!(signs::given("left.gone"));
            wait_until_idle(&desk).await
        })
        .await
    });
}

#[tractor::rpc]
async fn ask_below(name: String) -> Result<()> {
    open_nursery(async |an| -> Result<_> {
        let leaf = an.start_actor("leaf", tractor::expose![stay]).await?;
        leaf.run(stay(name)).await?;
        Ok(())
    })
    .await
}

/// A deadline ends the call here, its handler there, and what that has called further down.
#[test]
fn a_deadline_goes_all_the_way_down() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let middle = an.start_actor("middle", tractor::expose![ask_below]);
            let middle = middle.await?;
            let call = middle.run(ask_below("leaf".into()));
            let (result, took) = signs::took(call.within(DEADLINE).into_future()).await;
            match result {
                Err(CallError::Cancelled(cancel)) => {
                    assert_eq!(cancel.reason, CancelReason::Deadline);
                }
                other => panic!("{other:?}"),
            }
            assert!(took >= DEADLINE && took < 2 * DEADLINE, "{took:?}");
            signs::seen("leaf.gone").await;
            Ok(())
        })
        .await
    });
}

/// ACT-1: `&self` methods run side by side; a `&mut self` method waits for them, and who came later waits for it.
#[test]
fn borrows_are_the_order_of_handlers() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let desk = an.start_actor("desk", Desk::spec()).await?;
            let mut first = desk.wait_for("first".into()).into_future();
            let mut second = desk.wait_for("second".into()).into_future();
            begin(&mut first);
            begin(&mut second);
            signs::seen("first").await;
            signs::seen("second").await;
            let mut alone = desk.hold("alone".into()).into_future();
            begin(&mut alone);
            let mut third = desk.wait_for("third".into()).into_future();
            begin(&mut third);
            signs::give("second.go");
            assert_eq!(second.await?, "second");
            assert!(!signs::given("alone"));
            signs::give("first.go");
            first.await?;
            signs::seen("alone").await;
            assert!(!signs::given("third"));
            signs::give("alone.go");
            signs::give("third.go");
            assert_eq!(alone.await?, 1);
            third.await?;
            Ok(())
        })
        .await
    });
}

/// Calls and one-way messages of one task arrive in the order they were made.
#[test]
fn one_tasks_requests_keep_their_order() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let desk = an.start_actor("desk", Desk::spec()).await?;
            let mut expected = Vec::new();
            let mut calls = Vec::new();
            for n in 0..300 {
                let line = n.to_string();
                expected.push(line.clone());
                if n % 3 == 0 {
                    let mut call = desk.note(line).into_future();
                    begin(&mut call);
                    calls.push(call);
                } else {
                    desk.jot(line).await?;
                }
            }
            for (index, call) in calls.into_iter().enumerate() {
                assert_eq!(call.await?, 3 * index + 1);
            }
            assert_eq!(desk.lines().await?, expected);
            Ok(())
        })
        .await
    });
}

/// Who does not want to wait for room is told that there is none; what was taken is not lost by it.
#[test]
fn a_full_queue_is_told_to_who_does_not_wait() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let desk = an.start_actor("desk", Desk::spec()).await?;
            let mut holding = desk.hold("holding".into()).into_future();
            begin(&mut holding);
            signs::seen("holding").await;
            let mut taken = Vec::new();
            let full = loop {
                let line = taken.len().to_string();
                match desk.jot(line.clone()).try_send() {
                    Ok(()) => taken.push(line),
                    Err(full) => break full,
                }
            };
            assert!(matches!(full, SendError::Full), "{full:?}");
            assert!(taken.len() >= 32 && taken.len() <= 64, "{}", taken.len());
            let mut waiting = desk.jot("waited".into());
            begin(&mut waiting);
            let mut left = desk.jot("left".into());
            begin(&mut left);
            drop(left);
            signs::give("holding.go");
            holding.await?;
            waiting.await?;
            let mut expected = vec!["holding".to_owned()];
            expected.append(&mut taken);
            expected.push("waited".into());
            assert_eq!(desk.lines().await?, expected);
            Ok(())
        })
        .await
    });
}

/// A method that blocks has a thread for it: the actor hears on, and others wait for their turn.
#[test]
fn a_blocking_method_leaves_its_actor_listening() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Desk::spec().expose(tractor::expose![double]);
            let desk = an.start_actor("desk", spec).await?;
            let mut blocking = desk.sleep_on_it("blocking".into()).into_future();
            begin(&mut blocking);
            signs::seen("blocking").await;
            let mut next = desk.note("next".into()).into_future();
            begin(&mut next);
            assert_eq!(desk.run(double(3)).await?, 6);
            signs::give("blocking.go");
            assert_eq!(blocking.await?, 1);
            assert_eq!(next.await?, 2);
            Ok(())
        })
        .await
    });
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread, without any runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Cx::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A call needs no runtime around it, only one somewhere that carries the link.
#[test]
fn calls_work_on_a_plain_thread() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Desk::spec().expose(tractor::expose![double, stay, statistics]);
            let desk = an.start_actor("desk", spec).await?;
            let portal = desk.clone();
            let plain = std::thread::spawn(move || {
                assert!(tokio::runtime::Handle::try_current().is_err());
                for n in 0..50 {
                    assert_eq!(
                        block_on(portal.run(double(n)).into_future()).unwrap(),
                        2 * n
                    );
                    block_on(portal.jot(n.to_string())).unwrap();
                }
                let late = portal
                    .run(stay("late".into()))
                    .within(Duration::from_millis(50));
                let late = block_on(late.into_future());
                assert!(matches!(late, Err(CallError::Cancelled(_))), "{late:?}");
                signs::give("plain.done");
            });
            signs::seen("plain.done").await;
            plain.join().unwrap();
            assert_eq!(desk.lines().await?.len(), 50);
            wait_until_idle(&desk).await
        })
        .await
    });
}
