//! Cancel scopes: spans of work that are cancelled as a unit.
//!
//! A scope is a node of a tree. Cancelling it drops the futures that run in it and below it at their next await,
//! *unless a cancel-aware node is alive in there*: those ([`Scope::finally`], shields, nurseries, contexts) are counted
//! on every scope around them, are woken innermost first, tear down under a shield with a deadline of its own, and only
//! then may the futures around them be dropped. So a drop from inside keeps every guarantee.
//!
//! ```text
//! Scope (handle) ──▶ tree::Node   flag, deadline, aware count, waiting tasks; parent strong, children weak
//!   run(f) ──▶ Run<F>             polls f with the scope current; drops it once cancelled and nobody aware is left
//! ```
//!
//! This module never decides who is cancelled or why, starts no task, and knows no actor beyond the name it gives as
//! canceller when a deadline passes.
//!
//! # Invariants
//!
//! `SCOPE-1` to `SCOPE-4` are the tree's (`tree.rs`); further:
//!
//! - SCOPE-5: A cancel-aware node that was polled once never loses its cleanup to a cancellation, however scopes nest.
//! - SCOPE-6: A deadline cuts at its instant or later, never before, and only work that had to wait.
//! - SCOPE-7: A cancellation is caught once, by the outermost cancelled scope that runs on the same stack; a shield
//!   and a cancel-aware node always catch their own.
//! - SCOPE-8: The current scope after a poll or a drop is the one before it, even across a panic.

mod current;
mod deadline;
mod finally;
mod run;
pub(crate) mod slots;
mod tree;

#[cfg(all(test, tractor_loom))]
mod models;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tractor_ipc::msg::CancelReason;
use tractor_ipc::{ActorId, Instant};

use crate::clock::Clock;

pub use run::{Cancelled, Inherit, Run, inherit};
pub use tree::AwareGuard;

/// A handle to one scope. Clones are handles to the same scope.
#[derive(Clone)]
pub struct Scope(Arc<tree::Node>);

/// Who cancelled, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// Who asked.
    pub canceller: ActorId,
    /// Why.
    pub reason: CancelReason,
}

/// What a new scope is to be.
#[derive(Clone, Default)]
pub struct ScopeOptions {
    /// No cancellation and no deadline from outside reaches in. Give it a deadline of its own.
    pub shield: bool,
    /// When the scope is cancelled by itself.
    pub deadline: Option<Instant>,
    /// What those inside find by [`Scope::ambient`].
    pub ambient: Option<Arc<dyn Any + Send + Sync>>,
}

/// What an operation that is about to wait has to know of the scope it is in, by [`checkpoint`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// Not cancelled, or in no scope: go on.
    Clear,
    /// Cancelled, and whoever polls drops this future soon: stay pending and do nothing.
    Unwinding,
    /// Cancelled, but nobody around will drop this future: fail with the cancellation, or it would wait for ever.
    Cancelled(Cancellation),
}

impl Scope {
    /// A scope without a parent. `me` is who cancels where a deadline passes in it or below.
    pub fn root(clock: Arc<dyn Clock>, me: ActorId) -> Self {
        Self(tree::Node::root(clock, me))
    }

    /// A root inside a scope: cancelled with it, with a clock and a name of its own.
    pub fn root_inside(around: &Self, clock: Arc<dyn Clock>, me: ActorId) -> Self {
        Self(tree::Node::root_inside(&around.0, clock, me))
    }

    /// The scope of the code that runs now.
    pub fn current() -> Option<Self> {
        current::peek(|frame| frame.map(|frame| Self(frame.node.clone())))
    }

    /// A scope inside this one.
    pub fn child(&self) -> Self {
        self.child_with(ScopeOptions::default())
    }

    /// A scope inside this one, with options.
    pub fn child_with(&self, options: ScopeOptions) -> Self {
        let ScopeOptions {
            shield,
            deadline,
            ambient,
        } = options;
        Self(tree::Node::child(&self.0, shield, deadline, ambient))
    }

    /// Cancels this scope and, but for shields, all below it. The first cancellation stands; says whether it was this.
    pub fn cancel(&self, cancellation: Cancellation) -> bool {
        self.0.cancel(cancellation)
    }

    /// The cancellation that reaches this scope: its own, or that of the nearest scope around it up to a shield.
    pub fn cancellation(&self) -> Option<Cancellation> {
        self.0.cancellation()
    }

    /// Whether a cancellation reaches this scope.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// The cancellation of this very scope.
    pub fn cancel_called(&self) -> Option<Cancellation> {
        self.0.own_cancellation()
    }

    /// The earliest deadline of this scope and those around it up to the nearest shield, which counts.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }

    /// Moves this scope's own deadline. One that has passed already cancels nothing twice.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.0.set_deadline(deadline);
    }

    /// The clock of the root this scope belongs to.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.0.clock()
    }

    /// The actor of the root this scope belongs to.
    pub fn me(&self) -> &ActorId {
        self.0.me()
    }

    /// The nearest value of this type given to this scope or one around it.
    pub fn ambient<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.ambient()
    }

    /// Runs `future` in this scope: dropped at the next await once the scope is cancelled and no cancel-aware node is
    /// left in it. It is polled at least once. The scope's own deadline is watched from its first wait on.
    ///
    /// Several futures may run in one scope. Run it in a task of its own or inside a scope around it: a cancel-aware
    /// node is counted on the scopes around *its* scope, and no other waits for it.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future, inside the scope, and cancels nothing else.
    pub fn run<F: Future>(&self, future: F) -> Run<F> {
        Run::new(self.clone(), future)
    }

    /// Lets `future` see this scope as the current one; it is never dropped by it.
    pub fn inherit<F: Future>(&self, future: F) -> Inherit<F> {
        Inherit::new(self.clone(), future)
    }

    /// Calls `f` with this scope as the current one: for one poll, or for code in `Drop`.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        let mut frame = Some(current::Frame {
            node: self.0.clone(),
            unwinds: false,
        });
        let _inside = current::enter(&mut frame);
        f()
    }

    /// Waits until a cancellation reaches this scope. It watches no deadline: [`Scope::run`] does.
    ///
    /// # Cancel safety
    ///
    /// Dropping it forgets the wait.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled::new(self.clone())
    }

    /// Cancel-aware nodes alive in this scope and below it.
    pub fn aware_count(&self) -> usize {
        self.0.aware() as usize
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ScopeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeOptions")
            .field("shield", &self.shield)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Cancellation {
    /// The cancellation by a deadline of `canceller`'s own.
    pub fn deadline(canceller: ActorId) -> Self {
        Self {
            canceller,
            reason: CancelReason::Deadline,
        }
    }
}

impl std::error::Error for Cancellation {}

impl fmt::Display for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled by {}: {}", self.canceller, self.reason)
    }
}

/// Waits to be dropped, if whoever polls this is about to: for what has ended by a cancellation that is for a scope around
/// to catch. Whoever calls it holds no [`AwareGuard`] any more.
pub async fn give_way() {
    if current::is_unwinding() {
        std::future::pending::<()>().await;
    }
}

/// What the current scope says to an operation that is about to wait. Ask before anything is sent or taken.
pub fn checkpoint() -> Checkpoint {
    current::peek(|frame| match frame {
        Some(frame) if frame.unwinds && frame.node.is_cancelled() => Checkpoint::Unwinding,
        Some(frame) => frame
            .node
            .cancellation()
            .map_or(Checkpoint::Clear, Checkpoint::Cancelled),
        None => Checkpoint::Clear,
    })
}
