//! A running case, seen from its harness; and the words the two exchange, by lines of the case's standard streams.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::census::Left;
use super::processes::{ends_within, parse_pids};
use crate::host::linux;

/// Longer than anything in a test takes on a machine that is busy with everything else.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A daemon the case has left may keep its output open for ever.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What begins the words of a case, which may be glued to libtest's "test x ... ".
const WORD: &str = "@@";

/// What begins the report of a descriptor that was left.
const LEFT: &str = "@!";

/// What a case says last, once all of its tree is said to be gone.
const FAREWELL: &str = "@.";

/// A case, seen from its harness.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<Heard>,
    left: Vec<Left>,
    farewell: bool,
    status: Option<ExitStatus>,
    clock: Option<Clock>,
}

/// Kills the case when its time is up.
#[derive(Debug)]
struct Clock {
    /// Dropped, it stops the clock.
    stop: mpsc::Sender<()>,
    /// Whether it has struck.
    thread: JoinHandle<bool>,
}

#[derive(Debug)]
enum Heard {
    Said(String),
    Error(String),
    Left(String),
    Farewell,
}

impl Running {
    pub(super) fn new(mut child: Child, within: Duration) -> Self {
        let (send, lines) = mpsc::channel();
        let (stdin, stdout, stderr) = (
            child.stdin.take().expect("it was given one"),
            child.stdout.take().expect("it was given one"),
            child.stderr.take().expect("it was given one"),
        );
        let words = send.clone();
        thread::spawn(move || {
            listen(stdout, |line| {
                if let Some((_, said)) = line.split_once(WORD) {
                    drop(words.send(Heard::Said(said.to_owned())));
                } else if let Some((_, left)) = line.split_once(LEFT) {
                    drop(words.send(Heard::Left(left.to_owned())));
                } else if line.contains(FAREWELL) {
                    drop(words.send(Heard::Farewell));
                } else {
                    println!("    {line}");
                }
            });
        });
        thread::spawn(move || {
            listen(stderr, |line| {
                println!("    ! {line}");
                drop(send.send(Heard::Error(line)));
            });
        });
        let clock = Some(Clock::start(Pid::from_child(&child), within));
        Self {
            child,
            stdin,
            lines,
            left: Vec::new(),
            farewell: false,
            status: None,
            clock,
        }
    }

    /// The next thing the case says.
    ///
    /// # Panics
    ///
    /// If it says nothing.
    pub fn hear(&mut self) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(Heard::Said(said)) => return said,
                Ok(other) => self.note(other),
                Err(_) => panic!("the case does not say anything"),
            }
        }
    }

    /// Waits for a line on the case's standard error that holds `text`.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub fn hear_error(&mut self, text: &str) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(Heard::Error(line)) if line.contains(text) => return,
                Ok(other) => self.note(other),
                Err(_) => panic!("{text:?} does not come on standard error"),
            }
        }
    }

    /// The pids the case says next.
    pub fn hear_pids(&mut self) -> Vec<Pid> {
        parse_pids(&self.hear())
    }

    /// Lets a case that paused go on.
    pub fn go_on(&mut self) {
        let told = self.stdin.write_all(b"\n");
        told.expect("the case is still there to be told");
    }

    /// The case's process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Kills the case's process.
    ///
    /// # Panics
    ///
    /// If it is gone already.
    pub fn kill(&self) {
        kill_process(self.pid(), Signal::KILL).expect("the case is still there to be killed");
    }

    /// Waits until the case has ended.
    ///
    /// # Panics
    ///
    /// If it has not in its time.
    pub fn wait(&mut self) -> ExitStatus {
        if let Some(status) = self.status {
            return status;
        }
        if let Some(pidfd) = linux::pidfd(self.pid()) {
            assert!(
                ends_within(&pidfd, PATIENCE * 2),
                "the case cannot be killed"
            );
        }
        let struck = self.clock.take().is_some_and(Clock::stop);
        let status = self.child.wait().expect("the case is our child");
        self.status = Some(status);
        // Its last words are still on their way.
        while let Ok(heard) = self.lines.recv_timeout(LAST_WORDS) {
            self.note(heard);
        }
        assert!(!struck, "its time was up: the case was killed");
        status
    }

    fn note(&mut self, heard: Heard) {
        match heard {
            Heard::Left(left) => self.left.push(Left::Descriptor(left)),
            Heard::Farewell => self.farewell = true,
            Heard::Said(_) | Heard::Error(_) => {}
        }
    }

    /// What the case itself has found to be left, and whether it has said that its tree is gone.
    pub(super) fn end(mut self) -> (Vec<Left>, bool) {
        let status = self.wait();
        let ended = status.success() || status.signal().is_some();
        assert!(ended, "the case ended with {status}");
        (std::mem::take(&mut self.left), self.farewell)
    }
}

/// A script that failed leaves no case behind.
impl Drop for Running {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _gone = self.child.kill();
            let _status = self.child.wait();
        }
    }
}

impl Clock {
    /// The process must not have been waited for while the clock runs: then the pid is its own.
    fn start(pid: Pid, within: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let struck = stopped.recv_timeout(within) == Err(RecvTimeoutError::Timeout);
            if struck {
                let _gone = kill_process(pid, Signal::KILL);
            }
            struck
        });
        Self { stop, thread }
    }

    /// Whether it had struck.
    fn stop(self) -> bool {
        drop(self.stop);
        self.thread.join().unwrap_or(true)
    }
}

fn listen(from: impl Read, mut to: impl FnMut(String)) {
    for line in BufReader::new(from).lines().map_while(Result::ok) {
        to(line);
    }
}

/// A script that only waits for the good end of its case.
///
/// # Panics
///
/// If it ends otherwise.
pub fn ends_well(running: &mut Running) {
    let status = running.wait();
    assert!(status.success(), "the case ended with {status}");
}

/// In the case: says something to the harness.
pub fn say(what: impl Display) {
    println!("{WORD}{what}");
}

/// In the case: says these pids.
pub fn say_pids(pids: impl IntoIterator<Item = Pid>) {
    let pids: Vec<_> = pids.into_iter().map(|pid| pid.to_string()).collect();
    say(pids.join(" "));
}

/// In the case: waits for the harness.
///
/// # Panics
///
/// If standard input cannot be read.
pub fn pause() {
    let read = std::io::stdin().read_line(&mut String::new());
    read.expect("standard input is the harness's pipe");
}

/// In the case: reports a descriptor that is left.
pub(super) fn report_left(what: impl Display) {
    println!("{LEFT}{what}");
}

/// In the case: says that its tree is gone.
pub(super) fn bid_farewell() {
    println!("{FAREWELL}");
}
