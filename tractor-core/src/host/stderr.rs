//! The standard error of children: forwarded to ours, and its last few KiB kept for the report of a crash.
//!
//! One small thread per process pumps all children's pipes. A child's last words are in its pipe before its exit can be
//! seen, so [`StderrTail::take`] reads the pipe itself and never waits for the pump, which may be blocked on our own
//! standard error.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

use super::latch::Latch;
use super::linux::Wake;
use crate::limits::STDERR_TAIL;

/// The last bytes one child wrote to its standard error.
#[derive(Clone, Debug)]
pub struct StderrTail {
    source: Option<Arc<Source>>,
}

impl StderrTail {
    /// The tail of a child whose standard error goes elsewhere: always empty.
    pub fn none() -> Self {
        Self { source: None }
    }

    /// A pipe whose far end is a child's standard error, pumped to ours.
    ///
    /// # Errors
    ///
    /// If the pipe or the pump's thread cannot be made.
    pub fn piped() -> io::Result<(Self, OwnedFd)> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&read, OFlags::NONBLOCK)?;
        let source = Arc::new(Source {
            pipe: read,
            state: Mutex::default(),
        });
        Pump::adopt(Arc::clone(&source))?;
        let tail = Self {
            source: Some(source),
        };
        Ok((tail, write))
    }

    /// What is there now, as text. Once the child's exit is known, that is everything it wrote, as far as it fits.
    pub fn take(&self) -> String {
        let Some(source) = &self.source else {
            return String::new();
        };
        let mut state = source.lock();
        let mut read = 0;
        while read < PIPE_CAPACITY {
            match state.read(&source.pipe) {
                Ok(0) | Err(_) => break,
                Ok(count) => read += count,
            }
        }
        let (front, back) = state.tail.as_slices();
        let bytes = [front, back].concat();
        drop(state);
        if read > 0 {
            Pump::wake();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Waits until what children have written so far is on our own standard error; `false` if that took longer.
pub fn flush(within: Duration) -> bool {
    let done = Latch::new();
    {
        let pump = PUMP.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pump) = &*pump else { return true };
        let mut inbox = pump.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.flushes.push(done.clone());
        pump.wake.signal();
    }
    done.wait_blocking(within).is_some()
}

/// What the pump keeps open until the process ends.
#[cfg(feature = "testing")]
pub(crate) fn kept() -> Option<std::os::fd::RawFd> {
    use std::os::fd::{AsFd, AsRawFd};
    let pump = PUMP.lock().unwrap_or_else(PoisonError::into_inner);
    pump.as_ref().map(|pump| pump.wake.as_fd().as_raw_fd())
}

#[derive(Debug)]
struct Source {
    /// Open until nobody asks for the tail any more.
    pipe: OwnedFd,
    state: Mutex<State>,
}

impl Source {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    tail: VecDeque<u8>,
    /// Read but not yet on our standard error. The pump empties it before it reads again; [`StderrTail::take`] adds
    /// at most one pipe's capacity a call.
    unforwarded: Vec<u8>,
}

impl State {
    /// Reads once, without blocking; 0 is the end.
    fn read(&mut self, pipe: &OwnedFd) -> Result<usize, Errno> {
        let mut bytes = [0_u8; READ_CHUNK];
        let count = rustix::io::read(pipe, &mut bytes)?;
        let bytes = &bytes[..count];
        self.unforwarded.extend_from_slice(bytes);
        self.tail.extend(bytes);
        let excess = self.tail.len().saturating_sub(STDERR_TAIL);
        self.tail.drain(..excess);
        Ok(count)
    }
}

/// What the pump's thread is handed.
#[derive(Debug)]
struct Pump {
    wake: Wake,
    inbox: Mutex<Inbox>,
}

#[derive(Debug, Default)]
struct Inbox {
    sources: Vec<Arc<Source>>,
    flushes: Vec<Latch<()>>,
}

impl Pump {
    fn adopt(source: Arc<Source>) -> io::Result<()> {
        let mut place = PUMP.lock().unwrap_or_else(PoisonError::into_inner);
        let pump = match &*place {
            Some(pump) => Arc::clone(pump),
            None => {
                let pump = Arc::new(Self {
                    wake: Wake::new()?,
                    inbox: Mutex::default(),
                });
                let thread = Arc::clone(&pump);
                // Owned by the process: it ends with it.
                std::thread::Builder::new()
                    .name("tractor-stderr".into())
                    .stack_size(STACK)
                    .spawn(move || thread.run())?;
                *place = Some(Arc::clone(&pump));
                pump
            }
        };
        drop(place);
        let mut inbox = pump.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.sources.push(source);
        pump.wake.signal();
        Ok(())
    }

    fn wake() {
        if let Some(pump) = &*PUMP.lock().unwrap_or_else(PoisonError::into_inner) {
            pump.wake.signal();
        }
    }

    fn run(&self) {
        let mut sources: Vec<Arc<Source>> = Vec::new();
        loop {
            self.wake.clear();
            let inbox = {
                let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut *inbox)
            };
            sources.extend(inbox.sources);
            sources.retain(|source| pump_once(source));
            for flush in inbox.flushes {
                flush.set(());
            }
            wait_for_input(&self.wake, &sources);
        }
    }
}

/// Forwards what one child has written up to a pipe's capacity; `false` after its end.
fn pump_once(source: &Source) -> bool {
    for _ in 0..PIPE_CAPACITY / READ_CHUNK {
        let (bytes, read) = {
            let mut state = source.lock();
            let read = state.read(&source.pipe);
            (std::mem::take(&mut state.unforwarded), read)
        };
        // Our own standard error may be closed; the tail is kept all the same.
        let _ = io::stderr().write_all(&bytes);
        match read {
            Ok(0) => return false,
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return true,
            Err(_) => return false,
        }
    }
    true
}

fn wait_for_input(wake: &Wake, sources: &[Arc<Source>]) {
    let mut fds = vec![PollFd::new(wake, PollFlags::IN)];
    fds.extend(
        sources
            .iter()
            .map(|source| PollFd::new(&source.pipe, PollFlags::IN)),
    );
    let _ = poll(&mut fds, None);
}

static PUMP: Mutex<Option<Arc<Pump>>> = Mutex::new(None);

/// One read: the unit in which a child's output reaches our standard error.
const READ_CHUNK: usize = 4 << 10;

/// What a pipe holds by default: nobody reads more than this of one child before looking at the next.
const PIPE_CAPACITY: usize = 64 << 10;

/// The pump needs a few KiB and the read buffer; what is not touched costs no memory.
const STACK: usize = 128 << 10;
