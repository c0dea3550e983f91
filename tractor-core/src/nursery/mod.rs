//! Nurseries: scopes that own actors, and that none of them outlives.
//!
//! `driver` polls the block beside everything it started and performs what the pure
//! [`Supervisor`](crate::proto::Supervisor) decides; `child` is one actor from its admission to its reaping, in a task of
//! its own; `core` is what both share; `start` and `oneshot` are the builders.
//!
//! - NUR-1: a nursery does not end before every actor in it has ended and been reaped.
//! - NUR-2: a child is owned by its task from its birth to its reaping: a nursery dropped from outside loses none.

mod child;
mod core;
mod driver;
mod exit;
mod oneshot;
mod options;
mod root;
mod start;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

pub use driver::open_nursery;
pub use exit::on_exit;
pub use oneshot::{OneShot, RunError, RunInActor};
pub use options::{NurseryOptions, nursery};
pub use root::{
    Root, RootBuilder, current_actor, current_parent, current_tree, is_root, now, root, statistics,
};
pub use start::StartActor;

use self::core::{Core, Local};
use crate::actor::IntoSpec;
use crate::error::Error;
use crate::rpc::{FnCall, RpcFn};
use crate::scope::Cancellation;
use tractor_ipc::msg::CancelReason;

/// The handle of a nursery, as its block holds it. Cheap to clone; outside the block it answers
/// [`Error::NurseryClosed`] or its like.
pub struct ActorNursery<'env> {
    core: Arc<Core>,
    local: Arc<Local<'env>>,
}

impl<'env> ActorNursery<'env> {
    /// Starts an actor that serves until it is stopped. Awaited, it gives the actor's portal once its `#[init]` is done.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, the actor is ended.
    pub fn start_actor<S: IntoSpec>(&self, name: &str, spec: S) -> StartActor<'_, S::Actor> {
        StartActor::new(&self.core, name, spec.into_spec())
    }

    /// Runs a function in an actor of its own: started, run and reaped. Awaited, it gives the result; by
    /// [`start`](RunInActor::start) it is left to the nursery.
    pub fn run_in_actor<F: RpcFn>(&self, call: FnCall<F>) -> RunInActor<'_, F> {
        RunInActor::new(&self.core, call)
    }

    /// Runs `task` beside the block, in this process; it may borrow what the nursery may. Its error is the nursery's.
    /// Once the nursery has stopped its actors there is nobody to run it for: it is dropped without having been polled.
    pub fn start_soon<T>(&self, task: T)
    where
        T: Future<Output = Result<(), Error>> + Send + 'env,
    {
        self.local.push(Box::pin(task));
        self.core.wake();
    }

    /// Asks every actor of the nursery to end, and returns when all have been reaped. The block goes on.
    ///
    /// # Cancel safety
    ///
    /// The request is made at the first poll and stands; dropping only stops the wait.
    pub async fn cancel(&self) {
        let canceller = self.core.actor().clone();
        self.core.cancel(Cancellation {
            canceller,
            reason: CancelReason::Requested,
        });
        self.core.wait_childless().await;
    }

    /// Kills every actor of the nursery without asking, and returns when all have been reaped. The block goes on.
    ///
    /// # Cancel safety
    ///
    /// The order is given at the first poll and stands; dropping only stops the wait.
    pub async fn kill(&self) {
        let canceller = self.core.actor().clone();
        self.core.kill(Cancellation {
            canceller,
            reason: CancelReason::Requested,
        });
        self.core.wait_childless().await;
    }

    /// Waits until no actor is left in the nursery: the way to keep daemons serving at the end of a block.
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped wait changes nothing.
    pub async fn wait(&self) {
        self.core.wait_childless().await;
    }

    /// Whether the nursery has been told to end before its time.
    pub fn cancel_called(&self) -> bool {
        self.core.is_cancelling()
    }
}

impl Clone for ActorNursery<'_> {
    fn clone(&self) -> Self {
        Self {
            core: self.core.clone(),
            local: self.local.clone(),
        }
    }
}

impl fmt::Debug for ActorNursery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorNursery(of {})", self.core.actor())
    }
}
