//! One actor as its node hosts it: who it is, the scope its work runs in, what it exposes, and what is under way.
//!
//! The part of an actor that does not depend on its type. An orderly stop closes it to new work, waits for its calls,
//! then ends its dialogs; a cancel ends its scope and waits for both.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;
use tractor_ipc::msg::CancelReason;
use tractor_ipc::{ActorId, Cid, Instant};

use super::reply::cancelled_error;
use super::{FunctionEntry, catch, find_function};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::node::{Ambient, Node, Peer};
use crate::scope::{Cancellation, Scope, ScopeOptions};
use crate::sync::Mutex;

/// The part of an actor that does not depend on its type.
pub(crate) struct Hosted {
    id: ActorId,
    node: Arc<Node>,
    scope: Scope,
    exposed: HashMap<&'static str, &'static FunctionEntry>,
    work: Mutex<Work>,
    changed: Notify,
}

#[derive(Default)]
struct Work {
    stopping: bool,
    next: u64,
    running: HashMap<u64, (WorkKind, Scope)>,
    crash: Option<RemoteError>,
}

/// What an orderly stop does about a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkKind {
    /// Waits for it.
    Call,
    /// Cancels it once the calls are done.
    Dialog,
}

/// The scope one request is served in.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) scope: Scope,
}

impl Hosted {
    /// An actor of `node` that exposes these functions; names that this image has not are left out and logged.
    pub(crate) fn new(node: Arc<Node>, id: ActorId, exposed: &[Box<str>]) -> Arc<Self> {
        let ambient = Ambient::of_actor(node.clone(), id.clone());
        let options = ScopeOptions {
            ambient: Some(ambient),
            ..ScopeOptions::default()
        };
        let scope = node.scope().child_with(options);
        let mut functions = HashMap::with_capacity(exposed.len());
        for name in exposed {
            match find_function(name) {
                Some(entry) => {
                    functions.insert(entry.name(), entry);
                }
                None => {
                    tracing::error!(actor = %id, function = %name, "not in this image's catalogue")
                }
            }
        }
        let work = Mutex::new(Work::default());
        Arc::new(Self {
            id,
            node,
            scope,
            exposed: functions,
            work,
            changed: Notify::new(),
        })
    }

    pub(crate) fn id(&self) -> &ActorId {
        &self.id
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The scope around all its work.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The scope of one request: ended by its deadline and, where it is bound to a dialog, by that dialog's cancel.
    pub(crate) fn turn(&self, deadline: Option<Instant>, chain: Arc<[ActorId]>) -> Turn {
        let (node, actor) = (self.node.clone(), self.id.clone());
        let ambient = Arc::new(Ambient {
            node,
            actor,
            chain,
            budget: None,
        });
        let options = ScopeOptions {
            deadline,
            ambient: Some(ambient),
            ..ScopeOptions::default()
        };
        Turn {
            scope: self.scope.child_with(options),
        }
    }

    /// The scope of an exclusive request: its deadline is only known to what it calls.
    pub(crate) fn exclusive_turn(&self, budget: Option<Instant>, chain: &[ActorId]) -> Turn {
        let chain = chain.iter().chain([&self.id]).cloned().collect();
        let (node, actor) = (self.node.clone(), self.id.clone());
        let ambient = Arc::new(Ambient {
            node,
            actor,
            chain,
            budget,
        });
        let options = ScopeOptions {
            ambient: Some(ambient),
            ..ScopeOptions::default()
        };
        Turn {
            scope: self.scope.child_with(options),
        }
    }

    /// A new turn with the deadline and chain of the one this runs in.
    pub(crate) fn turn_like_current(&self) -> Turn {
        let deadline = Scope::current().and_then(|scope| scope.deadline());
        let chain = Ambient::current()
            .map(|ambient| ambient.chain.clone())
            .unwrap_or_default();
        self.turn(deadline, chain)
    }

    /// The exposed function of this name.
    pub(crate) fn function(&self, name: &str) -> Result<&'static FunctionEntry, RemoteError> {
        self.exposed.get(name).copied().ok_or_else(|| {
            let short = name.rsplit("::").next().unwrap_or(name);
            let text = match find_function(name) {
                Some(_) => format!(
                    "{} does not expose `{name}`; start it with `expose![{short}]` among its functions",
                    self.id
                ),
                None => format!(
                    "the image of {} has no function `{name}`; a crate that nothing names is not linked: \
                     add `use its_name as _;` to the program",
                    self.id
                ),
            };
            RemoteError::new(RemoteErrorKind::NotExposed, self.id.clone(), text)
        })
    }

    /// The refusal of new work, if the actor is ending.
    pub(crate) fn refusal(&self) -> Option<RemoteError> {
        let stopping = self.work.lock().stopping || self.scope.is_cancelled();
        stopping.then(|| {
            let text = format!("{} is ending and takes no new work", self.id);
            RemoteError::new(RemoteErrorKind::Stopping, self.id.clone(), text)
        })
    }

    /// Serves one request in a task of its own and answers it.
    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        kind: WorkKind,
        peer: Arc<Peer>,
        cid: Cid,
        turn: Turn,
        work: F,
    ) where
        F: Future<Output = Result<Bytes, RemoteError>> + Send + 'static,
    {
        if !peer.begin(cid, &turn.scope) {
            return;
        }
        let Some(running) = self.admit(kind, &turn.scope) else {
            if let Some(error) = self.refusal() {
                peer.fail(cid, &error);
            }
            return;
        };
        let hosted = self.clone();
        self.node.tasks().spawn(async move {
            let _running = running;
            let result = turn.scope.run(catch(work, &hosted.id)).await;
            match result {
                Ok(Ok(Ok(bytes))) => peer.finish(cid, bytes),
                Ok(Ok(Err(error)) | Err(error)) => peer.fail(cid, &error),
                Err(cancel) => peer.fail(cid, &cancelled_error(&cancel, hosted.id.clone())),
            }
        });
    }

    /// Runs work that answers by itself in a task of its own.
    pub(crate) fn spawn_plain<F>(self: &Arc<Self>, kind: WorkKind, turn: Turn, work: F) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(running) = self.admit(kind, &turn.scope) else {
            return false;
        };
        let hosted = self.clone();
        self.node.tasks().spawn(async move {
            let _running = running;
            if let Ok(Err(error)) = turn.scope.run(catch(work, &hosted.id)).await {
                tracing::error!(actor = %hosted.id, %error, "a task of the actor panicked");
            }
        });
        true
    }

    /// Ends the actor by a failure of its own.
    pub(crate) fn crash(&self, error: RemoteError) {
        self.work.lock().crash.get_or_insert(error);
        let (canceller, reason) = (self.id.clone(), CancelReason::Failure);
        self.scope.cancel(Cancellation { canceller, reason });
    }

    /// The failure the actor ended by, if a task of its own made it.
    pub(crate) fn take_crash(&self) -> Option<RemoteError> {
        self.work.lock().crash.take()
    }

    /// Closes the actor to new work.
    pub(crate) fn stop_taking(&self) {
        self.work.lock().stopping = true;
    }

    /// Waits until no call is running.
    pub(crate) async fn wait_calls(&self) {
        self.wait(|work| {
            work.running
                .values()
                .all(|(kind, _)| *kind != WorkKind::Call)
        })
        .await;
    }

    /// Cancels the dialogs that are still open.
    pub(crate) fn cancel_dialogs(&self, cancel: &Cancellation) {
        let scopes: Vec<Scope> = {
            let work = self.work.lock();
            let dialogs = work
                .running
                .values()
                .filter(|(kind, _)| *kind == WorkKind::Dialog);
            dialogs.map(|(_, scope)| scope.clone()).collect()
        };
        for scope in scopes {
            scope.cancel(cancel.clone());
        }
    }

    /// Waits until nothing is running.
    pub(crate) async fn wait_idle(&self) {
        self.wait(|work| work.running.is_empty()).await;
    }

    async fn wait(&self, done: impl Fn(&Work) -> bool) {
        loop {
            let changed = self.changed.notified();
            if done(&self.work.lock()) {
                return;
            }
            changed.await;
        }
    }

    fn admit(self: &Arc<Self>, kind: WorkKind, scope: &Scope) -> Option<Running> {
        let mut work = self.work.lock();
        if work.stopping {
            return None;
        }
        let key = work.next;
        work.next += 1;
        work.running.insert(key, (kind, scope.clone()));
        Some(Running {
            hosted: self.clone(),
            key,
        })
    }
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// One piece of work under way.
struct Running {
    hosted: Arc<Hosted>,
    key: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.hosted.work.lock().running.remove(&self.key);
        self.hosted.changed.notify_waiters();
    }
}
