//! Which runtime has a root: one table for the process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use tokio::runtime::{Handle, Id};
use tractor_ipc::ActorId;

use super::Node;

/// The roots of this process, one for each tokio runtime that has one.
#[derive(Debug)]
pub(crate) struct Registry;

/// A root's place in the table, for as long as it lives.
#[derive(Debug)]
pub(crate) struct RootGuard {
    runtime: Id,
}

impl Registry {
    /// Enters `node` as the root of its runtime.
    ///
    /// # Errors
    ///
    /// The root that is there already.
    pub(crate) fn enter(node: &Arc<Node>) -> Result<RootGuard, ActorId> {
        let runtime = node.tasks().runtime().id();
        let mut roots = lock();
        if let Some(root) = roots.get(&runtime).and_then(Weak::upgrade) {
            return Err(root.id().clone());
        }
        roots.insert(runtime, Arc::downgrade(node));
        Ok(RootGuard { runtime })
    }

    /// The root of the runtime this is called on.
    pub(crate) fn current() -> Option<Arc<Node>> {
        let runtime = Handle::try_current().ok()?.id();
        lock().get(&runtime)?.upgrade()
    }
}

impl Drop for RootGuard {
    fn drop(&mut self) {
        lock().remove(&self.runtime);
    }
}

type Roots = HashMap<Id, Weak<Node>>;

fn lock() -> MutexGuard<'static, Roots> {
    static ROOTS: LazyLock<Mutex<Roots>> = LazyLock::new(Mutex::default);
    ROOTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of a root nobody named.
pub(crate) fn default_root_name() -> &'static str {
    DEFAULT_NAME.get().copied().unwrap_or("root")
}

/// Names the roots nobody names; the first name stands.
pub(crate) fn name_default_root(name: &'static str) {
    let _again = DEFAULT_NAME.set(name);
}

static DEFAULT_NAME: OnceLock<&'static str> = OnceLock::new();
