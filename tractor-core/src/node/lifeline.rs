//! An actor's lifelines: when its parent or its guardian is gone, so is this process, whatever its executor does.
//!
//! Watched by a small thread of its own: an actor that blocks its executor for ever dies all the same. There is no grace:
//! nobody is left whom an orderly end could serve, and the guardian kills at the same moment.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal;

use crate::guardian::arm;
use crate::host::StartError;
use crate::host::linux::failed;

/// Watches `lifeline`, whose far end the parent holds, until this process ends.
///
/// # Errors
///
/// If the thread cannot be started.
pub fn watch(lifeline: OwnedFd) -> Result<(), StartError> {
    let body = move || {
        while !has_ended(&lifeline) {}
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, Signal::KILL);
    };
    arm::quiet_thread("lifeline", STACK, body).map_err(failed("starting the lifeline's thread"))
}

/// Waits for a change of the lifeline; whether it was its end. Nothing is sent on it yet; what comes is left there.
fn has_ended(lifeline: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(lifeline, PollFlags::RDHUP)];
    let end = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    poll(&mut fds, None).is_ok() && fds[0].revents().intersects(end)
}

/// The thread only polls.
const STACK: usize = 64 << 10;
