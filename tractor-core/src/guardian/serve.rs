//! The guardian's loop: one thread, one epoll, no runtime. Feeds [`Table`] and performs its actions.
//!
//! It never waits for a peer (`GUARD-4`). Everything it owns is small: it is forked for every process.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use bytes::Bytes;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus};

use super::arm::{self, Exec};
use super::table::{Action, ROOT, Table};
use super::wire::{self, Attached, Event, Received, Request, Spawn};
use super::{PROCESSES_MAX, QUEUE_PAUSE, nanny};
use crate::host::linux::{self, ACTOR_VARIABLE, ROLE_VARIABLE};
use crate::host::{ExitStatus, ProcessId, StartStage};

/// The life of a guardian: serves until the root or the nanny is gone, then leaves nothing behind.
pub(super) fn run(connection: OwnedFd, root: Option<OwnedFd>, nanny: Pid) -> ! {
    let _ = rustix::thread::set_name(c"tr-guardian");
    let me = rustix::process::getpid();
    let _ = rustix::process::setpgid(None, None);
    let _ = rustix::process::set_child_subreaper(Some(me));
    if let Ok(mut guardian) = Guardian::new(connection, root, nanny) {
        // However it ended, what is left is the same: nothing may be.
        let _ = guardian.serve();
    }
    nanny::sweep();
    // A stopped nanny could not reap us and leave.
    let _ = rustix::process::kill_process(nanny, Signal::CONT);
    arm::exit_now(0)
}

struct Guardian {
    me: Pid,
    nanny: Pid,
    epoll: OwnedFd,
    signals: OwnedFd,
    /// Held for the epoll's sake.
    _watches: Vec<OwnedFd>,
    /// Whether a pidfd is missing, so that the loop must look for itself.
    blind: bool,
    image: CString,
    files: Rlimit,
    table: Table,
    conns: BTreeMap<ProcessId, Conn>,
    starting: BTreeMap<ProcessId, OwnedFd>,
    buffer: Vec<u8>,
}

/// The connection of one process.
struct Conn {
    socket: OwnedFd,
    /// Bounded: see [`QUEUE_PAUSE`].
    queue: VecDeque<Vec<u8>>,
    interest: epoll::EventFlags,
}

/// What an epoll event is about.
#[derive(Clone, Copy)]
enum Key {
    Signals,
    Watch,
    Conn(ProcessId),
    Starting(ProcessId),
}

/// The loop ends: root or nanny is gone, or the root has asked for it. What is to be done then is always the same.
struct Leave;

impl Guardian {
    fn new(connection: OwnedFd, root: Option<OwnedFd>, nanny: Pid) -> Result<Self, Errno> {
        let signals = arm::child_signals()?;
        let nanny_watch = linux::pidfd(nanny);
        let blind = root.is_none() || nanny_watch.is_none();
        let files = rustix::process::getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: files.maximum,
            maximum: files.maximum,
        };
        let _ = rustix::process::setrlimit(Resource::Nofile, raised);
        let image = CString::new(linux::image().as_os_str().as_bytes());
        let mut guardian = Self {
            me: rustix::process::getpid(),
            nanny,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            signals,
            _watches: root.into_iter().chain(nanny_watch).collect(),
            blind,
            image: image.map_err(|_| Errno::INVAL)?,
            files,
            table: Table::new(PROCESSES_MAX),
            conns: BTreeMap::new(),
            starting: BTreeMap::new(),
            buffer: Vec::new(),
        };
        guardian.watch(&guardian.signals, Key::Signals)?;
        for watch in &guardian._watches {
            guardian.watch(watch, Key::Watch)?;
        }
        let own = linux::pidfd(guardian.me);
        let hello = Event::Hello {
            guardian: guardian.me.as_raw_pid().unsigned_abs(),
        };
        let fds: Vec<_> = own.iter().map(AsFd::as_fd).collect();
        wire::send(&connection, &wire::encode(&hello), &fds)?;
        guardian.connect(ROOT, connection)?;
        Ok(guardian)
    }

    fn serve(&mut self) -> Result<Leave, Errno> {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            if rustix::process::getppid() != Some(self.nanny) {
                return Ok(Leave);
            }
            let wait = self.blind.then_some(&BLIND_LOOK);
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                wait,
            ) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
            for event in events.drain(..) {
                let (data, flags) = (event.data, event.flags);
                match Key::from_data(data) {
                    Key::Signals => self.reap()?,
                    Key::Watch => return Ok(Leave),
                    Key::Starting(id) => self.settle_start(id),
                    Key::Conn(id) => {
                        if let Some(leave) = self.converse(id, flags) {
                            return Ok(leave);
                        }
                    }
                }
                self.act();
            }
        }
    }

    /// Reads at most one request, so that no peer keeps the others waiting, and writes what is queued.
    fn converse(&mut self, id: ProcessId, flags: epoll::EventFlags) -> Option<Leave> {
        self.flush(id);
        let conn = self.conns.get(&id)?;
        let input = epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
        if !flags.intersects(input) {
            return None;
        }
        match wire::receive(&conn.socket, &mut self.buffer) {
            Ok(Received::Message(request, fds)) => self.handle(id, request, fds),
            Err(Errno::AGAIN | Errno::INTR) => None,
            Ok(Received::End | Received::Undecodable) | Err(_) => {
                self.conns.remove(&id);
                // An actor whose connection ended lives on until it exits; its lifeline sees to it.
                (id == ROOT).then_some(Leave)
            }
        }
    }

    fn handle(&mut self, owner: ProcessId, request: Request, fds: Vec<OwnedFd>) -> Option<Leave> {
        match request {
            Request::Spawn(spawn) => self.spawn(owner, spawn, fds),
            Request::Signal { id, signal } => self.table.handle_signal(owner, id, signal),
            Request::Ping(number) => self.table.handle_ping(owner, number),
            Request::Shutdown if owner == ROOT => return Some(Leave),
            Request::Shutdown => drop(self.conns.remove(&owner)),
        }
        None
    }

    fn spawn(&mut self, owner: ProcessId, spawn: Spawn, fds: Vec<OwnedFd>) {
        let (token, tag) = (spawn.token, spawn.tag.clone());
        let Some(id) = self.table.handle_spawn(owner, token, tag) else {
            return;
        };
        let Some(attached) = Attached::take(fds) else {
            // They did not fit: this process has as many descriptors as it may.
            let stage = StartStage::Admit;
            return self.table.handle_not_forked(id, stage, Errno::MFILE.into());
        };
        match self.start(&spawn, attached) {
            Ok(started) => {
                let pid = started.pid.as_raw_pid().unsigned_abs();
                self.table.handle_forked(id, pid);
                // A failure to watch is a failure to see it end well: it is killed with its connection.
                let watched = self.watch(&started.report, Key::Starting(id));
                self.starting.insert(id, started.report);
                let connected = watched.and_then(|()| self.connect(id, started.connection));
                if connected.is_err() {
                    let _ = rustix::process::kill_process(started.pid, Signal::KILL);
                }
            }
            Err((stage, errno)) => self.table.handle_not_forked(id, stage, errno.into()),
        }
    }

    fn start(&self, spawn: &Spawn, attached: Attached) -> Result<Started, (StartStage, Errno)> {
        let refused = |errno| (StartStage::Admit, errno);
        let strings = match (&spawn.strings, &attached.strings) {
            (Some(strings), None) => strings.clone(),
            (None, Some(file)) => wire::read_strings(file).map_err(refused)?,
            (Some(_), Some(_)) | (None, None) => return Err(refused(Errno::INVAL)),
        };
        let me = self.me.as_raw_nonzero();
        let role = format!("{ROLE_VARIABLE}=a:{me}");
        let tag = format!("{ACTOR_VARIABLE}={}", spawn.tag);
        let own = |text| CString::new(text).map_err(|_| refused(Errno::INVAL));
        let own = [own(role)?, own(tag)?];
        let (argv, envp) = split(&strings, spawn.argc).ok_or_else(|| refused(Errno::INVAL))?;
        let (ours, theirs) = linux::record_pair().map_err(refused)?;
        let exec = Exec {
            image: &self.image,
            argv: argv.into_iter().collect(),
            envp: envp
                .into_iter()
                .chain(own.iter().map(CString::as_c_str))
                .collect(),
            attached: &attached,
            connection: &theirs,
            umask: spawn.umask,
            files: self.files,
            parent: self.me,
        };
        let (pid, report) = arm::fork_exec(&exec).map_err(|errno| (StartStage::Fork, errno))?;
        Ok(Started {
            pid,
            report,
            connection: ours,
        })
    }

    /// The report pipe of a forked child has something to say, or has ended.
    fn settle_start(&mut self, id: ProcessId) {
        let Some(report) = self.starting.get(&id) else {
            return;
        };
        let mut bytes = [0; arm::REPORT_LEN];
        match rustix::io::read(report, &mut bytes) {
            Err(Errno::AGAIN | Errno::INTR) => return,
            Ok(arm::REPORT_LEN) => {
                let [stage, errno @ ..] = bytes;
                let stages = arm::STAGES.get(usize::from(stage)).copied();
                let stage = stages.unwrap_or(StartStage::Exec);
                let errno = crate::host::OsError::from_raw(i32::from_le_bytes(errno));
                self.table.handle_exec_failed(id, stage, errno);
            }
            Ok(_) | Err(_) => self.table.handle_executed(id),
        }
        self.starting.remove(&id);
    }

    /// Reaps every child that has ended, and kills what the ended ones left behind.
    fn reap(&mut self) -> Result<(), Errno> {
        // The signal is only a hint: several exits may be behind one.
        let _ = rustix::io::read(&self.signals, &mut [0_u8; 128]);
        while let Ok(Some(pid)) = arm::peek_ended() {
            let raw = pid.as_raw_pid().unsigned_abs();
            if let Some(id) = self.table.by_pid(raw) {
                // Its last report comes before its exit.
                self.settle_start(id);
                self.starting.remove(&id);
                // Its group is named after it and cannot be anybody else's until it is reaped.
                let _ = rustix::process::kill_process_group(pid, Signal::KILL);
            }
            let Some((_, status)) = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG)?
            else {
                continue;
            };
            self.table.handle_exit(raw, exit_status(status));
        }
        self.kill_left_behind();
        Ok(())
    }

    /// Daemons of ended actors have become our children: told by the variable they were executed with.
    fn kill_left_behind(&self) {
        for child in linux::children().unwrap_or_default() {
            let raw = child.as_raw_pid().unsigned_abs();
            if self.table.by_pid(raw).is_none()
                && let Some(tag) = linux::tag_of(child)
                && !self.table.is_alive(&tag)
            {
                let _ = rustix::process::kill_process(child, Signal::KILL);
            }
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.table.poll_action() {
            match action {
                Action::Send(id, event) => {
                    if let Some(conn) = self.conns.get_mut(&id) {
                        conn.queue.push_back(wire::encode(&event));
                        self.flush(id);
                    }
                }
                Action::Kill(pid, signal) => {
                    let signal = match signal {
                        crate::host::Signal::Terminate => Signal::TERM,
                        crate::host::Signal::Kill => Signal::KILL,
                    };
                    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                        let _ = rustix::process::kill_process(pid, signal);
                    }
                }
                Action::Close(id) => drop(self.conns.remove(&id)),
            }
        }
    }

    /// Writes what is queued for a peer as far as it takes it, and asks epoll for what is needed next.
    fn flush(&mut self, id: ProcessId) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        while let Some(record) = conn.queue.front() {
            match wire::send(&conn.socket, record, &[]) {
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM | Errno::INTR) => break,
                // Sent, or never to be: then its exit is about to be seen.
                Ok(()) | Err(_) => drop(conn.queue.pop_front()),
            }
        }
        let mut interest = epoll::EventFlags::empty();
        interest.set(epoll::EventFlags::IN, conn.queue.len() < QUEUE_PAUSE);
        interest.set(epoll::EventFlags::OUT, !conn.queue.is_empty());
        if interest != conn.interest {
            conn.interest = interest;
            let data = Key::Conn(id).data();
            let _ = epoll::modify(&self.epoll, &conn.socket, data, interest);
        }
    }

    fn connect(&mut self, id: ProcessId, socket: OwnedFd) -> Result<(), Errno> {
        self.watch(&socket, Key::Conn(id))?;
        let conn = Conn {
            socket,
            queue: VecDeque::new(),
            interest: epoll::EventFlags::IN,
        };
        self.conns.insert(id, conn);
        Ok(())
    }

    fn watch(&self, fd: &OwnedFd, key: Key) -> Result<(), Errno> {
        epoll::add(&self.epoll, fd, key.data(), epoll::EventFlags::IN)
    }
}

struct Started {
    pid: Pid,
    report: OwnedFd,
    connection: OwnedFd,
}

impl Key {
    fn data(self) -> epoll::EventData {
        let (kind, id) = match self {
            Self::Signals => (0, 0),
            Self::Watch => (1, 0),
            Self::Conn(id) => (2, id.number()),
            Self::Starting(id) => (3, id.number()),
        };
        epoll::EventData::new_u64(id << 2 | kind)
    }

    fn from_data(data: epoll::EventData) -> Self {
        let data = data.u64();
        let id = ProcessId::new(data >> 2);
        match data & 3 {
            0 => Self::Signals,
            1 => Self::Watch,
            2 => Self::Conn(id),
            _ => Self::Starting(id),
        }
    }
}

/// Arguments and environment in a block of strings that each end in NUL; `None` if it is not such a block.
fn split(strings: &Bytes, argc: u32) -> Option<(Vec<&CStr>, Vec<&CStr>)> {
    let mut found = Vec::new();
    let mut rest: &[u8] = strings;
    while !rest.is_empty() {
        let next = CStr::from_bytes_until_nul(rest).ok()?;
        rest = &rest[next.to_bytes_with_nul().len()..];
        found.push(next);
    }
    let argc = usize::try_from(argc).ok()?;
    if argc == 0 || argc > found.len() {
        return None;
    }
    let environment = found.split_off(argc);
    Some((found, environment))
}

fn exit_status(status: WaitStatus) -> ExitStatus {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ExitStatus::Exited(code),
        (None, Some(signal)) => ExitStatus::Signaled(signal),
        (None, None) => ExitStatus::Unreported,
    }
}

/// Events taken in one turn; more come in the next.
const EVENTS: usize = 64;

/// How often to look where the kernel grants no pidfd.
const BLIND_LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};
