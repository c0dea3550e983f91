//! The owner of every task of a node.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// The tasks of one node. Nothing of the runtime is spawned past it, so that a node can wait for all it started, and a
/// node that goes takes them along.
#[derive(Debug)]
pub(crate) struct Tasks {
    runtime: Handle,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    live: Mutex<Live>,
    idle: Notify,
}

#[derive(Debug, Default)]
struct Live {
    next: u64,
    /// A task has no handle yet while it is being spawned.
    tasks: HashMap<u64, Option<AbortHandle>>,
}

impl Tasks {
    /// No tasks yet, on this runtime.
    pub(crate) fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            shared: Arc::default(),
        }
    }

    /// Runs `task` beside everything else; works off the runtime too.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let key = {
            let mut live = self.shared.lock();
            live.next += 1;
            let key = live.next;
            live.tasks.insert(key, None);
            key
        };
        let done = Done {
            shared: self.shared.clone(),
            key,
        };
        // Not under the lock: a runtime that is being shut down drops the task here and now.
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the owner the rule asks for"
        )]
        let handle = self.runtime.spawn(async move {
            let _done = done;
            task.await;
        });
        if let Some(place) = self.shared.lock().tasks.get_mut(&key) {
            *place = Some(handle.abort_handle());
        }
    }

    /// How many are running.
    pub(crate) fn len(&self) -> usize {
        self.shared.lock().tasks.len()
    }

    /// Waits until none is running.
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped wait changes nothing.
    pub(crate) async fn wait_idle(&self) {
        loop {
            let idle = self.shared.idle.notified();
            if self.len() == 0 {
                return;
            }
            idle.await;
        }
    }

    /// Drops all of them at their next await.
    pub(crate) fn abort_all(&self) {
        let aborts: Vec<AbortHandle> = self
            .shared
            .lock()
            .tasks
            .values()
            .flatten()
            .cloned()
            .collect();
        aborts.iter().for_each(AbortHandle::abort);
    }

    /// The runtime they run on.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.abort_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Done {
    shared: Arc<Shared>,
    key: u64,
}

impl Drop for Done {
    fn drop(&mut self) {
        let mut live = self.shared.lock();
        live.tasks.remove(&self.key);
        if live.tasks.is_empty() {
            self.shared.idle.notify_waiters();
        }
    }
}
