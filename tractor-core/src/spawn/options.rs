//! What a child's process is given beside its actor.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use crate::host::{ChildEnv, ChildStderr, ChildStdio, StartProcess, linux};

/// What a child's process is given; what is not said is its parent's at the call.
#[derive(Debug, Default)]
pub struct ProcessOptions {
    env: Vec<(OsString, OsString)>,
    removed: Vec<OsString>,
    cleared: bool,
    base: Option<Vec<(OsString, OsString)>>,
    cwd: Option<PathBuf>,
    stdin: StdioTo,
    stdout: StdioTo,
    stderr: StderrTo,
}

/// Where a standard stream of a child goes.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum StdioTo {
    /// Where its parent's goes.
    #[default]
    Inherit,
    /// Nowhere.
    Null,
    /// To this file, pipe or socket.
    Fd(OwnedFd),
}

/// Where the standard error of a child goes.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum StderrTo {
    /// Where its parent's goes, through a pump that keeps the last lines for the report of a crash.
    #[default]
    Tail,
    /// As another stream; a crash is then reported without its last lines.
    Plain(StdioTo),
}

impl ProcessOptions {
    pub(crate) fn set_env(&mut self, name: OsString, value: OsString) {
        self.env.push((name, value));
    }

    pub(crate) fn remove_env(&mut self, name: OsString) {
        self.removed.push(name);
    }

    pub(crate) fn clear_env(&mut self) {
        self.cleared = true;
    }

    /// Takes this process's environment, directory and standard streams as they are now, where nothing else was said.
    pub(crate) fn snapshot(&mut self) {
        if !self.cleared {
            self.base = Some(std::env::vars_os().collect());
        }
        let here = std::env::current_dir();
        self.cwd = match (self.cwd.take(), here) {
            (Some(cwd), Ok(here)) => Some(here.join(cwd)),
            (Some(cwd), Err(_)) => Some(cwd),
            (None, here) => here.ok(),
        };
        linux::fill_standard_streams();
        self.stdin.hold(io::stdin().as_fd());
        self.stdout.hold(io::stdout().as_fd());
        if let StderrTo::Plain(stderr) = &mut self.stderr {
            stderr.hold(io::stderr().as_fd());
        }
    }

    pub(crate) fn set_cwd(&mut self, cwd: PathBuf) {
        self.cwd = Some(cwd);
    }

    pub(crate) fn set_stdin(&mut self, to: StdioTo) {
        self.stdin = to;
    }

    pub(crate) fn set_stdout(&mut self, to: StdioTo) {
        self.stdout = to;
    }

    pub(crate) fn set_stderr(&mut self, to: StderrTo) {
        self.stderr = to;
    }

    /// Fills in what the process is to be started with.
    pub(super) fn apply(self, request: &mut StartProcess) {
        request.env = ChildEnv {
            base: self.base.or_else(|| self.cleared.then(Vec::new)),
            set: self.env,
            remove: self.removed,
        };
        request.cwd = self.cwd;
        request.stdin = self.stdin.into();
        request.stdout = self.stdout.into();
        request.stderr = match self.stderr {
            StderrTo::Tail => ChildStderr::Tail,
            StderrTo::Plain(to) => ChildStderr::Plain(to.into()),
        };
    }
}

impl StdioTo {
    /// Keeps this process's own stream as it is now, if it is to be inherited. One that cannot be duplicated is left to the
    /// start, which says why.
    fn hold(&mut self, own: BorrowedFd<'_>) {
        if let Self::Inherit = self {
            match linux::standard_stream(own) {
                Some(open) => {
                    if let Ok(held) = open.try_clone_to_owned() {
                        *self = Self::Fd(held);
                    }
                }
                None => *self = Self::Null,
            }
        }
    }
}

impl From<StdioTo> for ChildStdio {
    fn from(to: StdioTo) -> Self {
        match to {
            StdioTo::Inherit => Self::Inherit,
            StdioTo::Null => Self::Null,
            StdioTo::Fd(fd) => Self::Fd(fd),
        }
    }
}
