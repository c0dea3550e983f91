//! Every child process from its start until it has been reaped, and the thread that ends those nobody owns any more.
//!
//! A future dropped from outside (a raw `select!`, a runtime shut down) cannot wait for its children. Their owner's
//! `Drop` hands them to this thread, which terminates, kills and waits; a root leaves only when the table is empty.
//!
//! Invariants:
//! - REAP-1: A process is in the table from its start until its exit has been seen, whoever drops what.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tractor_ipc::ActorId;

use crate::guardian::arm;
use crate::host::{ProcessHost, ProcessId, Signal, StartError, StartProcess, StartedProcess};
use crate::limits::TERMINATE_TO_KILL;

/// A running child and the duty to end it: dropped while it runs, it is terminated and reaped in the background.
#[derive(Debug)]
pub struct OwnedProcess {
    started: Option<StartedProcess>,
    entry: Arc<Entry>,
    key: u64,
}

impl OwnedProcess {
    /// Starts a process that cannot be lost.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done: the process, if it came to be, is killed and reaped.
    ///
    /// # Errors
    ///
    /// As [`ProcessHost::start`].
    pub async fn start(
        host: Arc<dyn ProcessHost>,
        request: StartProcess,
    ) -> Result<Self, StartError> {
        let actor = request.actor.clone();
        let started = host.start(request).await?;
        Ok(Self::adopt(host, actor, started))
    }

    /// Takes over a process that was started otherwise.
    pub fn adopt(host: Arc<dyn ProcessHost>, actor: ActorId, started: StartedProcess) -> Self {
        let process = started.id;
        let entry = Arc::new(Entry {
            actor,
            host,
            process,
            killed: AtomicBool::new(false),
        });
        let mut table = TABLE.lock();
        table.last += 1;
        let key = table.last;
        table.entries.insert(key, Arc::clone(&entry));
        drop(table);
        Self {
            started: Some(started),
            entry,
            key,
        }
    }

    /// Whether this process has killed it together with all others, when a signal came again.
    pub(crate) fn was_killed(&self) -> bool {
        self.entry.killed.load(Ordering::Acquire)
    }

    /// Asks for a signal; one for a process that has ended is dropped.
    ///
    /// # Errors
    ///
    /// As [`ProcessHost::signal`].
    pub fn signal(&self, signal: Signal) -> Result<(), crate::host::SignalError> {
        self.entry.host.signal(self.id, signal)
    }
}

impl Deref for OwnedProcess {
    type Target = StartedProcess;

    fn deref(&self) -> &StartedProcess {
        self.started.as_ref().expect("only `Drop` takes it")
    }
}

impl Drop for OwnedProcess {
    fn drop(&mut self) {
        let Some(started) = self.started.take() else {
            return;
        };
        if started.exit.status().is_some() {
            TABLE.remove(self.key);
            return;
        }
        tracing::warn!(actor = %self.entry.actor, "its owner was dropped; ending its process");
        let orphan = Orphan {
            key: self.key,
            entry: Arc::clone(&self.entry),
            started,
        };
        // The number of orphans is bounded by that of processes.
        if arm::quiet_thread("tractor-reaper", STACK, move || orphan.end()).is_err() {
            // No thread to be had. The closure is gone and with it the lifeline, so the child dies by that.
            TABLE.remove(self.key);
        }
    }
}

/// Kills every child process of this process that has not been reaped; says how many there were. What is below them goes
/// with them.
pub(crate) fn kill_all() -> usize {
    let entries: Vec<_> = TABLE.lock().entries.values().cloned().collect();
    for entry in &entries {
        entry.killed.store(true, Ordering::Release);
        // If the host is lost, the process is being killed.
        let _ = entry.host.signal(entry.process, Signal::Kill);
    }
    entries.len()
}

/// How many child processes of this process have not been reaped.
pub fn unreaped() -> usize {
    TABLE.lock().entries.len()
}

/// Waits on this thread until every child process has been reaped.
///
/// # Errors
///
/// The actors whose processes are still there after `within`.
pub fn wait_empty(within: Duration) -> Result<(), Vec<ActorId>> {
    let busy = |table: &mut Table| !table.entries.is_empty();
    let waited = TABLE.changed.wait_timeout_while(TABLE.lock(), within, busy);
    let (table, _) = waited.unwrap_or_else(PoisonError::into_inner);
    if table.entries.is_empty() {
        return Ok(());
    }
    Err(table.entries.values().map(|e| e.actor.clone()).collect())
}

/// A process whose owner is gone.
struct Orphan {
    key: u64,
    entry: Arc<Entry>,
    /// Held until it has ended: dropping the lifeline would kill it at once.
    started: StartedProcess,
}

impl Orphan {
    fn end(self) {
        let exit = &self.started.exit;
        // If the host is lost, the process is being killed, and its watch ends with that.
        let _ = self.entry.host.signal(self.started.id, Signal::Terminate);
        if exit.wait_blocking(TERMINATE_TO_KILL).is_none() {
            let _ = self.entry.host.signal(self.started.id, Signal::Kill);
            while exit.wait_blocking(LOOK).is_none() {}
        }
        TABLE.remove(self.key);
    }
}

#[derive(Debug)]
struct Entry {
    actor: ActorId,
    host: Arc<dyn ProcessHost>,
    process: ProcessId,
    /// Whether it was killed with all others.
    killed: AtomicBool,
}

struct Shared {
    table: Mutex<Table>,
    changed: Condvar,
}

struct Table {
    last: u64,
    entries: BTreeMap<u64, Arc<Entry>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, key: u64) {
        let removed = self.lock().entries.remove(&key);
        drop(removed);
        self.changed.notify_all();
    }
}

static TABLE: Shared = Shared {
    table: Mutex::new(Table {
        last: 0,
        entries: BTreeMap::new(),
    }),
    changed: Condvar::new(),
};

/// A process that survives SIGKILL is in the kernel's hands; there is nothing to do but look again.
const LOOK: Duration = Duration::from_secs(60);

/// The thread signals and waits.
const STACK: usize = 64 << 10;
