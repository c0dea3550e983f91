//! Ending the actor behind a portal: three verbs, each a place on the ladder to begin at.

use tractor_ipc::msg::CancelReason;

use super::{Portal, Way};
use crate::actor::Actor;
use crate::error::EndError;
use crate::node::{Node, Verb};
use crate::scope::Cancellation;

/// Only the actor that has started another may end it; the actor's nursery performs the verbs and is told of nothing else
/// by them: an actor that was ended on purpose is no failure of its nursery.
impl<A: Actor> Portal<A> {
    /// Lets the actor finish the calls it has, then ends it, and returns when it and all below it have been reaped. What
    /// it has not finished within its drain (5 s by default) is cancelled.
    ///
    /// # Errors
    ///
    /// [`EndError::NotOurs`].
    ///
    /// # Cancel safety
    ///
    /// The order is given at the first poll and stands; dropping only stops the wait.
    pub async fn stop(&self) -> Result<(), EndError> {
        self.end(|_| Verb::Stop).await
    }

    /// Asks the actor to end with all below it, and returns when they have been reaped.
    ///
    /// # Errors
    ///
    /// [`EndError::TooSlow`] if it has not accepted the request within 0.5 s, or not ended in the time it then said; its
    /// nursery takes it further down the ladder meanwhile. [`EndError::NotOurs`].
    ///
    /// # Cancel safety
    ///
    /// The order is given at the first poll and stands; dropping only stops the wait.
    pub async fn cancel_actor(&self) -> Result<(), EndError> {
        self.end(|node| {
            let canceller = node.id().clone();
            let reason = CancelReason::Requested;
            Verb::Cancel(Cancellation { canceller, reason })
        })
        .await
    }

    /// Kills the actor's process, and what is below it, without asking, and returns when it has been reaped.
    ///
    /// # Errors
    ///
    /// [`EndError::NotOurs`].
    ///
    /// # Cancel safety
    ///
    /// The order is given at the first poll and stands; dropping only stops the wait.
    pub async fn kill(&self) -> Result<(), EndError> {
        self.end(|_| Verb::Kill).await
    }

    async fn end(&self, verb: impl FnOnce(&Node) -> Verb) -> Result<(), EndError> {
        let Ok(Way::Link(far)) = self.resolve() else {
            return Err(self.not_ours());
        };
        match far.peer.child() {
            Some(child) => {
                let node = far.peer.node();
                child.end(verb(node), node).await
            }
            None => Err(self.not_ours()),
        }
    }

    fn not_ours(&self) -> EndError {
        EndError::NotOurs {
            actor: self.id().clone(),
        }
    }
}
