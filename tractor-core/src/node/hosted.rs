//! One actor as its node hosts it: who it is, the scope its work runs in, what it exposes, and what is under way.
//!
//! The part of an actor that does not depend on its type. An orderly stop closes it to new work, waits for its calls,
//! then ends its dialogs; a cancel ends its scope and waits for both.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tractor_ipc::msg::CancelReason;
use tractor_ipc::{ActorId, Cid, Instant};

use super::inflight::Inflight;
use super::{Ambient, Node, Peer, catch_in, decode};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::message::Message;
use crate::scope::{Cancellation, Scope, ScopeOptions};
use crate::sync::Mutex;

/// The part of an actor that does not depend on its type.
pub(crate) struct Hosted {
    id: ActorId,
    node: Arc<Node>,
    scope: Scope,
    exposed: HashSet<Box<str>>,
    work: Mutex<Work>,
    /// Answers owed to callers in this process.
    owed: Inflight<RemoteError>,
    changed: Notify,
}

#[derive(Default)]
struct Work {
    stopping: bool,
    next: u64,
    running: HashMap<u64, (WorkKind, Scope)>,
    crash: Option<RemoteError>,
}

/// A request for a function or a context, on its way to its task.
#[derive(Debug)]
pub struct Opening {
    pub(crate) peer: Arc<Peer>,
    pub(crate) hosted: Arc<Hosted>,
    pub(crate) cid: Cid,
    pub(crate) args: Bytes,
}

/// The serving of one request: what is to be sent back.
pub type ServedTask = BoxFuture<'static, Result<Bytes, RemoteError>>;

/// What an orderly stop does about a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkKind {
    /// Waits for it.
    Call,
    /// Cancels it once the calls are done.
    Dialog,
}

/// What a panic in a piece of work means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnPanic {
    /// It fails alone: a function's.
    Fail,
    /// The actor crashes: one of its methods'.
    Crash,
}

/// The scope one request is served in.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) scope: Scope,
}

impl Hosted {
    /// An actor of `node` that exposes the functions of these names.
    pub(crate) fn new(node: Arc<Node>, id: ActorId, exposed: &[Box<str>]) -> Arc<Self> {
        let ambient = Ambient::of_actor(node.clone(), id.clone());
        let options = ScopeOptions {
            ambient: Some(ambient),
            ..ScopeOptions::default()
        };
        let scope = node.scope().child_with(options);
        let exposed = exposed.iter().cloned().collect();
        let work = Mutex::new(Work::default());
        Arc::new(Self {
            id,
            node,
            scope,
            exposed,
            work,
            owed: Inflight::new(),
            changed: Notify::new(),
        })
    }

    pub(crate) fn id(&self) -> &ActorId {
        &self.id
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// What it owes callers in this process: ending it answers them all.
    pub(crate) fn owed(&self) -> &Inflight<RemoteError> {
        &self.owed
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

    /// The scope of a request whose handler runs to its end: its deadline is only known to what it calls.
    pub(crate) fn uncut_turn(&self, budget: Option<Instant>, chain: Arc<[ActorId]>) -> Turn {
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

    /// A turn for what the one this runs in leaves behind: with the deadline and chain of its request. Nothing waits for
    /// it here, so the actor itself, if it ran alone, is not in its chain.
    pub(crate) fn turn_left_behind(&self) -> Turn {
        let scope_cuts = Scope::current().and_then(|scope| scope.deadline());
        let Some(ambient) = Ambient::current() else {
            return self.turn(scope_cuts, Arc::default());
        };
        let deadline = [scope_cuts, ambient.budget].into_iter().flatten().min();
        let chain = match ambient.chain.split_last() {
            Some((last, request)) if *last == self.id => request.into(),
            Some(_) | None => ambient.chain.clone(),
        };
        self.turn(deadline, chain)
    }

    /// The chain of what a handler calls that runs alone: whoever awaits it, and the actor itself.
    pub(crate) fn chain_alone(&self, chain: &[ActorId]) -> Arc<[ActorId]> {
        chain.iter().chain([&self.id]).cloned().collect()
    }

    /// Whether it exposes the function of this name.
    pub(crate) fn exposes(&self, name: &str) -> bool {
        self.exposed.contains(name)
    }

    /// The refusal of new work, if the actor is ending.
    pub(crate) fn refusal(&self) -> Option<RemoteError> {
        if self.crashed().is_some() {
            return Some(self.unanswered(None));
        }
        let stopping = self.work.lock().stopping || self.scope.is_cancelled();
        stopping.then(|| {
            let text = format!("{} is ending and takes no new work", self.id);
            RemoteError::new(RemoteErrorKind::Stopping, self.id.clone(), text)
        })
    }

    /// Serves one request in a task of its own and answers it.
    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        (kind, on_panic): (WorkKind, OnPanic),
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
        let mut owed = OwedAnswer {
            hosted: self.clone(),
            peer,
            cid: Some(cid),
        };
        self.node.tasks().spawn(async move {
            let _running = running;
            let result = catch_in(&turn.scope, work, &owed.hosted.id).await;
            owed.give(match result {
                Ok(Ok(result)) => result,
                Ok(Err(panic)) => {
                    if on_panic == OnPanic::Crash {
                        owed.hosted.crash(panic.clone());
                    }
                    Err(panic)
                }
                Err(cancel) => Err(owed.hosted.unanswered(Some(&cancel))),
            });
        });
    }

    /// Ends the actor by a failure of its own.
    pub(crate) fn crash(&self, error: RemoteError) {
        self.work.lock().crash.get_or_insert(error);
        let (canceller, reason) = (self.id.clone(), CancelReason::Failure);
        self.scope.cancel(Cancellation { canceller, reason });
    }

    /// The failure the actor ended by.
    pub(crate) fn crashed(&self) -> Option<RemoteError> {
        self.work.lock().crash.clone()
    }

    /// What is answered for work that was dropped: that the actor has crashed, and by what; or that it was cancelled; or,
    /// where neither is known, that it is lost.
    pub(crate) fn unanswered(&self, cancel: Option<&Cancellation>) -> RemoteError {
        let (id, kind) = (self.id.clone(), RemoteErrorKind::Lost);
        match (self.crashed(), cancel) {
            (Some(crash), _) => RemoteError::new(kind, id, "the actor has ended").caused_by(crash),
            (None, Some(cancel)) => cancelled_error(cancel, id),
            (None, None) => RemoteError::new(kind, id, "the handler went away without an answer"),
        }
    }

    /// Closes the actor to new work.
    pub(crate) fn stop_taking(&self) {
        self.work.lock().stopping = true;
        self.changed.notify_waiters();
    }

    /// Waits until it is closed to new work.
    pub(crate) async fn wait_stopping(&self) {
        self.wait(|work| work.stopping).await;
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

impl Opening {
    pub(crate) fn decode_args<T: Message>(&self) -> Result<T, RemoteError> {
        decode(&self.args, "the argument list", self.hosted.id())
    }
}

/// A cancellation as the failure of work in `actor`.
pub(crate) fn cancelled_error(cancel: &Cancellation, actor: ActorId) -> RemoteError {
    RemoteError::new(cancel.clone().into(), actor, cancel.to_string())
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The answer of a served request: given once, also where its task is dropped with its runtime.
struct OwedAnswer {
    hosted: Arc<Hosted>,
    peer: Arc<Peer>,
    cid: Option<Cid>,
}

impl OwedAnswer {
    fn give(&mut self, result: Result<Bytes, RemoteError>) {
        let Some(cid) = self.cid.take() else { return };
        match result {
            Ok(bytes) => self.peer.finish(cid, bytes),
            Err(error) => self.peer.fail(cid, &error),
        }
    }
}

impl Drop for OwedAnswer {
    fn drop(&mut self) {
        if self.cid.is_some() {
            self.give(Err(self.hosted.unanswered(None)));
        }
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
