//! An actor's lifelines: when its parent or its guardian is gone, so is this process, whatever its executor does.
//!
//! Watched by a small thread of its own: an actor that blocks its executor for ever dies all the same. There is no grace:
//! nobody is left whom an orderly end could serve, and the guardian kills at the same moment.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal;

use crate::guardian::arm;
use crate::guardian::client::{self, Inherited};
use crate::host::StartError;
use crate::host::linux::failed;

/// Watches `lifeline`, whose far end the parent holds, and the inherited connection to the guardian, until this process
/// ends.
///
/// # Errors
///
/// If the thread cannot be started.
pub fn watch(lifeline: OwnedFd) -> Result<(), StartError> {
    let guardian = client::inherited();
    let body = move || {
        while !has_ended(&lifeline, guardian.as_ref()) {}
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, Signal::KILL);
    };
    arm::quiet_thread("lifeline", STACK, body).map_err(failed("starting the lifeline's thread"))
}

/// Waits for a change; whether it was the end of a lifeline. What comes on them is left to others.
fn has_ended(lifeline: &OwnedFd, guardian: Option<&Inherited>) -> bool {
    let mut fds = vec![PollFd::new(lifeline, PollFlags::RDHUP)];
    fds.extend(guardian.map(|guardian| PollFd::new(guardian, PollFlags::RDHUP)));
    let end = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    poll(&mut fds, None).is_ok() && fds.iter().any(|fd| fd.revents().intersects(end))
}

/// The thread only polls.
const STACK: usize = 64 << 10;
