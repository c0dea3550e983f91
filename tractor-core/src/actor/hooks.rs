//! What a handler's end means for its actor, and the hook that decides over failed one-way messages.

use crate::fault::{RemoteError, RemoteErrorKind};
use crate::message::{AnyError, AppError};

use super::Actor;

/// What becomes of the actor after a handler.
#[derive(Debug)]
#[non_exhaustive]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It has failed, by this error of its own.
    Crash(AnyError),
}

/// What an actor does about a one-way message that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// It goes on; the failure is logged and counted.
    Continue,
    /// It fails by it.
    Crash,
}

/// The failure of a one-way message.
#[derive(Debug, Clone)]
pub struct CastError {
    method: &'static str,
    error: AnyError,
}

impl CastError {
    /// The failure of `method`.
    pub fn new<E: AppError>(method: &'static str, error: &E) -> Self {
        Self {
            method,
            error: error.render(),
        }
    }

    /// The method that failed.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Its error.
    pub fn error(&self) -> &AnyError {
        &self.error
    }
}

/// Asks the hook and says what follows.
pub(super) fn cast_failed<A: Actor>(actor: &A, failed: CastError) -> Flow {
    let (method, error) = (failed.method, failed.error.clone());
    match actor.on_error(failed) {
        OnError::Continue => {
            tracing::error!(method, %error, "a one-way message failed");
            Flow::Continue
        }
        OnError::Crash => Flow::Crash(error),
    }
}

/// A message that reached a handler of the wrong kind: the method table and the handlers disagree.
pub fn misrouted<M>(_msg: M) -> Flow {
    debug_assert!(false, "a message reached a handler of another kind");
    Flow::Crash(AnyError::message(
        "a message reached a handler of another kind",
    ))
}

/// The crash of an actor as what its nursery is told.
pub(super) fn crash(error: AnyError, origin: &tractor_ipc::ActorId) -> RemoteError {
    RemoteError::from_error(RemoteErrorKind::App, origin.clone(), error)
}
