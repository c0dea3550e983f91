//! What a case has left behind: by descent (the harness is a subreaper) and by the mark every process of it carries.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions};
use tractor_core::host::linux;

use crate::harness::{Case, MARK, case, case_with, ends_well, say, this_test};

/// A process that should not be there.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) command: String,
    #[expect(dead_code, reason = "shown when a census fails")]
    pub state: Option<char>,
}

/// Everything of this harness's case that is still there a second after its end. It is killed then.
pub(crate) fn take() -> Vec<Left> {
    let mut left = Vec::new();
    for pid in present() {
        let gone = linux::pidfd(pid).is_none_or(|fd| ends_within(&fd, Duration::from_secs(1)));
        let reaped = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
        if gone && !matches!(reaped, Ok(None)) {
            continue;
        }
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        left.push(Left {
            command: String::from_utf8_lossy(&command).replace('\0', " "),
            state: linux::state_of(pid),
        });
    }
    // Some may have come while we looked, and killing may set others free.
    while let Some(pid) = present().pop() {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
        let _ = rustix::process::waitpid(Some(pid), WaitOptions::empty());
    }
    left
}

fn present() -> Vec<Pid> {
    let mut found = linux::children().unwrap();
    let mark = format!("{MARK}={}", std::env::var(MARK).unwrap());
    for entry in std::fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let pid = Pid::from_raw(pid).unwrap();
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let marked = environment
            .split(|byte| *byte == 0)
            .any(|v| v == mark.as_bytes());
        if marked && pid != rustix::process::getpid() && !found.contains(&pid) {
            found.push(pid);
        }
    }
    found
}

pub(crate) fn ends_within(pidfd: &OwnedFd, within: Duration) -> bool {
    let within = Timespec::try_from(within).unwrap();
    poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&within)) == Ok(1)
}

/// The census of these tests can fail: a daemon that left its parents, and even its process group, is found.
#[test]
fn it_finds_what_is_left() {
    Case::new(this_test!()).run_judged(
        async || {
            let daemon = "setsid sleep 1000 >&- 2>&- <&- &";
            std::process::Command::new("sh")
                .args(["-c", daemon])
                .status()
                .unwrap();
        },
        ends_well,
        |left| {
            assert_eq!(left.len(), 1, "{left:?}");
            assert!(left[0].command.contains("sleep 1000"), "{left:?}");
        },
    );
}

/// A failing case fails its test, and its words are shown.
#[test]
fn it_passes_on_what_the_case_says() {
    case_with(
        this_test!(),
        async || say("hello"),
        |running| assert_eq!(running.hear(), "hello"),
    );
}

/// A case without a tree leaves nothing.
#[test]
fn an_empty_case_leaves_nothing() {
    case(this_test!(), async || {});
}
