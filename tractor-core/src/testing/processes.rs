//! Processes, as tests look at them and do to them.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

use crate::host::linux;

/// Whether the process of this pidfd ends in time.
pub fn ends_within(pidfd: &OwnedFd, within: Duration) -> bool {
    let within = Timespec::try_from(within).ok();
    poll(&mut [PollFd::new(pidfd, PollFlags::IN)], within.as_ref()) == Ok(1)
}

/// The pids in a text.
///
/// # Panics
///
/// If anything else is in it.
pub fn parse_pids(text: &str) -> Vec<Pid> {
    let pids = text.split_whitespace().map(|pid| pid.parse().ok());
    pids.map(|pid| pid.and_then(Pid::from_raw).expect("a pid"))
        .collect()
}

/// The children of this process, the dead ones among them.
///
/// # Panics
///
/// If `/proc` cannot be read.
pub fn children() -> Vec<Pid> {
    linux::children().expect("`/proc` can be read")
}

/// The children of any process of one thread.
///
/// # Panics
///
/// If there is no such process.
pub fn children_of(pid: Pid) -> Vec<Pid> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    parse_pids(&std::fs::read_to_string(path).expect("the process is there"))
}

/// Nanny and guardian of the root this process is.
///
/// # Panics
///
/// If there are none.
pub fn nanny_and_guardian() -> (Pid, Pid) {
    let nanny = linux::children().expect("`/proc` can be read")[0];
    (nanny, children_of(nanny)[0])
}

/// Stops a process, and sees it stopped: another signal would overtake this one.
///
/// # Panics
///
/// If there is no such process.
pub fn stop(pid: Pid) {
    kill_process(pid, Signal::STOP).expect("the process is there");
    while linux::state_of(pid) != Some('T') {
        std::thread::yield_now();
    }
}
