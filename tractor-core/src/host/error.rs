//! Why a process could not be started or signalled, and how a host is lost.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a process was not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// This process is a fork of the one that owns the guardian: it has the memory of a root, not its children.
    #[error(
        "process {here} is a fork of the root {root}; start the tree after forking, or exec in the child"
    )]
    ForkedRoot {
        /// The process that started the guardian.
        root: u32,
        /// The one that asked.
        here: u32,
    },
    /// The guardian is gone, and with it every process of the tree.
    #[error(transparent)]
    GuardianLost(#[from] GuardianLost),
    /// A re-executed image would not learn its role: neither the entry hook nor `tractor::init()` ran here.
    #[error(
        "this program's image cannot be re-executed as an actor: call `tractor::init()` first thing in `main`, \
         or link tractor into the program itself rather than into a shared library"
    )]
    NoEntry,
    /// The working directory asked for cannot be used.
    #[error("the working directory {} cannot be used", path.display())]
    WorkingDirectory {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: OsError,
    },
    /// An environment variable or argument cannot travel: it holds a NUL byte, or its name is empty or holds `=`.
    #[error("the environment variable {name:?} cannot be given to a child")]
    Environment {
        /// The variable.
        name: String,
    },
    /// A step on the way failed in this process.
    #[error("{what} failed")]
    Prepare {
        /// The step.
        what: &'static str,
        /// What the operating system said.
        #[source]
        source: OsError,
    },
    /// The guardian refused, or the new process could not become the image.
    #[error("{stage}")]
    Refused {
        /// How far it came.
        stage: StartStage,
        /// What the operating system said.
        #[source]
        source: OsError,
    },
}

/// How far a start came before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StartStage {
    /// The guardian has no room for another process, or the request came without its descriptors.
    Admit,
    /// The guardian could not fork.
    Fork,
    /// The new process could not take its descriptors.
    Descriptors,
    /// The new process could not enter its working directory.
    WorkingDirectory,
    /// The image could not be executed.
    Exec,
}

impl fmt::Display for StartStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admit => "the guardian has no room for the process",
            Self::Fork => "the guardian could not fork",
            Self::Descriptors => "the new process could not take its descriptors",
            Self::WorkingDirectory => "the new process could not enter its working directory",
            Self::Exec => "the image could not be executed",
        })
    }
}

/// Why a signal could not be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// The guardian is gone; the process is being killed with it.
    #[error(transparent)]
    GuardianLost(#[from] GuardianLost),
    /// This process is a fork of the one that owns the guardian.
    #[error("process {here} is a fork of the root {root}")]
    ForkedRoot {
        /// The process that started the guardian.
        root: u32,
        /// The one that asked.
        here: u32,
    },
}

/// How a guardian came to be gone under a living tree. The tree fails closed: all its processes are killed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardianLost {
    /// It could not be started.
    #[error("the guardian could not be started")]
    NotStarted {
        /// What the operating system said.
        #[source]
        source: OsError,
    },
    /// It, or the nanny above it, ended or was killed.
    #[error("the guardian ended under the tree, so every process of the tree is being killed")]
    Ended,
    /// It did not answer, was taken for stopped, and was killed.
    #[error(
        "the guardian did not answer for {silent_for:?}, so it and every process of the tree are being killed"
    )]
    Silent {
        /// How long it had been silent.
        silent_for: Duration,
    },
    /// It was told to leave: this process is on its way out.
    #[error("the guardian has left: this process is ending")]
    Shutdown,
}

/// An error number of the operating system, as a value that can be cloned, compared and sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OsError(i32);

impl OsError {
    /// The error with this number.
    pub const fn from_raw(errno: i32) -> Self {
        Self(errno)
    }

    /// Its number.
    pub const fn raw(self) -> i32 {
        self.0
    }
}

impl From<rustix::io::Errno> for OsError {
    fn from(errno: rustix::io::Errno) -> Self {
        Self(errno.raw_os_error())
    }
}

impl From<io::Error> for OsError {
    fn from(error: io::Error) -> Self {
        Self(error.raw_os_error().unwrap_or(libc::EIO))
    }
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&io::Error::from_raw_os_error(self.0), f)
    }
}

impl fmt::Debug for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&io::Error::from_raw_os_error(self.0), f)
    }
}

impl std::error::Error for OsError {}
