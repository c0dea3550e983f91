//! Errors of calls and of one-way messages.

use std::fmt;

use tractor_ipc::ActorId;

use crate::fault::{RemoteError, RemoteErrorKind};
use crate::message::{AnyError, AppError, Never};
use crate::scope::Cancellation;

/// Why a call has no result.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum CallError<E = Never> {
    /// The method's own error.
    App {
        /// As the value it returned.
        error: E,
        /// The actor whose method it was: whoever passes the error on by `?` says so.
        origin: ActorId,
    },
    /// The handler panicked, by which a stateful actor ends; or the reading of its arguments did, by which none does.
    Panicked(RemoteError),
    /// The call was cancelled: by its deadline, by the caller's scope, or by whoever ends the actor.
    Cancelled(Cancellation),
    /// The actor, or the link to it, went away before it answered. It may or may not have run the call.
    Lost(RemoteError),
    /// The actor is ending and takes no new work; nothing was run.
    Stopping(RemoteError),
    /// The actor waits, through these actors, for this very caller: the call could never be answered.
    Deadlock {
        /// The actors of the cycle, the callee first.
        cycle: Vec<ActorId>,
    },
    /// More actors wait for one another than [`CHAIN_MAX`](tractor_ipc::limits::CHAIN_MAX).
    TooDeep {
        /// How many.
        depth: usize,
    },
    /// The actor does not expose this function; the text says how to expose it.
    NotExposed(RemoteError),
    /// Arguments or result do not have the types the other end expects.
    MsgType(RemoteError),
    /// The arguments are larger than a message may be; nothing was sent.
    TooLarge {
        /// Their size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// As many calls are open on this link as may be; nothing was sent.
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// Any other failure of the callee, among them failures it passed on.
    Failed(RemoteError),
}

impl<E> CallError<E> {
    /// The failure in the other actor, if it is one.
    pub fn remote(&self) -> Option<&RemoteError> {
        match self {
            Self::Panicked(error)
            | Self::Lost(error)
            | Self::Stopping(error)
            | Self::NotExposed(error)
            | Self::MsgType(error)
            | Self::Failed(error) => Some(error),
            Self::App { .. }
            | Self::Cancelled(_)
            | Self::Deadlock { .. }
            | Self::TooDeep { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. } => None,
        }
    }

    /// The method's own error, if it is one.
    pub fn app(&self) -> Option<&E> {
        match self {
            Self::App { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl<E: AppError> CallError<E> {
    /// The same error with the method's own one rendered.
    pub fn rendered(&self) -> CallError<AnyError> {
        match self {
            Self::App { error, origin } => CallError::App {
                error: error.render(),
                origin: origin.clone(),
            },
            Self::Panicked(error) => CallError::Panicked(error.clone()),
            Self::Cancelled(cancel) => CallError::Cancelled(cancel.clone()),
            Self::Lost(error) => CallError::Lost(error.clone()),
            Self::Stopping(error) => CallError::Stopping(error.clone()),
            Self::Deadlock { cycle } => CallError::Deadlock {
                cycle: cycle.clone(),
            },
            Self::TooDeep { depth } => CallError::TooDeep { depth: *depth },
            Self::NotExposed(error) => CallError::NotExposed(error.clone()),
            Self::MsgType(error) => CallError::MsgType(error.clone()),
            Self::TooLarge { size, limit } => CallError::TooLarge {
                size: *size,
                limit: *limit,
            },
            Self::TooMany { limit } => CallError::TooMany { limit: *limit },
            Self::Failed(error) => CallError::Failed(error.clone()),
        }
    }

    /// What a fault from the callee means to the caller of a method whose error is `E`.
    pub(crate) fn from_remote(error: RemoteError) -> Self {
        let passed_on = !error.relay().is_empty();
        match error.kind() {
            RemoteErrorKind::Cancelled { canceller, reason } => Self::Cancelled(Cancellation {
                canceller: canceller.clone(),
                reason: *reason,
            }),
            RemoteErrorKind::Deadlock => Self::Deadlock {
                cycle: error.relay().to_vec(),
            },
            // What happened elsewhere: the callee itself is well.
            _ if passed_on => Self::Failed(error),
            RemoteErrorKind::App => match error.downcast::<E>() {
                Some(app) => Self::App {
                    error: app,
                    origin: error.origin().clone(),
                },
                None => Self::Failed(error),
            },
            RemoteErrorKind::Panic => Self::Panicked(error),
            RemoteErrorKind::Lost
            | RemoteErrorKind::Exited { .. }
            | RemoteErrorKind::Killed { .. } => Self::Lost(error),
            RemoteErrorKind::Stopping => Self::Stopping(error),
            RemoteErrorKind::NotExposed => Self::NotExposed(error),
            RemoteErrorKind::MsgType { .. } => Self::MsgType(error),
            RemoteErrorKind::TooLarge { size, limit } => Self::TooLarge {
                size: *size,
                limit: *limit,
            },
            _ => Self::Failed(error),
        }
    }
}

impl CallError<AnyError> {
    pub(crate) fn into_remote(self, actor: &ActorId) -> RemoteError {
        let text = self.to_string();
        let make = |kind| RemoteError::new(kind, actor.clone(), &text);
        match self {
            Self::Panicked(error)
            | Self::Lost(error)
            | Self::Stopping(error)
            | Self::NotExposed(error)
            | Self::MsgType(error)
            | Self::Failed(error) => error.relayed_by(actor.clone()),
            Self::App { error, origin } => {
                let error = RemoteError::from_error(RemoteErrorKind::App, origin, error);
                error.relayed_by(actor.clone())
            }
            Self::Cancelled(cancel) => make(cancel.into()),
            Self::Deadlock { .. } => make(RemoteErrorKind::Deadlock),
            Self::TooDeep { .. } => make(RemoteErrorKind::TooDeep),
            Self::TooLarge { size, limit } => make(RemoteErrorKind::TooLarge { size, limit }),
            Self::TooMany { .. } => make(RemoteErrorKind::App),
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App { error, .. } => error.fmt(f),
            Self::Panicked(error) => write!(f, "the handler panicked: {error}"),
            Self::Cancelled(cancel) => write!(f, "the call was cancelled: {cancel}"),
            Self::Lost(error) => write!(f, "the actor went away before it answered: {error}"),
            Self::Stopping(error) => write!(f, "the actor takes no new work: {error}"),
            Self::Deadlock { cycle } => {
                f.write_str("the call would wait for itself: ")?;
                let names: Vec<_> = cycle.iter().map(ActorId::to_string).collect();
                f.write_str(&names.join(" -> "))
            }
            Self::TooDeep { depth } => write!(f, "{depth} actors wait for one another"),
            Self::NotExposed(error) | Self::MsgType(error) | Self::Failed(error) => error.fmt(f),
            Self::TooLarge { size, limit } => {
                write!(
                    f,
                    "the message has {size} bytes; at most {limit} are allowed"
                )
            }
            Self::TooMany { limit } => {
                write!(f, "{limit} calls are open on this link, the most it allows")
            }
        }
    }
}

impl<E: AppError> std::error::Error for CallError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::App { error, .. } => error.as_error().and_then(std::error::Error::source),
            Self::Panicked(_)
            | Self::Cancelled(_)
            | Self::Lost(_)
            | Self::Stopping(_)
            | Self::Deadlock { .. }
            | Self::TooDeep { .. }
            | Self::NotExposed(_)
            | Self::MsgType(_)
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Failed(_) => None,
        }
    }
}

/// Why a one-way message or a streamed value was not accepted.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no room now; the value was not taken.
    #[error("there is no room for it now")]
    Full,
    /// The receiver takes no more: the stream's far side has ended or stopped reading.
    #[error("the receiver takes no more")]
    Closed,
    /// The actor, or the link to it, went away.
    #[error("the actor went away: {0}")]
    Lost(RemoteError),
    /// The actor is ending and takes no new work.
    #[error("the actor takes no new work: {0}")]
    Stopping(RemoteError),
    /// The dialog was cancelled.
    #[error("the stream was cancelled: {0}")]
    Cancelled(Cancellation),
    /// The far side failed.
    #[error("the far side failed: {0}")]
    Failed(RemoteError),
    /// The value is larger than a message may be; nothing was sent.
    #[error("the message has {size} bytes; at most {limit} are allowed")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The value does not encode.
    #[error("the value does not encode: {0}")]
    Encode(AnyError),
}

impl SendError {
    /// The failure in the other actor, if it is one.
    pub fn remote(&self) -> Option<&RemoteError> {
        match self {
            Self::Lost(error) | Self::Stopping(error) | Self::Failed(error) => Some(error),
            Self::Full
            | Self::Closed
            | Self::Cancelled(_)
            | Self::TooLarge { .. }
            | Self::Encode(_) => None,
        }
    }
}
