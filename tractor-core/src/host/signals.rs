//! Signals of this process as descriptors a thread can wait on.
//!
//! The handlers write a byte into a socket and do nothing else, so one that is full loses nothing: then there is something
//! to be read. A signal this process was started to ignore (`nohup`, a job of a shell script) stays ignored.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Waits for signals, by their numbers.
#[derive(Debug)]
pub struct Signals {
    /// The signal, where its bytes come, and the descriptor its handler writes them to.
    watched: Vec<(i32, UnixStream, RawFd)>,
}

impl Signals {
    /// Takes these signals over, but for those that are ignored. For good: what was done about them before is done beside.
    ///
    /// # Errors
    ///
    /// If the operating system lacks what it takes.
    pub fn install(signals: &[i32]) -> io::Result<Self> {
        let ignored = super::linux::ignored_signals();
        let heeded = signals
            .iter()
            .filter(|signal| ignored & (1 << (*signal - 1)) == 0);
        // All that may be lacking first: a handler, once there, cannot be taken back.
        let mut pairs = Vec::new();
        for signal in heeded {
            let (read, write) = UnixStream::pair()?;
            read.set_nonblocking(true)?;
            pairs.push((*signal, read, write));
        }
        let mut watched = Vec::new();
        for (signal, read, write) in pairs {
            let writes = write.as_raw_fd();
            signal_hook::low_level::pipe::register(signal, write)?;
            watched.push((signal, read, writes));
        }
        Ok(Self { watched })
    }

    /// Waits for signals, at most so long; each is told once, however often it was sent since it was told last.
    pub fn wait(&mut self, within: Option<Duration>) -> Vec<i32> {
        let within = within.and_then(|within| Timespec::try_from(within).ok());
        let mut fds: Vec<_> = self
            .watched
            .iter()
            .map(|(_, read, _)| PollFd::new(read, PollFlags::IN))
            .collect();
        // An interrupted wait is looked at like any other.
        let _ready = poll(&mut fds, within.as_ref());
        self.watched
            .iter()
            .filter(|(_, read, _)| has_come(read))
            .map(|(signal, _, _)| *signal)
            .collect()
    }

    /// The numbers of the descriptors that stay open until the process ends.
    #[cfg(feature = "testing")]
    pub fn descriptors(&self) -> Vec<i32> {
        let read = self.watched.iter();
        read.flat_map(|(_, read, write)| [read.as_raw_fd(), *write])
            .collect()
    }
}

/// Reads all that is there.
fn has_come(mut read: &UnixStream) -> bool {
    let mut come = false;
    while let Ok(1..) = read.read(&mut [0; 64]) {
        come = true;
    }
    come
}
