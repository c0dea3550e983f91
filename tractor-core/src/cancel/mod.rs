//! Cancel scopes as programs have them: trio's, for a tree of processes.
//!
//! [`cancel_scope`] runs a block as a unit that can be cancelled, by its handle or by a deadline; [`move_on_after`] and its
//! like are the short forms. A cancelled scope drops its block at the next await, *after* every nursery, context, shield
//! and [`finally`] inside it has been torn down. What a block calls in other actors is cancelled there too, and its
//! deadline goes with it.
//!
//! ```text
//! cancel_scope().within(1 s).run(async |scope| …)
//!   └─ Scope (scope/)  child of the current one; deadline, shield
//! ```
//!
//! There is no async unwinding in Rust: in a cancelled scope `work().await; cleanup().await` never reaches `cleanup`.
//! [`finally`] is the way, and what has to end in any case belongs there.

mod block;
mod timed;

use std::future::Future;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use tractor_ipc::{ActorId, ActorName, Instant};

pub use block::{CancelScope, CancelScopeOptions, cancel_scope};
pub use timed::{fail_after, fail_at, move_on_after, move_on_at};

use crate::clock::TokioClock;
use crate::limits::LADDER_LEFT;
use crate::node::{Registry, default_root_name};
use crate::scope::{self, Cancellation, Checkpoint, Scope, give_way};

/// Runs `body`, then `cleanup`, which no cancellation from around reaches; `cleanup` is given what the body returned, or
/// nothing if it was cancelled. It runs however the body ended, and no scope around lets go before it is through.
///
/// A cleanup that fails is told of in any case: its error says more than the cancellation it came in.
///
/// The cleanup has 1.6 s: as long as an actor that is cancelled has by default. [`finally_within`] gives it another time.
///
/// # Errors
///
/// The cleanup was cut, since its time was up.
///
/// # Cancel safety
///
/// Cancelled by a scope of ours, the cleanup is run, and the code behind this only if that has failed. Dropped from outside (a raw
/// `select!`, an aborted task), neither the rest of the body nor the cleanup runs.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut cleaned = false;
/// let done = tractor_core::cancel::move_on_after(Duration::from_millis(1), async |_| {
///     let work = std::future::pending::<()>();
///     tractor_core::cancel::finally(work, async |_| cleaned = true).await
/// });
/// assert!(done.await.is_none());
/// assert!(cleaned);
/// # }
/// ```
pub async fn finally<B, C>(
    body: B,
    cleanup: impl FnOnce(Option<B::Output>) -> C,
) -> Result<C::Output, Cancellation>
where
    B: Future,
    C: Future,
    C::Output: Cleaned,
{
    finally_within(LADDER_LEFT, body, cleanup).await
}

/// What a cleanup comes to: nothing, or a result.
pub trait Cleaned {
    /// Whether it has failed.
    fn has_failed(&self) -> bool;
}

impl Cleaned for () {
    fn has_failed(&self) -> bool {
        false
    }
}

impl<T, E> Cleaned for Result<T, E> {
    fn has_failed(&self) -> bool {
        self.is_err()
    }
}

/// As [`finally`], with so much time for the cleanup.
///
/// # Errors
///
/// The cleanup was cut, since its time was up.
///
/// # Cancel safety
///
/// As [`finally`].
pub async fn finally_within<B, C>(
    within: Duration,
    body: B,
    cleanup: impl FnOnce(Option<B::Output>) -> C,
) -> Result<C::Output, Cancellation>
where
    B: Future,
    C: Future,
    C::Output: Cleaned,
{
    let scope = surrounding();
    let cleaned = scope.finally(body, cleanup, within).await;
    if !cleaned.as_ref().is_ok_and(Cleaned::has_failed) {
        give_way().await;
    }
    cleaned
}

/// Lets others run, and a cancellation take effect: for work that would not wait otherwise.
///
/// # Errors
///
/// The cancellation, where nobody around drops this future: in a task that only inherits its scope.
///
/// # Cancel safety
///
/// Safe: there is nothing to lose.
pub async fn checkpoint() -> Result<(), Cancellation> {
    let mut yielded = false;
    std::future::poll_fn(|cx| match scope::checkpoint() {
        Checkpoint::Unwinding => Poll::Pending,
        Checkpoint::Cancelled(cancel) => Poll::Ready(Err(cancel)),
        Checkpoint::Clear if yielded => Poll::Ready(Ok(())),
        Checkpoint::Clear => {
            yielded = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// Waits until `at`, on the clock of the scope around.
///
/// # Errors
///
/// The cancellation, where nobody around drops this future: in a task that only inherits its scope.
///
/// # Panics
///
/// Outside of a tokio runtime, as everything here that waits.
///
/// # Cancel safety
///
/// Safe: a dropped wait changes nothing.
pub async fn sleep_until(at: Instant) -> Result<(), Cancellation> {
    let scope = surrounding();
    let mut sleep = scope.clock().sleep_until(at);
    let mut cancelled = std::pin::pin!(scope.cancelled());
    std::future::poll_fn(|cx| match scope::checkpoint() {
        Checkpoint::Unwinding => Poll::Pending,
        Checkpoint::Cancelled(cancel) => Poll::Ready(Err(cancel)),
        Checkpoint::Clear => {
            // Whoever drops us is woken by itself; where nobody does, this is what wakes us.
            if let Poll::Ready(cancel) = cancelled.as_mut().poll(cx) {
                return Poll::Ready(Err(cancel));
            }
            ready!(sleep.as_mut().poll(cx));
            Poll::Ready(Ok(()))
        }
    })
    .await
}

/// Waits for so long, on the clock of the scope around.
///
/// # Errors
///
/// As [`sleep_until`].
///
/// # Cancel safety
///
/// Safe: a dropped wait changes nothing.
pub async fn sleep(span: Duration) -> Result<(), Cancellation> {
    let scope = surrounding();
    let at = scope.clock().now() + span;
    sleep_until(at).await
}

/// The earliest deadline of the scopes around: that of the request which is served here, among others. `None` if there
/// is none, or this is no task of an actor.
pub fn current_deadline() -> Option<Instant> {
    let scope = Scope::current()?;
    let budget = scope
        .ambient::<crate::node::Ambient>()
        .and_then(|ambient| ambient.budget);
    [scope.deadline(), budget].into_iter().flatten().min()
}

/// The scope around this task: the current one; in a task that somebody else started, that of the root of its runtime; and
/// where that has none, one apart, which a root that is opened in it will belong to.
///
/// # Panics
///
/// Outside of a tokio runtime: there is no clock.
fn surrounding() -> Scope {
    if let Some(scope) = Scope::current() {
        return scope;
    }
    if let Some(node) = Registry::adopt() {
        return node.scope().clone();
    }
    let clock = TokioClock::current().expect("cancel scopes need a tokio runtime around them");
    let name = ActorName::new(default_root_name()).expect("the name of a root is checked");
    Scope::root(Arc::new(clock), ActorId::new(name))
}
