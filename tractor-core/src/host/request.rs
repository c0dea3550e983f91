//! What a process is to be started with.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use tractor_ipc::{ActorId, TreeId};

/// One process to start. What is not given is what this process has at the moment of the call.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartProcess {
    /// The actor it will be.
    pub actor: ActorId,
    /// The tree it belongs to.
    pub tree: TreeId,
    /// The child's end of its data link.
    pub link: OwnedFd,
    /// Its environment.
    pub env: ChildEnv,
    /// Its working directory; relative to this process's own.
    pub cwd: Option<PathBuf>,
    /// Its standard input.
    pub stdin: ChildStdio,
    /// Its standard output.
    pub stdout: ChildStdio,
    /// Its standard error.
    pub stderr: ChildStderr,
}

impl StartProcess {
    /// A process for this actor, with environment, working directory and standard streams of this one.
    pub fn new(actor: ActorId, tree: TreeId, link: OwnedFd) -> Self {
        Self {
            actor,
            tree,
            link,
            env: ChildEnv::default(),
            cwd: None,
            stdin: ChildStdio::Inherit,
            stdout: ChildStdio::Inherit,
            stderr: ChildStderr::Tail,
        }
    }
}

/// The environment of a child. The variables tractor needs are added, and its own are kept from leaking.
#[derive(Clone, Debug, Default)]
pub struct ChildEnv {
    /// The whole environment; `None` is that of this process at the call.
    pub base: Option<Vec<(OsString, OsString)>>,
    /// Variables set on top of it.
    pub set: Vec<(OsString, OsString)>,
    /// Variables taken out of it.
    pub remove: Vec<OsString>,
}

/// Where one standard stream of a child goes.
#[derive(Debug)]
pub enum ChildStdio {
    /// Where this process's own goes.
    Inherit,
    /// `/dev/null`.
    Null,
    /// Here.
    Fd(OwnedFd),
}

/// Where the standard error of a child goes.
#[derive(Debug)]
pub enum ChildStderr {
    /// To this process's own, through a pump that keeps the last few KiB for the report of a crash.
    Tail,
    /// As another stream; then there is no tail.
    Plain(ChildStdio),
}
