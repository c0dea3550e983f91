//! Errors of starting an actor.

use std::time::Duration;

use tractor_ipc::NameError;

use crate::fault::RemoteError;
use crate::message::AnyError;
use crate::scope::Cancellation;

/// Why an actor was not started. Nothing of it is left when this is returned.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The name is not one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The nursery's block has ended, or it is being cancelled.
    #[error("the nursery takes no new actor: {reason}")]
    Closed {
        /// What it is doing.
        reason: &'static str,
    },
    /// The spawn method cannot work here; `instead` is what to use.
    #[error("spawn method `{method}` is not available: {reason}; use `{instead}` instead")]
    Unsupported {
        /// The method asked for.
        method: &'static str,
        /// Why it cannot work.
        reason: &'static str,
        /// Where the reason is explained at length, if it is.
        analysis: Option<&'static str>,
        /// The method to use instead.
        instead: &'static str,
    },
    /// There is no such spawn method.
    #[error("there is no spawn method `{given}`; the methods are {known}")]
    UnknownMethod {
        /// What was asked for.
        given: String,
        /// The methods there are.
        known: String,
    },
    /// This program was not started so that it can start actors.
    #[error(
        "this program cannot start actors: {reason}; call `tractor::init()` first thing in `main`"
    )]
    NotInitialized {
        /// What is missing.
        reason: AnyError,
    },
    /// The operating system, or the guardian, refused.
    #[error("the process could not be started: {0}")]
    Start(AnyError),
    /// The process ended before it was ready.
    #[error("{name} died while booting: it {how}{}", stderr_note(.stderr))]
    DiedBooting {
        /// The actor's name.
        name: String,
        /// How it ended: its exit code or the signal.
        how: String,
        /// What it last wrote to its standard error.
        stderr: String,
    },
    /// The process was there, but not ready in time; it was killed.
    #[error("{name} was not ready within {limit:?} and was killed{}", stderr_note(.stderr))]
    BootTimeout {
        /// The actor's name.
        name: String,
        /// How long it had.
        limit: Duration,
        /// What it last wrote to its standard error.
        stderr: String,
    },
    /// The handshake with the child failed.
    #[error("{name} did not complete its handshake: {error}")]
    Handshake {
        /// The actor's name.
        name: String,
        /// What went wrong.
        error: AnyError,
    },
    /// The actor's `#[init]` failed or panicked.
    #[error("{name} failed to initialize: {error}")]
    Init {
        /// The actor's name.
        name: String,
        /// Its failure.
        error: RemoteError,
    },
    /// The caller was cancelled while the actor started; it was killed and reaped.
    #[error("the start was cancelled: {0}")]
    Cancelled(Cancellation),
    /// The guardian of this process is gone.
    #[error("the guardian process is gone")]
    GuardianLost,
    /// The arguments do not encode.
    #[error("the actor's arguments do not encode: {0}")]
    Encode(AnyError),
}

impl SpawnError {
    /// The failure of the actor's own, if it is one.
    pub fn remote(&self) -> Option<&RemoteError> {
        match self {
            Self::Init { error, .. } => Some(error),
            Self::Name(_)
            | Self::Closed { .. }
            | Self::Unsupported { .. }
            | Self::UnknownMethod { .. }
            | Self::NotInitialized { .. }
            | Self::Start(_)
            | Self::DiedBooting { .. }
            | Self::BootTimeout { .. }
            | Self::Handshake { .. }
            | Self::Cancelled(_)
            | Self::GuardianLost
            | Self::Encode(_) => None,
        }
    }
}

fn stderr_note(stderr: &str) -> String {
    match stderr.trim_end() {
        "" => String::new(),
        tail => format!("; it last wrote:\n{tail}"),
    }
}
