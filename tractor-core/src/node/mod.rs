//! One runtime's part of a tree: its links, its tasks, its actors' queues, and the children it has not reaped yet.
//!
//! A node knows peers and requests; it knows neither what an actor is nor how one is called: requests go to an
//! [`Intake`] as plain data.
//!
//! - NODE-1: every task of the runtime is one of a node's [`Tasks`].
//! - NODE-2: a link's reader never waits: what arrives is queued within a window or refused.

mod ambient;
mod child;
mod codec;
mod effects;
mod exit;
mod gauge;
mod hosted;
pub mod inflight;
mod interrupt;
pub mod lifeline;
mod link;
pub mod mailbox;
mod panic;
mod peer;
pub mod reaper;
pub mod reply;
mod root;
mod statistics;
mod tasks;

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tractor_ipc::{ActorId, Cid, Instant, TreeId};

pub(crate) use ambient::{Ambient, ChainError, Surroundings, surroundings};
pub(crate) use child::{ChildHandle, Progress, Verb};
pub(crate) use codec::{decode, encode, encode_into, encode_result, failure_of};
pub(crate) use exit::{ExitStack, close_exit_stack, in_time};
pub(crate) use gauge::{Counted, Gauge};
pub(crate) use hosted::{Hosted, OnPanic, Turn, WorkKind, cancelled_error};
pub use hosted::{Opening, ServedTask};
#[cfg(feature = "testing")]
pub(crate) use interrupt::kept as kept_for_signals;
pub(crate) use interrupt::{Interruptible, interrupted_by};
pub(crate) use link::{LinkEvent, LinkPlan, PostMortem, drive};
pub(crate) use panic::{answer_after_unwinding, catch, catch_in, catch_now};
pub(crate) use peer::{Peer, dropped_cancellation};
pub(crate) use root::{Registry, RootGuard, default_root_name, name_default_root};
pub use statistics::Statistics;
pub(crate) use tasks::Tasks;

use crate::clock::{Clock, TokioClock};
use crate::host::ProcessHost;
use crate::limits::LADDER_LEFT;
use crate::proto::{Ladder, Request};
use crate::scope::{Cancellation, Scope};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// One runtime's part of a tree.
pub(crate) struct Node {
    id: ActorId,
    tree: TreeId,
    parent: OnceLock<ActorId>,
    is_root: bool,
    clock: Arc<dyn Clock>,
    scope: Scope,
    tasks: Tasks,
    /// The ladder of its children, where nothing else is said.
    ladder: OnceLock<Ladder>,
    /// When everything below it has to have ended: in nanoseconds, and only ever earlier.
    cap_at: watch::Sender<Option<Instant>>,
    host: OnceLock<Arc<dyn ProcessHost>>,
    intake: Mutex<Option<Weak<dyn Intake>>>,
    /// The actor it hosts, for portals to it that arrive in messages: a cell of the actor's own type.
    hosted: Mutex<Option<Weak<dyn Any + Send + Sync>>>,
    /// Nurseries whose blocks have not ended.
    nurseries: Gauge,
    /// Actors started from here that have not been reaped.
    children: Gauge,
    /// How often a task that nobody here had started asked for it.
    adopted: AtomicU64,
    /// One-way messages that were accepted here, and that nothing was done about.
    casts_lost: AtomicU64,
    /// Whether a signal has cancelled it.
    interrupted: AtomicBool,
    exit_stack: ExitStack,
    peers: Mutex<Links>,
}

/// The links of a node.
#[derive(Default)]
struct Links {
    /// Those that are up, by the actor at their far end.
    up: HashMap<ActorId, Weak<Peer>>,
    /// Those that are lost while somebody still holds them.
    lost: Vec<Weak<Peer>>,
    /// What those had dropped that are gone.
    gone: Statistics,
}

/// A request that arrived over a link.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// From where.
    pub(crate) peer: Arc<Peer>,
    /// What is asked.
    pub(crate) request: Request,
}

/// The near end of an actor's queues. Never waits: the link's window bounds what comes.
pub(crate) trait Intake: Send + Sync {
    /// Takes a request in.
    fn accept(&self, incoming: Incoming);

    /// Drops a request that is still queued: it was cancelled.
    fn forget(&self, peer: &Arc<Peer>, cid: Cid);
}

impl Node {
    /// The node of actor `id` on this runtime.
    pub(crate) fn new(id: ActorId, tree: TreeId, is_root: bool, runtime: Handle) -> Arc<Self> {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new(runtime.clone()));
        Self::with_clock(id, tree, is_root, runtime, clock)
    }

    /// The same under another clock. It is cancelled with the scope this is called in, if there is one.
    pub(crate) fn with_clock(
        id: ActorId,
        tree: TreeId,
        is_root: bool,
        runtime: Handle,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let scope = match Scope::current() {
            Some(around) => Scope::root_inside(&around, clock.clone(), id.clone()),
            None => Scope::root(clock.clone(), id.clone()),
        };
        let tasks = Tasks::new(runtime);
        Arc::new(Self {
            id,
            tree,
            parent: OnceLock::new(),
            is_root,
            clock,
            scope,
            tasks,
            ladder: OnceLock::new(),
            cap_at: watch::Sender::new(None),
            host: OnceLock::new(),
            intake: Mutex::new(None),
            hosted: Mutex::new(None),
            nurseries: Gauge::default(),
            children: Gauge::default(),
            adopted: AtomicU64::new(0),
            casts_lost: AtomicU64::new(0),
            interrupted: AtomicBool::new(false),
            exit_stack: ExitStack::default(),
            peers: Mutex::default(),
        })
    }

    /// The actor the node was made for.
    pub(crate) fn id(&self) -> &ActorId {
        &self.id
    }

    /// The tree it belongs to.
    pub(crate) fn tree(&self) -> TreeId {
        self.tree
    }

    /// The parent of that actor, once it is known; a root has none.
    pub(crate) fn parent(&self) -> Option<&ActorId> {
        self.parent.get()
    }

    /// Keeps who the parent is.
    pub(crate) fn set_parent(&self, parent: ActorId) {
        // A child is told once.
        let _again = self.parent.set(parent);
    }

    /// Whether it is the tree's first node.
    pub(crate) fn is_root(&self) -> bool {
        self.is_root
    }

    /// Its clock.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The scope around everything on it.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The link to this actor, if there is one.
    pub(crate) fn peer(&self, id: &ActorId) -> Option<Arc<Peer>> {
        self.peers.lock().up.get(id)?.upgrade()
    }

    fn add_peer(&self, peer: &Arc<Peer>) {
        self.peers
            .lock()
            .up
            .insert(peer.id().clone(), Arc::downgrade(peer));
    }

    /// The link is not up any more.
    fn remove_peer(&self, peer: &Arc<Peer>) {
        let mut peers = self.peers.lock();
        peers.up.remove(peer.id());
        peers.lost.retain(|lost| lost.strong_count() > 0);
        peers.lost.push(Arc::downgrade(peer));
    }

    /// What starts processes for it, once something has.
    pub(crate) fn host(&self) -> Option<Arc<dyn ProcessHost>> {
        self.host.get().cloned()
    }

    /// Keeps what starts processes for it; the first one stands.
    pub(crate) fn keep_host(&self, host: Arc<dyn ProcessHost>) -> Arc<dyn ProcessHost> {
        self.host.get_or_init(|| host).clone()
    }

    /// Who serves what children ask of their parent here, while it lives.
    pub(crate) fn intake(&self) -> Option<Arc<dyn Intake>> {
        self.intake.lock().as_ref()?.upgrade()
    }

    /// Names who serves what children ask of their parent here.
    pub(crate) fn set_intake(&self, intake: &Arc<dyn Intake>) {
        *self.intake.lock() = Some(Arc::downgrade(intake));
    }

    /// The cell of the actor it hosts, if it is a `T`.
    pub(crate) fn hosted_cell<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::downcast(self.hosted.lock().as_ref()?.upgrade()?).ok()
    }

    /// Names the cell of the actor it hosts.
    pub(crate) fn set_hosted_cell<T: Any + Send + Sync>(&self, cell: &Arc<T>) {
        let cell: Arc<dyn Any + Send + Sync> = cell.clone();
        *self.hosted.lock() = Some(Arc::downgrade(&cell));
    }

    /// Counts the nurseries whose blocks have not ended.
    pub(crate) fn nurseries(&self) -> &Gauge {
        &self.nurseries
    }

    /// Counts the actors started from here that have not been reaped, whatever became of their nurseries.
    pub(crate) fn children(&self) -> &Gauge {
        &self.children
    }

    /// A one-way message has nobody to be told that nothing was done about it: it is logged and counted.
    pub(crate) fn lose_cast(&self, why: &dyn fmt::Display) {
        self.casts_lost.fetch_add(1, Ordering::Relaxed);
        tracing::error!(actor = %self.id, %why, "a one-way message was lost");
    }

    /// Cancels everything on it, by a signal.
    fn interrupt(&self, by: Cancellation) {
        self.interrupted.store(true, Ordering::Release);
        self.scope.cancel(by);
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Acquire)
    }

    /// What is to be done at the actor's end.
    pub(crate) fn exit_stack(&self) -> &ExitStack {
        &self.exit_stack
    }

    /// What is left of the time to end, or what that is by default.
    pub(crate) fn ladder_left(&self, now: Instant) -> Duration {
        let left = self.cap_left(now);
        left.map_or(LADDER_LEFT, |left| left.min(LADDER_LEFT))
    }

    /// The ladder of its children, where nothing else is said.
    pub(crate) fn ladder(&self) -> Ladder {
        self.ladder.get().copied().unwrap_or_default()
    }

    /// Gives it another one; the first one stands.
    pub(crate) fn set_ladder(&self, ladder: Ladder) {
        let _again = self.ladder.set(ladder);
    }

    /// It has so long to end, with everything below it: what is left of that is what its children are given.
    pub(crate) fn set_cap(&self, at: Instant) {
        self.cap_at.send_if_modified(|before| {
            let sooner = before.is_none_or(|before| at < before);
            if sooner {
                *before = Some(at);
            }
            sooner
        });
    }

    /// What is left of the time it has to end, if there is an end of that.
    pub(crate) fn cap_left(&self, now: Instant) -> Option<Duration> {
        self.cap_at.borrow().map(|at| at.saturating_since(now))
    }

    /// Tells when there is less time than before.
    pub(crate) fn cap(&self) -> watch::Receiver<Option<Instant>> {
        self.cap_at.subscribe()
    }

    /// Counts one more task that nobody here had started; says how many there were.
    fn count_adopted(&self) -> u64 {
        self.adopted.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Its tasks.
    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("id", &self.id)
            .field("tree", &self.tree)
            .finish_non_exhaustive()
    }
}
