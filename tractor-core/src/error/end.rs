//! Errors of ending an actor.

use tractor_ipc::ActorId;

/// Why an actor has not ended as it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndError {
    /// It has not accepted the request within 0.5 s, or not ended in the time it then said. Its nursery goes on down the
    /// ladder by itself: it is terminated, then killed.
    #[error("{actor} did not end in time after it was asked to; its nursery ends it")]
    TooSlow {
        /// Which actor.
        actor: ActorId,
    },
    /// Only the actor that has started it may end it.
    #[error("{actor} was not started from here; only the actor that started it may end it")]
    NotOurs {
        /// Which actor.
        actor: ActorId,
    },
}
