//! The nanny: a subreaper above the guardian that cleans up if the guardian cannot.
//!
//! It starts the guardian, waits for it or for the root to end, and kills and reaps all it inherits. A guardian alone
//! would leak the daemons of the tree when it is killed, and everything when it is stopped while the root dies.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitIdOptions, WaitOptions, waitid};

use super::arm::{self, Fork};
use super::{SWEEP_GRACE, serve, title};
use crate::host::linux;

/// The life of the process the root started: nanny here, guardian in a fork of it. `connection` is the root's.
pub fn run(connection: OwnedFd, root: Pid) -> ! {
    let _ = rustix::thread::set_name(c"tr-nanny");
    arm::reset_signals();
    arm::ignore(&IGNORED);
    // A group of its own, so that what a terminal sends to the root's does not reach it; a directory nobody unmounts.
    let _ = rustix::process::setpgid(None, None);
    let _ = rustix::process::chdir("/");
    let me = rustix::process::getpid();
    let _ = rustix::process::set_child_subreaper(Some(me));
    let Ok(connection) = arm::keep_only(connection) else {
        arm::exit_now(EXIT_START)
    };
    let root_watch = linux::pidfd(root);
    if rustix::process::getppid() != Some(root) {
        arm::exit_now(arm::EXIT_ORPHAN);
    }
    match arm::fork() {
        Ok(Fork::Child) => serve::run(connection, root_watch, me),
        Ok(Fork::Parent(guardian)) => {
            drop(connection);
            // It was started under the guardian's, which that one keeps.
            let first = std::env::args().next().unwrap_or_default();
            let program = first.strip_suffix(": guardian").unwrap_or(&first);
            title::set_title(&format!("{program}: nanny"));
            watch(guardian, root, root_watch);
            sweep();
            arm::exit_now(0)
        }
        Err(_) => arm::exit_now(EXIT_START),
    }
}

/// Returns once the guardian has ended, of itself or by our hand after the root.
fn watch(guardian: Pid, root: Pid, root_watch: Option<OwnedFd>) {
    let guardian_watch = linux::pidfd(guardian);
    let blind = root_watch.is_none() || guardian_watch.is_none();
    loop {
        let watched = [&root_watch, &guardian_watch];
        let mut fds: Vec<_> = watched
            .into_iter()
            .flatten()
            .map(|fd| PollFd::new(fd, PollFlags::IN))
            .collect();
        let _ = poll(&mut fds, blind.then_some(&BLIND_LOOK));
        if has_ended(guardian) {
            return;
        }
        if rustix::process::getppid() != Some(root) {
            break;
        }
    }
    // The guardian sees the same and is faster, unless it is stopped; then it is the first that the sweep kills.
    if let Some(fd) = &guardian_watch {
        let grace = Timespec::try_from(SWEEP_GRACE).ok();
        let _ = poll(&mut [PollFd::new(fd, PollFlags::IN)], grace.as_ref());
    }
}

/// Whether our child has ended; it is left for [`sweep`] to reap.
fn has_ended(child: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match waitid(rustix::process::WaitId::Pid(child), options) {
        Ok(status) => status.is_some(),
        Err(errno) => errno != Errno::INTR,
    }
}

/// Kills and reaps every child, and every process that becomes one by that, until none is left.
pub(super) fn sweep() {
    loop {
        for child in linux::children().unwrap_or_default() {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        // Each death may hand us orphans: look again after every one.
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
    }
}

/// What a terminal, a service manager or a curious user may send to everything they find: both die by their own rules
/// only.
pub(super) const IGNORED: [i32; 11] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGPIPE,
    libc::SIGALRM,
    libc::SIGUSR1,
    libc::SIGUSR2,
];

/// How often to look where the kernel grants no pidfd.
const BLIND_LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// Exit code of a nanny that could not start.
const EXIT_START: i32 = 110;
