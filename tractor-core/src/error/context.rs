//! Errors of contexts and streams.

use crate::fault::{RemoteError, RemoteErrorKind};
use crate::message::AnyError;
use crate::scope::Cancellation;
use tractor_ipc::ActorId;

use super::CallError;

/// Why a context or a stream could not be opened, or did not end well.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The request failed as a call can fail, or the far task did.
    #[error(transparent)]
    Call(#[from] CallError<AnyError>),
    /// The far task returned before its first value.
    #[error("the far task ended before its first value: {outcome}")]
    EndedBeforeStarted {
        /// How it ended: its result rendered as "returned".
        outcome: AnyError,
    },
    /// An actor cannot open a context to itself: the two tasks would wait for each other.
    #[error("{actor} cannot open a context to itself")]
    ToSelf {
        /// Which actor.
        actor: ActorId,
    },
    /// The first value or the result does not have the type this side expects.
    #[error("the far task sent {what} of another type: {error}")]
    MsgType {
        /// Which value.
        what: &'static str,
        /// What the decoder said.
        error: AnyError,
    },
    /// The far task was asked to end and did not within its time.
    #[error("the far task did not end in time after it was cancelled")]
    TooSlow,
    /// The context's block has ended.
    #[error("the context's block has ended")]
    Closed,
}

impl OpenError {
    /// The failure in the other actor, if it is one.
    pub fn remote(&self) -> Option<&RemoteError> {
        match self {
            Self::Call(error) => error.remote(),
            Self::EndedBeforeStarted { .. }
            | Self::ToSelf { .. }
            | Self::MsgType { .. }
            | Self::TooSlow
            | Self::Closed => None,
        }
    }

    pub(crate) fn into_remote(self, actor: &ActorId) -> RemoteError {
        let kind = match self {
            Self::Call(error) => return error.into_remote(actor),
            Self::MsgType { .. } => RemoteErrorKind::MsgType {
                expected: None,
                got: None,
            },
            Self::TooSlow => RemoteErrorKind::TooSlow,
            Self::EndedBeforeStarted { .. } | Self::ToSelf { .. } | Self::Closed => {
                RemoteErrorKind::App
            }
        };
        RemoteError::from_error(kind, actor.clone(), AnyError::of(&self))
    }
}

/// Why there is no next value of a stream, other than its orderly end.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// The far side failed; values it sent before were delivered first.
    #[error("the far side failed: {0}")]
    Failed(RemoteError),
    /// The context was cancelled.
    #[error("the stream was cancelled: {0}")]
    Cancelled(Cancellation),
    /// The actor, or the link to it, went away.
    #[error("the actor went away: {0}")]
    Lost(RemoteError),
    /// The value does not have the type this side expects.
    #[error("the value does not decode: {0}")]
    MsgType(AnyError),
    /// The context's block has ended.
    #[error("the context's block has ended")]
    Closed,
}

impl RecvError {
    /// The failure in the other actor, if it is one.
    pub fn remote(&self) -> Option<&RemoteError> {
        match self {
            Self::Failed(error) | Self::Lost(error) => Some(error),
            Self::Cancelled(_) | Self::MsgType(_) | Self::Closed => None,
        }
    }
}
