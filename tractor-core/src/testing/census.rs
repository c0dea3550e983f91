//! What a case has left behind: by descent (the harness is a subreaper) and by the mark every process of it carries.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::case::MARK;
use super::processes::ends_within;
use crate::host::linux;

/// Something that should not be there any more.
#[derive(Clone, Debug)]
pub enum Left {
    /// A process, dead or alive.
    Process {
        /// Its command line.
        command: String,
        /// The tag of the actor it belongs to.
        actor: Option<String>,
        /// The letter of its state.
        state: Option<char>,
    },
    /// A descriptor of the case's own process: its number and what it is.
    Descriptor(String),
    /// A socket in the case's folder.
    Socket(PathBuf),
}

impl Left {
    fn process(pid: Pid) -> Self {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        Self::Process {
            command: String::from_utf8_lossy(&command).replace('\0', " "),
            actor: linux::tag_of(pid),
            state: linux::state_of(pid),
        }
    }
}

/// How long after the death of its root a tree may still be on its way out: the promise is a second.
const GRACE: Duration = Duration::from_secs(1);

/// Every process of this harness's case that is still there. It is killed then.
///
/// After its farewell a case has nothing, neither living nor dead; otherwise there is time to go, and who has gone is
/// ours to reap, since its parents went before it could be theirs.
pub(super) fn of_processes(farewell: bool) -> Vec<Left> {
    let mut left = Vec::new();
    for pid in processes_of_the_case() {
        let process = Left::process(pid);
        if !farewell {
            let gone = linux::pidfd(pid).is_none_or(|pidfd| ends_within(&pidfd, GRACE));
            if gone && !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None)) {
                continue;
            }
        }
        left.push(process);
    }
    // Some may have come while we looked, and killing may set others free.
    while let Some(pid) = processes_of_the_case().pop() {
        let _gone = kill_process(pid, Signal::KILL);
        let _reaped = waitpid(Some(pid), WaitOptions::empty());
    }
    left
}

/// The sockets in a folder, at any depth.
pub(super) fn of_sockets(folder: &Path) -> Vec<Left> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let kind = entry.file_type();
        if kind.as_ref().is_ok_and(FileTypeExt::is_socket) {
            left.push(Left::Socket(entry.path()));
        } else if kind.is_ok_and(|kind| kind.is_dir()) {
            left.extend(of_sockets(&entry.path()));
        }
    }
    left
}

/// In the harness: every process of its case, dead or alive, whatever it did to its parents.
///
/// # Panics
///
/// If `/proc` cannot be read.
pub fn processes_of_the_case() -> Vec<Pid> {
    let mut found = linux::children().expect("`/proc` can be read");
    let mark = format!("{MARK}={}", std::env::var(MARK).unwrap_or_default());
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else {
            continue;
        };
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        let marked = variables.any(|variable| variable == mark.as_bytes());
        if marked && pid != rustix::process::getpid() && !found.contains(&pid) {
            found.push(pid);
        }
    }
    found
}
