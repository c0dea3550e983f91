//! A block in a scope of its own, and the handle by which it is cancelled.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tractor_ipc::msg::CancelReason;
use tractor_ipc::{ActorId, Instant};

use super::surrounding;
use crate::node::Ambient;
use crate::scope::{Cancellation, Scope, ScopeOptions};
use crate::sync::atomic::{AtomicBool, Ordering};

/// Describes a scope to run a block in; [`run`](CancelScopeOptions::run) does.
pub fn cancel_scope() -> CancelScopeOptions {
    CancelScopeOptions::default()
}

/// A scope to be run.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "nothing runs in the scope until `run` is awaited"]
pub struct CancelScopeOptions {
    deadline: Option<Deadline>,
    shield: bool,
}

#[derive(Clone, Copy, Debug)]
enum Deadline {
    At(Instant),
    Within(Duration),
}

impl CancelScopeOptions {
    /// Cancels the scope at this point of the clock around.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.deadline = Some(Deadline::At(at));
        self
    }

    /// Cancels the scope so long after it has begun.
    pub fn within(mut self, span: Duration) -> Self {
        self.deadline = Some(Deadline::Within(span));
        self
    }

    /// Keeps cancellations and deadlines of the scopes around out of this one; those wait for its end. Give it a deadline
    /// of its own.
    pub fn shield(mut self) -> Self {
        self.shield = true;
        self
    }

    /// Runs `block` in the scope.
    ///
    /// # Errors
    ///
    /// The cancellation of this scope, if it cut the block. One from around is caught there: then this never returns.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, the block is dropped at its next await, once every nursery, context and cleanup in it is through.
    /// Dropped from outside, it drops the block at once.
    pub async fn run<F, Fut>(self, block: F) -> Result<Fut::Output, Cancellation>
    where
        F: FnOnce(CancelScope) -> Fut,
        Fut: Future,
    {
        let around = surrounding();
        let deadline = self.deadline.map(|deadline| match deadline {
            Deadline::At(at) => at,
            Deadline::Within(span) => around.clock().now() + span,
        });
        let scope = around.child_with(ScopeOptions {
            shield: self.shield,
            deadline,
            ambient: None,
        });
        let handle = CancelScope(Arc::new(Handle {
            scope: scope.clone(),
            caught: AtomicBool::new(false),
        }));
        let ended = scope.run(block(handle.clone())).await;
        if ended.is_err() {
            handle.0.caught.store(true, Ordering::Release);
        }
        ended
    }
}

/// The handle of a scope, as its block holds it; clones are handles to the same one. It may be sent elsewhere, and does
/// nothing once the block has ended.
#[derive(Clone)]
pub struct CancelScope(Arc<Handle>);

struct Handle {
    scope: Scope,
    caught: AtomicBool,
}

impl CancelScope {
    /// Cancels the scope: its block is dropped at its next await. The first cancellation stands; says whether it was this.
    pub fn cancel(&self, reason: CancelReason) -> bool {
        let ambient = Scope::current().and_then(|scope| scope.ambient::<Ambient>());
        let canceller = match ambient {
            Some(ambient) => ambient.actor.clone(),
            None => self.0.scope.me().clone(),
        };
        self.0.scope.cancel(Cancellation { canceller, reason })
    }

    /// Whether this scope itself was cancelled: by [`cancel`](Self::cancel), or by its deadline.
    pub fn cancel_called(&self) -> bool {
        self.0.scope.cancel_called().is_some()
    }

    /// Whether its cancellation has cut its block.
    pub fn cancelled_caught(&self) -> bool {
        self.0.caught.load(Ordering::Acquire)
    }

    /// The cancellation that reaches it: its own, or that of a scope around it.
    pub fn cancellation(&self) -> Option<Cancellation> {
        self.0.scope.cancellation()
    }

    /// Who has cancelled it.
    pub fn canceller(&self) -> Option<ActorId> {
        self.cancellation().map(|cancel| cancel.canceller)
    }

    /// Its deadline, or an earlier one of a scope around it.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.scope.deadline()
    }

    /// Moves its own deadline. Once it has passed it has cancelled the scope, and moving it takes nothing back.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.0.scope.set_deadline(deadline);
    }

    /// The present on its clock: what its deadline is counted on.
    pub fn now(&self) -> Instant {
        self.0.scope.clock().now()
    }
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelScope")
            .field("scope", &self.0.scope)
            .field("cancelled_caught", &self.cancelled_caught())
            .finish()
    }
}
