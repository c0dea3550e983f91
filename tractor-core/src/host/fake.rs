//! A host without an operating system, for tests of what is above it: a child is whatever the test's closure makes of its
//! end of the link.
//!
//! Signals act as on a process without handlers, unless the child was told to ignore SIGTERM; exits are told at once.

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::linux::{failed, stream_pair};
use super::{
    ExitStatus, ExitWatch, GuardianLost, Latch, ProcessHost, ProcessId, Signal, SignalError,
    StartError, StartProcess, StartedProcess, StderrTail,
};

/// Starts children that are no processes.
pub struct FakeHost {
    body: Box<dyn Fn(FakeChild) -> Result<(), StartError> + Send + Sync>,
    lost: Latch<GuardianLost>,
    children: Mutex<BTreeMap<ProcessId, Arc<Shared>>>,
}

impl FakeHost {
    /// A host that gives every child to `body`, which must not block; its error is the error of the start.
    pub fn new(
        body: impl Fn(FakeChild) -> Result<(), StartError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            body: Box::new(body),
            lost: Latch::new(),
            children: Mutex::default(),
        })
    }

    /// Loses the host: every child is killed unreported, and nothing can be started.
    pub fn lose(&self, cause: GuardianLost) {
        self.lost.set(cause);
        for child in self.lock().values() {
            child.exit.set(ExitStatus::Unreported);
        }
    }

    /// Children that have not ended.
    pub fn running(&self) -> usize {
        let running = |child: &&Arc<Shared>| child.exit.peek().is_none();
        self.lock().values().filter(running).count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ProcessId, Arc<Shared>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FakeHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeHost")
            .field("running", &self.running())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ProcessHost for FakeHost {
    async fn start(&self, request: StartProcess) -> Result<StartedProcess, StartError> {
        if let Some(lost) = self.lost.peek() {
            return Err(lost.into());
        }
        let (ours, theirs) = stream_pair().map_err(failed("making the lifeline"))?;
        let (watch, exit) = ExitWatch::new();
        let shared = Arc::new(Shared {
            exit,
            signals: Mutex::default(),
            ignores_terminate: AtomicBool::new(false),
        });
        let id = {
            let mut children = self.lock();
            let id = ProcessId::new(children.len() as u64 + 1);
            children.insert(id, Arc::clone(&shared));
            id
        };
        let child = FakeChild {
            request,
            lifeline: theirs,
            shared: Arc::clone(&shared),
        };
        if let Err(error) = (self.body)(child) {
            shared.exit.set(ExitStatus::Unreported);
            return Err(error);
        }
        Ok(StartedProcess {
            id,
            pid: 0,
            exit: watch,
            stderr: StderrTail::none(),
            lifeline: ours,
        })
    }

    fn signal(&self, id: ProcessId, signal: Signal) -> Result<(), SignalError> {
        if let Some(lost) = self.lost.peek() {
            return Err(lost.into());
        }
        let child = self.lock().get(&id).cloned();
        if let Some(child) = child
            && child.exit.peek().is_none()
        {
            child.signal(signal);
        }
        Ok(())
    }

    fn lost(&self) -> &Latch<GuardianLost> {
        &self.lost
    }
}

/// One child, as the test plays it.
#[derive(Debug)]
pub struct FakeChild {
    /// What it was started with; its end of the link is in there.
    pub request: StartProcess,
    /// Its end of the lifeline.
    pub lifeline: OwnedFd,
    shared: Arc<Shared>,
}

impl FakeChild {
    /// A handle to end it by, apart from its descriptors.
    pub fn handle(&self) -> FakeHandle {
        FakeHandle {
            shared: Arc::clone(&self.shared),
        }
    }
}

/// Ends a child and tells what was sent to it.
#[derive(Clone, Debug)]
pub struct FakeHandle {
    shared: Arc<Shared>,
}

impl FakeHandle {
    /// Ends the child so; without effect if it has ended.
    pub fn exit(&self, status: ExitStatus) {
        self.shared.exit.set(status);
    }

    /// From now on SIGTERM does not end it.
    pub fn ignore_terminate(&self) {
        self.shared.ignores_terminate.store(true, Ordering::Relaxed);
    }

    /// The signals it was sent while it ran.
    pub fn signals(&self) -> Vec<Signal> {
        self.shared.signals().clone()
    }
}

#[derive(Debug)]
struct Shared {
    exit: Latch<ExitStatus>,
    signals: Mutex<Vec<Signal>>,
    ignores_terminate: AtomicBool,
}

impl Shared {
    fn signals(&self) -> MutexGuard<'_, Vec<Signal>> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) {
        self.signals().push(signal);
        match signal {
            Signal::Terminate if self.ignores_terminate.load(Ordering::Relaxed) => {}
            Signal::Terminate => drop(self.exit.set(ExitStatus::Signaled(libc::SIGTERM))),
            Signal::Kill => drop(self.exit.set(ExitStatus::Signaled(libc::SIGKILL))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tractor_ipc::{ActorId, ActorName, TreeId};

    fn request() -> StartProcess {
        let (_, link) = stream_pair().unwrap();
        StartProcess::new(
            ActorId::new(ActorName::new("fake").unwrap()),
            TreeId::new(),
            link,
        )
    }

    #[test]
    fn signals_end_a_child_unless_it_ignores_them() {
        let (send, handles) = std::sync::mpsc::channel();
        let host = FakeHost::new(move |child| {
            drop(send.send(child.handle()));
            Ok(())
        });
        let started = host.start(request()).now_or_never().unwrap().unwrap();
        let handle = handles.recv().unwrap();
        handle.ignore_terminate();
        host.signal(started.id, Signal::Terminate).unwrap();
        assert_eq!(host.running(), 1);
        host.signal(started.id, Signal::Kill).unwrap();
        host.signal(started.id, Signal::Kill).unwrap();
        assert_eq!(started.exit.status(), Some(ExitStatus::Signaled(9)));
        assert_eq!(handle.signals(), [Signal::Terminate, Signal::Kill]);
        handle.exit(ExitStatus::Exited(0));
        assert_eq!(started.exit.status(), Some(ExitStatus::Signaled(9)));
    }

    #[test]
    fn a_lost_host_starts_nothing_and_reports_nothing() {
        let host = FakeHost::new(|_| Ok(()));
        let started = host.start(request()).now_or_never().unwrap().unwrap();
        host.lose(GuardianLost::Ended);
        assert_eq!(started.exit.status(), Some(ExitStatus::Unreported));
        let error = host.start(request()).now_or_never().unwrap().unwrap_err();
        assert_eq!(error, StartError::GuardianLost(GuardianLost::Ended));
        assert!(host.signal(started.id, Signal::Kill).is_err());
    }
}
