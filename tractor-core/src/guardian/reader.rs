//! The threads that read a connection to the guardian: the root's, which also starts the guardian, pings it and sees to
//! its end, and an actor's.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use super::client::{Client, ClientRole};
use super::wire::{self, Event, Received, Request};
use super::{LEAVE, PING_EVERY, PINGS_MISSED_MAX, START_TICKS_MAX, arm};
use crate::host::linux::{self, ROLE_VARIABLE, failed};
use crate::host::{GuardianLost, OsError, StartError};

/// Makes this process a root: its guardian is being started when this returns, and takes requests.
pub(super) fn start_root() -> Result<Arc<Client>, StartError> {
    let (ours, theirs) = linux::record_pair().map_err(failed("making the guardian's socket"))?;
    let client = Arc::new(Client::new(ClientRole::Root, ours)?);
    let timer = ticks().map_err(failed("making a timer"))?;
    client.lock().read = true;
    let thread = Arc::clone(&client);
    arm::quiet_thread("tractor-guard", STACK, move || {
        let reader = Reader::new(thread);
        match start_nanny(theirs) {
            Ok(nanny) => reader.root(nanny, &timer),
            Err(source) => {
                reader.client.lose(&GuardianLost::NotStarted { source });
                reader.client.bury();
            }
        }
    })
    .map_err(failed("starting the guardian's thread"))?;
    Ok(client)
}

/// Starts the reader of an actor's connection, unless it runs.
pub(super) fn ensure_actor(client: &Arc<Client>) -> Result<(), StartError> {
    let mut state = client.lock();
    if state.read {
        return Ok(());
    }
    let thread = Arc::clone(client);
    arm::quiet_thread("tractor-guard", STACK, move || Reader::new(thread).actor())
        .map_err(failed("starting the guardian's thread"))?;
    state.read = true;
    Ok(())
}

/// The image again, as nanny; the socket is its standard input, so that no descriptor is inherited by accident and std
/// need not fork a copy of a large root.
fn start_nanny(socket: OwnedFd) -> Result<Child, OsError> {
    let name = std::env::args_os().next().unwrap_or_default();
    let mut title = name;
    title.push(": guardian");
    let spawned = Command::new(linux::image())
        .arg0(title)
        .env(ROLE_VARIABLE, format!("g:{}", std::process::id()))
        .stdin(Stdio::from(socket))
        .stdout(Stdio::null())
        .spawn();
    spawned.map_err(OsError::from)
}

struct Reader {
    client: Arc<Client>,
    buffer: Vec<u8>,
    guardian: Option<Guardian>,
}

struct Guardian {
    pid: u32,
    watch: Option<OwnedFd>,
}

impl Reader {
    fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            buffer: Vec::new(),
            guardian: None,
        }
    }

    /// Until the guardian is gone; then so is this process: it must not outlive its tree.
    fn actor(mut self) {
        loop {
            self.wait(&[]);
            if self.read_all() == Heard::End {
                self.client.lose(&GuardianLost::Ended);
                let me = rustix::process::getpid();
                let _ = rustix::process::kill_process(me, Signal::KILL);
                return;
            }
        }
    }

    fn root(mut self, mut nanny: Child, timer: &OwnedFd) {
        let nanny_pid = i32::try_from(nanny.id()).ok().and_then(Pid::from_raw);
        let nanny_watch = nanny_pid.and_then(linux::pidfd);
        let cause = self.serve_root(nanny_watch.as_ref(), timer);
        self.client.lose(&cause);
        self.see_off(&mut nanny, nanny_watch.as_ref());
        self.client.bury();
    }

    /// Serves until the guardian is gone, and says how it went.
    fn serve_root(&mut self, nanny: Option<&OwnedFd>, timer: &OwnedFd) -> GuardianLost {
        let mut silent_ticks = 0;
        let mut pings = 0;
        loop {
            let watched: Vec<_> = [Some(timer), nanny].into_iter().flatten().collect();
            let nanny_ended = self.wait(&watched).get(1).copied().unwrap_or(false);
            match self.read_all() {
                Heard::End => return self.cause(),
                Heard::Something => silent_ticks = 0,
                Heard::Nothing => {}
            }
            if nanny_ended {
                return self.cause(); // the guardian sees it too, and kills everything
            }
            // One tick a turn, however many have passed: a root that was stopped itself learns nothing from them.
            if rustix::io::read(timer, &mut [0_u8; 8]).is_ok() {
                let leaving = self.client.leaving.load(Ordering::Relaxed);
                let allowed = match &self.guardian {
                    None if !leaving => START_TICKS_MAX,
                    Some(_) | None => PINGS_MISSED_MAX,
                };
                if silent_ticks >= allowed {
                    self.kill_guardian();
                    let silent_for = PING_EVERY * silent_ticks;
                    return GuardianLost::Silent { silent_for };
                }
                silent_ticks += 1;
                pings += 1;
                self.client.post(&Request::Ping(pings), Vec::new());
            }
        }
    }

    fn cause(&self) -> GuardianLost {
        if self.client.leaving.load(Ordering::Relaxed) {
            GuardianLost::Shutdown
        } else {
            GuardianLost::Ended
        }
    }

    /// Waits until guardian and nanny have ended, and with them all they had; makes them, if it takes too long.
    fn see_off(&self, nanny: &mut Child, nanny_watch: Option<&OwnedFd>) {
        if let Some(watch) = self.guardian.as_ref().and_then(|g| g.watch.as_ref())
            && !ended_within(watch)
        {
            self.kill_guardian();
        }
        let left = match nanny_watch {
            Some(watch) => ended_within(watch),
            None => (0..BLIND_LOOKS).any(|_| has_left(nanny)),
        };
        if !left {
            let _ = nanny.kill();
        }
        // Taken by a `waitpid(-1)` of the program's own, perhaps; then there is nothing left to reap.
        let _ = nanny.wait();
    }

    fn kill_guardian(&self) {
        let Some(guardian) = &self.guardian else {
            return;
        };
        match &guardian.watch {
            Some(watch) => {
                let _ = rustix::process::pidfd_send_signal(watch, Signal::KILL);
            }
            None => {
                // Without pidfds: its socket is open, so the pid is still its own.
                if let Some(pid) = i32::try_from(guardian.pid).ok().and_then(Pid::from_raw) {
                    let _ = rustix::process::kill_process(pid, Signal::KILL);
                }
            }
        }
    }

    /// Waits until there is something to read or to write, or one of `others` is ready; says which of those.
    fn wait(&self, others: &[&OwnedFd]) -> Vec<bool> {
        let mut interest = PollFlags::IN;
        interest.set(PollFlags::OUT, !self.client.flush());
        let mut fds = vec![
            PollFd::new(&self.client.socket, interest),
            PollFd::new(&self.client.wake, PollFlags::IN),
        ];
        fds.extend(others.iter().map(|fd| PollFd::new(*fd, PollFlags::IN)));
        let _ = poll(&mut fds, None);
        let ready = fds[2..].iter().map(|fd| !fd.revents().is_empty()).collect();
        self.client.wake.clear();
        ready
    }

    /// Takes everything that has arrived.
    fn read_all(&mut self) -> Heard {
        let mut heard = Heard::Nothing;
        loop {
            match wire::receive(&self.client.socket, &mut self.buffer) {
                Ok(Received::Message(event, fds)) => {
                    self.handle(event, fds);
                    heard = Heard::Something;
                }
                Err(Errno::AGAIN) => return heard,
                Err(Errno::INTR) => {}
                Ok(Received::End | Received::Undecodable) | Err(_) => return Heard::End,
            }
        }
    }

    fn handle(&mut self, event: Event, fds: Vec<OwnedFd>) {
        match event {
            Event::Hello { guardian: pid } => {
                let watch = fds.into_iter().next();
                self.guardian = Some(Guardian { pid, watch });
            }
            Event::Spawned { token, id, pid } => self.client.answered(token, Ok((id, pid))),
            Event::Refused {
                token,
                stage,
                error: source,
            } => {
                let refused = StartError::Refused { stage, source };
                self.client.answered(token, Err(refused));
            }
            Event::Exited { id, status } => self.client.exited(id, status),
            Event::Pong(_) => {}
        }
    }
}

/// What a look at the connection gave.
#[derive(PartialEq, Eq)]
enum Heard {
    Nothing,
    Something,
    End,
}

fn ended_within(watch: &OwnedFd) -> bool {
    let within = Timespec::try_from(LEAVE).ok();
    let ready = poll(&mut [PollFd::new(watch, PollFlags::IN)], within.as_ref());
    matches!(ready, Ok(1..))
}

/// Whether the nanny has left, for where there are no pidfds: looks, and then waits a moment.
fn has_left(nanny: &mut Child) -> bool {
    if !matches!(nanny.try_wait(), Ok(None)) {
        return true;
    }
    let moment = Timespec::try_from(LEAVE / BLIND_LOOKS).ok();
    let _ = poll(&mut [], moment.as_ref());
    false
}

/// A descriptor that becomes readable every [`PING_EVERY`].
fn ticks() -> Result<OwnedFd, Errno> {
    let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
    let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
    let every = Timespec::try_from(PING_EVERY).map_err(|_| Errno::INVAL)?;
    let spec = Itimerspec {
        it_interval: every,
        it_value: every,
    };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &spec)?;
    Ok(timer)
}

/// Looks within [`LEAVE`]: one every ten milliseconds.
const BLIND_LOOKS: u32 = 200;

/// Enough to decode an event; what is not touched costs no memory.
const STACK: usize = 256 << 10;
