//! A process's own connection to the guardian: [`LinuxHost`].
//!
//! The root makes its connection by starting nanny and guardian; an actor inherits one. Requests are sent by the thread
//! that makes them; a small thread of its own reads what comes back, so that it arrives whatever the executor does.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rustix::io::Errno;

use super::wire::{self, Attached, Request, Spawn};
use super::{LEAVE, RECORD_MAX, reader};
use crate::host::linux::{self, ExecBlock, ROLE_VARIABLE, Wake, failed};
use crate::host::{
    ChildStderr, ChildStdio, ExitStatus, ExitWatch, GuardianLost, Latch, ProcessHost, ProcessId,
    Signal, SignalError, StartError, StartProcess, StartedProcess, StderrTail,
};

/// Processes of this image, by the guardian of this process's tree.
pub struct LinuxHost {
    client: Arc<Client>,
}

impl fmt::Debug for LinuxHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.client.lock();
        f.debug_struct("LinuxHost")
            .field("lost", &self.client.lost)
            .field("children", &state.children.len())
            .finish_non_exhaustive()
    }
}

/// The host of this process: in an actor its inherited connection; elsewhere this process becomes a root, and its
/// guardian is started by the first call.
///
/// # Errors
///
/// [`StartError`] if this is a fork of a root, or an image that could not be re-executed.
pub fn for_this_process() -> Result<Arc<dyn ProcessHost>, StartError> {
    refuse_missed_role();
    let mut place = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let client = match &*place {
        Some(client) if client.role == ClientRole::Actor || client.lost.peek().is_none() => {
            client.check_not_forked()?;
            Arc::clone(client)
        }
        // Lost: this root's trees have failed. A new root may have a new guardian.
        Some(_) | None => {
            if !REEXECUTABLE.load(Ordering::Relaxed) {
                return Err(StartError::NoEntry);
            }
            let client = reader::start_root()?;
            *place = Some(Arc::clone(&client));
            client
        }
    };
    drop(place);
    Ok(Arc::new(LinuxHost { client }))
}

/// Makes an inherited connection this process's own. For an actor's `main`, before anything is started.
///
/// # Errors
///
/// If the descriptors for it cannot be made.
pub fn inherit(connection: OwnedFd) -> Result<(), StartError> {
    let client = Client::new(ClientRole::Actor, connection)?;
    *PROCESS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(client));
    Ok(())
}

/// The connection this process inherited, to be watched for its end; `None` in a root.
pub(crate) fn inherited() -> Option<Inherited> {
    let place = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let client = place
        .as_ref()
        .filter(|client| client.role == ClientRole::Actor);
    client.map(|client| Inherited(Arc::clone(client)))
}

/// An actor's connection, to be polled and nothing else.
pub(crate) struct Inherited(Arc<Client>);

impl AsFd for Inherited {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.socket.as_fd()
    }
}

/// Says that a re-executed image of this program will learn its role. Called by the entry, once, early.
pub fn image_learns_its_role() {
    REEXECUTABLE.store(true, Ordering::Relaxed);
}

/// Has guardian and nanny leave, and waits until both have been reaped. Whatever they still had is killed. For the end
/// of a root's `main`; without effect elsewhere, or where none were started.
pub fn shutdown() {
    let client = {
        let mut place = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
        match &*place {
            Some(client)
                if client.role == ClientRole::Root && client.check_not_forked().is_ok() =>
            {
                place.take()
            }
            Some(_) | None => None,
        }
    };
    let Some(client) = client else { return };
    client.leaving.store(true, Ordering::Relaxed);
    client.post(&Request::Shutdown, Vec::new());
    client.wake.signal();
    // The reader kills them after LEAVE if they do not go.
    client.gone.wait_blocking(LEAVE * 2);
}

#[async_trait]
impl ProcessHost for LinuxHost {
    async fn start(&self, request: StartProcess) -> Result<StartedProcess, StartError> {
        let client = &self.client;
        client.check_not_forked()?;
        if let Some(lost) = client.lost.peek() {
            return Err(lost.into());
        }
        if client.role == ClientRole::Actor {
            reader::ensure_actor(client)?;
        }
        let (spawn, kept) = Prepared::new(request)?;
        let pending = client.spawn(spawn);
        let started = pending.answer.wait().await?;
        pending.claim();
        Ok(StartedProcess {
            id: started.id,
            pid: started.pid,
            exit: started.exit,
            stderr: kept.stderr,
            lifeline: kept.lifeline,
        })
    }

    fn signal(&self, id: ProcessId, signal: Signal) -> Result<(), SignalError> {
        let client = &self.client;
        if client.process != std::process::id() {
            let (root, here) = (client.process, std::process::id());
            return Err(SignalError::ForkedRoot { root, here });
        }
        if let Some(lost) = client.lost.peek() {
            return Err(lost.into());
        }
        if client.lock().children.contains_key(&id) {
            client.post(&Request::Signal { id, signal }, Vec::new());
        }
        Ok(())
    }

    fn lost(&self) -> &Latch<GuardianLost> {
        &self.client.lost
    }
}

/// Which end of the tree a connection belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientRole {
    Root,
    Actor,
}

/// One connection, shared by the host's handles and the thread that reads it.
pub(super) struct Client {
    pub(super) role: ClientRole,
    /// The process it belongs to; a fork of it has a copy it must not use.
    process: u32,
    pub(super) socket: OwnedFd,
    /// Interrupts the reader's wait.
    pub(super) wake: Wake,
    /// The guardian is gone.
    pub(super) lost: Latch<GuardianLost>,
    /// Everything it had is gone as well.
    pub(super) gone: Latch<()>,
    pub(super) leaving: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// Records the socket did not take yet. Bounded by the requests under way: one start each, and one signal each rung.
    outgoing: VecDeque<(Vec<u8>, Vec<OwnedFd>)>,
    starts: BTreeMap<u64, Start>,
    pub(super) children: BTreeMap<ProcessId, Latch<ExitStatus>>,
    last_token: u64,
    /// Whether the thread that reads this connection runs.
    pub(super) read: bool,
}

/// A start that is not answered yet.
enum Start {
    Awaited(Latch<Result<Begun, StartError>>),
    /// Nobody waits for it any more: a process that comes of it is killed.
    Abandoned,
}

/// A process the guardian has started.
#[derive(Clone, Debug)]
struct Begun {
    id: ProcessId,
    pid: u32,
    exit: ExitWatch,
}

impl Client {
    pub(super) fn new(role: ClientRole, socket: OwnedFd) -> Result<Self, StartError> {
        Ok(Self {
            role,
            process: std::process::id(),
            socket,
            wake: Wake::new().map_err(failed("making an eventfd"))?,
            lost: Latch::new(),
            gone: Latch::new(),
            leaving: AtomicBool::new(false),
            state: Mutex::default(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_not_forked(&self) -> Result<(), StartError> {
        let (root, here) = (self.process, std::process::id());
        if root == here {
            Ok(())
        } else {
            Err(StartError::ForkedRoot { root, here })
        }
    }

    /// Sends a request, or leaves it to the reader if the guardian does not take it now.
    pub(super) fn post(&self, request: &Request, fds: Vec<OwnedFd>) {
        self.lock().outgoing.push_back((wire::encode(request), fds));
        self.flush();
    }

    /// Writes what is queued as far as the guardian takes it; `false` if something is left. That the guardian is gone
    /// is for the reader to find out.
    pub(super) fn flush(&self) -> bool {
        let mut state = self.lock();
        while let Some((record, fds)) = state.outgoing.front() {
            let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            match wire::send(&self.socket, record, &fds) {
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM | Errno::INTR) => {
                    self.wake.signal();
                    return false;
                }
                Ok(()) | Err(_) => drop(state.outgoing.pop_front()),
            }
        }
        true
    }

    fn spawn(self: &Arc<Self>, prepared: Prepared) -> Pending {
        let answer = Latch::new();
        let token = {
            let mut state = self.lock();
            state.last_token += 1;
            let token = state.last_token;
            state.starts.insert(token, Start::Awaited(answer.clone()));
            token
        };
        let pending = Pending {
            client: Arc::clone(self),
            token,
            answer,
        };
        let Prepared { mut spawn, fds } = prepared;
        spawn.token = token;
        self.post(&Request::Spawn(spawn), fds);
        if let Some(lost) = self.lost.peek() {
            // It was lost between the caller's look and our entry in the table, which nobody empties any more.
            pending.answer.set(Err(lost.into()));
        }
        pending
    }

    /// The guardian has answered a start.
    pub(super) fn answered(&self, token: u64, answer: Result<(ProcessId, u32), StartError>) {
        let (exit, ended) = ExitWatch::new();
        let start = {
            let mut state = self.lock();
            if let Ok((id, _)) = &answer {
                state.children.insert(*id, ended);
            }
            state.starts.remove(&token)
        };
        let begun = answer.map(|(id, pid)| Begun { id, pid, exit });
        match (start, begun) {
            (Some(Start::Awaited(latch)), begun) => {
                latch.set(begun);
            }
            (Some(Start::Abandoned) | None, Ok(begun)) => self.kill(begun.id),
            (Some(Start::Abandoned) | None, Err(_)) => {}
        }
    }

    fn kill(&self, id: ProcessId) {
        let signal = Signal::Kill;
        self.post(&Request::Signal { id, signal }, Vec::new());
    }

    /// A process of ours has been reaped.
    pub(super) fn exited(&self, id: ProcessId, status: ExitStatus) {
        let latch = self.lock().children.remove(&id);
        if let Some(latch) = latch {
            latch.set(status);
        }
    }

    /// The guardian is gone: nothing more can be started.
    pub(super) fn lose(&self, cause: &GuardianLost) {
        self.lost.set(cause.clone());
        let starts = {
            let mut state = self.lock();
            state.outgoing.clear();
            std::mem::take(&mut state.starts)
        };
        for start in starts.into_values() {
            match start {
                Start::Awaited(latch) => {
                    latch.set(Err(cause.clone().into()));
                }
                Start::Abandoned => {}
            }
        }
    }

    /// Everything the guardian had is gone too: no exit will be told any more.
    pub(super) fn bury(&self) {
        let children = std::mem::take(&mut self.lock().children);
        for latch in children.into_values() {
            latch.set(ExitStatus::Unreported);
        }
        self.gone.set(());
    }
}

/// A start under way; dropped before its process is claimed, it kills it.
struct Pending {
    client: Arc<Client>,
    token: u64,
    answer: Latch<Result<Begun, StartError>>,
}

impl Pending {
    /// The process has an owner now.
    fn claim(mut self) {
        self.token = CLAIMED;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.token == CLAIMED {
            return;
        }
        if let Some(start) = self.client.lock().starts.get_mut(&self.token) {
            *start = Start::Abandoned;
            return;
        }
        if let Some(Ok(begun)) = self.answer.peek() {
            self.client.kill(begun.id);
        }
    }
}

/// A request ready to be sent.
struct Prepared {
    spawn: Spawn,
    fds: Vec<OwnedFd>,
}

/// What the parent keeps of a start.
struct Kept {
    stderr: StderrTail,
    lifeline: OwnedFd,
}

impl Prepared {
    fn new(request: StartProcess) -> Result<(Self, Kept), StartError> {
        let cwd = linux::working_directory(request.cwd.as_deref())?;
        let block = ExecBlock::new(request.env)?;
        let (ours, theirs) = linux::stream_pair().map_err(failed("making the lifeline"))?;
        let (tail, stderr) = match request.stderr {
            ChildStderr::Tail => {
                let piped = StderrTail::piped();
                piped.map_err(failed("making the pipe for standard error"))?
            }
            ChildStderr::Plain(stdio) => {
                let plain = standard_stream(stdio, std::io::stderr().as_fd())?;
                (StderrTail::none(), plain)
            }
        };
        let stdin = standard_stream(request.stdin, std::io::stdin().as_fd())?;
        let stdout = standard_stream(request.stdout, std::io::stdout().as_fd())?;
        let mut fds = vec![request.link, theirs, cwd, stdin, stdout, stderr];
        debug_assert_eq!(fds.len(), Attached::COUNT);
        let mut spawn = Spawn {
            token: 0,
            tag: format!(
                "{}:{}@{}",
                request.tree,
                request.actor.name(),
                request.actor.uuid()
            ),
            umask: linux::umask(),
            argc: block.argc,
            strings: None,
        };
        if block.strings.len() > RECORD_MAX / 2 {
            let file = wire::write_strings(&block);
            fds.push(file.map_err(failed("writing the environment to a memory file"))?);
        } else {
            spawn.strings = Some(block.strings.into());
        }
        let kept = Kept {
            stderr: tail,
            lifeline: ours,
        };
        Ok((Self { spawn, fds }, kept))
    }
}

fn standard_stream(stdio: ChildStdio, own: BorrowedFd<'_>) -> Result<OwnedFd, StartError> {
    let null = || linux::null().map_err(failed("opening /dev/null"));
    match stdio {
        ChildStdio::Fd(fd) => Ok(fd),
        ChildStdio::Null => null(),
        ChildStdio::Inherit => match linux::standard_stream(own) {
            Some(own) => own
                .try_clone_to_owned()
                .map_err(failed("duplicating a standard stream")),
            None => null(), // it was closed here
        },
    }
}

/// A re-executed image that still carries its role when it first uses us was never diverted: it must not build a tree,
/// or every start would be a fork bomb.
fn refuse_missed_role() {
    if std::env::var_os(ROLE_VARIABLE).is_some() && !REEXECUTABLE.load(Ordering::Relaxed) {
        eprintln!(
            "tractor: this process was started to be an actor, but its program went on as usual; call \
             `tractor::init()` first thing in `main` (and unset {ROLE_VARIABLE} if you have set it yourself)"
        );
        super::arm::exit_now(EXIT_MISSED_ROLE);
    }
}

static PROCESS: Mutex<Option<Arc<Client>>> = Mutex::new(None);

static REEXECUTABLE: AtomicBool = AtomicBool::new(false);

/// Not a token: they start at one.
const CLAIMED: u64 = 0;

/// Exit code of an image that missed its role.
pub const EXIT_MISSED_ROLE: i32 = 120;
