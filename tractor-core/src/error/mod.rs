//! Errors of the public operations, one enum each; [`Error`] gathers them.
//!
//! Variants answer what the caller can do now. All are `Clone`: whoever waited for the same thing gets the same error.

mod call;
mod context;
mod end;
mod spawn;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tractor_ipc::ActorId;

pub use call::{CallError, SendError};
pub use context::{OpenError, RecvError};
pub use end::EndError;
pub use spawn::SpawnError;

use crate::fault::{RemoteError, RemoteErrorKind};
use crate::message::{AnyError, AppError};
use crate::scope::Cancellation;

/// Any failure of this library, and of the actors below.
///
/// A block of a nursery or a context may return every error type that is `From<Error>`. A function or method of an actor
/// may return this one: the failure of an actor below it is passed on as it is, a group with all its members.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// A call failed; an error of the method's own type is carried as [`AnyError`] and can be taken out by
    /// [`AnyError::downcast`].
    Call(CallError<AnyError>),
    /// A context or stream could not be opened, or its far side failed.
    Open(OpenError),
    /// A one-way message or a streamed value was not sent.
    Send(SendError),
    /// A streamed value could not be received.
    Recv(RecvError),
    /// An actor could not be started.
    Spawn(SpawnError),
    /// An actor has not ended as it was asked to.
    End(EndError),
    /// An actor of the nursery failed; several are one failure of kind
    /// [`Group`](RemoteErrorKind::Group), which holds every member.
    Actor(RemoteError),
    /// The work was cancelled from around it.
    Cancelled(Cancellation),
    /// The nursery's block has ended: its handle can start nothing any more.
    NurseryClosed,
    /// A second root was opened on a runtime that has one.
    RootExists {
        /// The root that is there.
        root: ActorId,
    },
    /// There is no tokio runtime here, or none with what is needed.
    NoRuntime,
    /// This task belongs to no actor: its runtime has no root yet, or none any more.
    NoActor,
    /// The guardian of this process is gone: the tree was ended, since nothing could keep its promise any more.
    GuardianLost,
    /// An error of the program's own, rendered.
    App(AnyError),
}

/// The result most of this library's operations have.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Takes any error of the program's own.
    pub fn app(error: impl std::error::Error) -> Self {
        Self::App(AnyError::from(error))
    }

    /// The failure in another actor behind this error, if it is one.
    pub fn remote(&self) -> Option<&RemoteError> {
        match self {
            Self::Actor(error) => Some(error),
            Self::Call(error) => error.remote(),
            Self::Open(error) => error.remote(),
            Self::Send(error) => error.remote(),
            Self::Recv(error) => error.remote(),
            Self::Spawn(error) => error.remote(),
            Self::End(_)
            | Self::Cancelled(_)
            | Self::NurseryClosed
            | Self::RootExists { .. }
            | Self::NoRuntime
            | Self::NoActor
            | Self::GuardianLost
            | Self::App(_) => None,
        }
    }

    /// Whether it says that something was cancelled, and nothing else: a group of failures does if each of them does.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled(_)
            | Self::Call(CallError::Cancelled(_))
            | Self::Open(OpenError::Call(CallError::Cancelled(_)))
            | Self::Send(SendError::Cancelled(_))
            | Self::Recv(RecvError::Cancelled(_))
            | Self::Spawn(SpawnError::Cancelled(_)) => true,
            other => other.remote().is_some_and(RemoteError::is_cancelled),
        }
    }

    /// This error as a failure of `actor`, to be passed on.
    pub(crate) fn into_remote(self, actor: &ActorId) -> RemoteError {
        match self {
            Self::Actor(error) => error,
            Self::Call(error) => error.into_remote(actor),
            Self::Open(error) => error.into_remote(actor),
            Self::Cancelled(cancel) => {
                let text = cancel.to_string();
                RemoteError::new(cancel.into(), actor.clone(), text)
            }
            Self::App(error) => RemoteError::from_error(RemoteErrorKind::App, actor.clone(), error),
            Self::Spawn(error) => {
                let kind = RemoteErrorKind::Spawn;
                let spawn = RemoteError::from_error(kind, actor.clone(), AnyError::of(&error));
                match error.remote() {
                    Some(cause) => spawn.caused_by(cause.clone()),
                    None => spawn,
                }
            }
            Self::Send(SendError::Cancelled(cancel)) | Self::Recv(RecvError::Cancelled(cancel)) => {
                Self::Cancelled(cancel).into_remote(actor)
            }
            other @ (Self::Send(_) | Self::Recv(_)) => match other.remote() {
                Some(error) => error.clone().relayed_by(actor.clone()),
                None => {
                    let (kind, error) = (RemoteErrorKind::App, AnyError::of(&other));
                    RemoteError::from_error(kind, actor.clone(), error)
                }
            },
            Self::End(error) => {
                let kind = match error {
                    EndError::TooSlow { .. } => RemoteErrorKind::TooSlow,
                    EndError::NotOurs { .. } => RemoteErrorKind::App,
                };
                RemoteError::from_error(kind, actor.clone(), AnyError::of(&error))
            }
            other @ (Self::NurseryClosed
            | Self::RootExists { .. }
            | Self::NoRuntime
            | Self::NoActor
            | Self::GuardianLost) => {
                RemoteError::from_error(RemoteErrorKind::App, actor.clone(), AnyError::of(&other))
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
            Self::Recv(error) => error.fmt(f),
            Self::Spawn(error) => error.fmt(f),
            Self::End(error) => error.fmt(f),
            Self::Actor(error) => error.fmt(f),
            Self::Cancelled(cancel) => cancel.fmt(f),
            Self::NurseryClosed => {
                f.write_str("the nursery's block has ended; start actors inside it")
            }
            Self::RootExists { root } => {
                write!(
                    f,
                    "this runtime has a root already, {root}; open a nursery in it instead"
                )
            }
            Self::NoRuntime => f.write_str(
                "no tokio runtime with I/O and time is entered here; run this inside one",
            ),
            Self::NoActor => f.write_str(
                "this task belongs to no actor: no root is open on its runtime; open a nursery around it",
            ),
            Self::GuardianLost => f.write_str("the guardian process is gone; the tree was ended"),
            Self::App(error) => error.fmt(f),
        }
    }
}

/// As [`Display`](fmt::Display): a `main` that returns this error prints it in this form.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Spawn(error) => std::error::Error::source(error),
            Self::End(_)
            | Self::Call(_)
            | Self::Open(_)
            | Self::Send(_)
            | Self::Recv(_)
            | Self::Actor(_)
            | Self::Cancelled(_)
            | Self::NurseryClosed
            | Self::RootExists { .. }
            | Self::NoRuntime
            | Self::NoActor
            | Self::GuardianLost
            | Self::App(_) => None,
        }
    }
}

/// The form an [`Error`] travels in: the failure or the error of another actor whole, all else as its text.
#[derive(Serialize, Deserialize)]
enum Passed {
    Failure(RemoteError),
    Text(AnyError),
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let passed = match (self.remote(), self) {
            (Some(failure), _) => Passed::Failure(failure.clone()),
            (
                None,
                Self::Call(CallError::App { error, origin })
                | Self::Open(OpenError::Call(CallError::App { error, origin })),
            ) => {
                let (kind, error) = (RemoteErrorKind::App, error.clone());
                Passed::Failure(RemoteError::from_error(kind, origin.clone(), error))
            }
            (None, _) => Passed::Text(AnyError::of(self)),
        };
        passed.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Passed::deserialize(deserializer)? {
            Passed::Failure(failure) => Self::Actor(failure),
            Passed::Text(text) => Self::App(text),
        })
    }
}

impl<E: AppError> From<CallError<E>> for Error {
    fn from(error: CallError<E>) -> Self {
        Self::Call(error.rendered())
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl From<RecvError> for Error {
    fn from(error: RecvError) -> Self {
        Self::Recv(error)
    }
}

impl From<SpawnError> for Error {
    fn from(error: SpawnError) -> Self {
        Self::Spawn(error)
    }
}

impl From<EndError> for Error {
    fn from(error: EndError) -> Self {
        Self::End(error)
    }
}

impl From<RemoteError> for Error {
    fn from(error: RemoteError) -> Self {
        Self::Actor(error)
    }
}

impl From<Cancellation> for Error {
    fn from(cancel: Cancellation) -> Self {
        Self::Cancelled(cancel)
    }
}

impl From<Cancellation> for RemoteErrorKind {
    fn from(cancel: Cancellation) -> Self {
        Self::Cancelled {
            canceller: cancel.canceller,
            reason: cancel.reason,
        }
    }
}
