//! Which runtime has a root: one table for the process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use tokio::runtime::{Handle, Id};
use tractor_ipc::ActorId;

use super::{Counted, Node};

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

    /// The same for a task this library did not start, which is said once and counted: such a task belongs to no scope but
    /// the root's, unless [`inherit`](crate::scope::inherit) carries its own along.
    pub(crate) fn adopt() -> Option<Arc<Node>> {
        let node = Self::current()?;
        if node.count_adopted() == 1 {
            tracing::info!(
                root = %node.id(),
                "a task this library did not start belongs to the root of its runtime; `tractor::inherit` carries a scope \
                 along"
            );
        }
        Some(node)
    }

    /// As [`Registry::adopt`], for a nursery, which is counted before the root can leave: a root whose block has ended waits
    /// for it, or has it not.
    pub(crate) fn adopt_nursery() -> Option<(Arc<Node>, Counted)> {
        let node = Self::adopt()?;
        let runtime = Handle::try_current().ok()?.id();
        let roots = lock();
        // Still there: it takes itself out under this lock, and looks for nurseries afterwards.
        let stays = roots
            .get(&runtime)
            .is_some_and(|root| root.strong_count() > 0);
        let counted = stays.then(|| node.nurseries().enter())?;
        drop(roots);
        Some((node, counted))
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
