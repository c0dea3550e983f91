//! The operating system behind a trait: how a process actor comes to be, is signalled, and is seen to end.
//!
//! Owns the vocabulary ([`StartProcess`], [`StartedProcess`], [`ExitWatch`], the errors) and what needs no privilege of
//! its own: descriptors, `/proc`, the stderr pump. It must never fork, never wait for a child and never know the tree:
//! that is the guardian's, which implements [`ProcessHost`] on Linux. [`fake::FakeHost`] implements it for tests.
//!
//! Invariants:
//! - HOST-1: An exit is reported once and to every waiter alike, on and off an executor.
//! - HOST-2: A descriptor made here is close-on-exec from its birth: no other spawn of this process can inherit it.

pub mod error;
pub mod fake;
pub mod latch;
pub mod linux;
pub mod request;
pub mod signals;
pub mod stderr;

use std::fmt;
use std::os::fd::OwnedFd;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use error::{GuardianLost, OsError, SignalError, StartError, StartStage};
pub use latch::Latch;
pub use request::{ChildEnv, ChildStderr, ChildStdio, StartProcess};
pub use stderr::StderrTail;

/// Starts processes, signals them and tells how they end.
#[async_trait]
pub trait ProcessHost: Send + Sync + fmt::Debug {
    /// Starts one process of this image.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done: the process, if it came to be, is killed and reaped.
    ///
    /// # Errors
    ///
    /// [`StartError`] says what stood in the way; no process is left.
    async fn start(&self, request: StartProcess) -> Result<StartedProcess, StartError>;

    /// Asks for a signal to be sent; one for a process that has ended already is dropped.
    ///
    /// # Errors
    ///
    /// [`SignalError`] if the request could not even be made.
    fn signal(&self, id: ProcessId, signal: Signal) -> Result<(), SignalError>;

    /// Set once the host can keep its promises no longer: every process it started is being killed.
    fn lost(&self) -> &Latch<GuardianLost>;
}

/// One process a host started. Unlike a pid it is never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId(u64);

impl ProcessId {
    /// The process with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.0)
    }
}

/// What a host can be asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExitStatus {
    /// It left with this exit code.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
    /// The host was lost before it could tell; the process has been killed with it.
    Unreported,
}

impl ExitStatus {
    /// Whether it left with code 0.
    pub fn success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Signaled(signal) => write!(f, "killed by signal {signal}"),
            Self::Unreported => f.write_str("killed together with its guardian"),
        }
    }
}

/// A running process, as its parent holds it.
#[derive(Debug)]
pub struct StartedProcess {
    /// Its name to the host.
    pub id: ProcessId,
    /// Its pid, for people and logs; signals go by `id`.
    pub pid: u32,
    /// When and how it ends.
    pub exit: ExitWatch,
    /// What it last wrote to its standard error.
    pub stderr: StderrTail,
    /// Dropping this tells the child that its parent is gone: it dies at once.
    pub lifeline: OwnedFd,
}

/// When and how one process ends. Cheap to clone; any number of waiters, on an executor or off it.
#[derive(Clone, Debug)]
pub struct ExitWatch {
    latch: Latch<ExitStatus>,
}

impl ExitWatch {
    /// A watch and the latch that whoever learns of the exit sets.
    pub fn new() -> (Self, Latch<ExitStatus>) {
        let latch = Latch::new();
        let watch = Self {
            latch: latch.clone(),
        };
        (watch, latch)
    }

    /// How it ended, if it has.
    pub fn status(&self) -> Option<ExitStatus> {
        self.latch.peek()
    }

    /// Waits for its end.
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped wait changes nothing.
    pub async fn wait(&self) -> ExitStatus {
        self.latch.wait().await
    }

    /// Blocks this thread until its end, at most `within`.
    pub fn wait_blocking(&self, within: Duration) -> Option<ExitStatus> {
        self.latch.wait_blocking(within)
    }
}
