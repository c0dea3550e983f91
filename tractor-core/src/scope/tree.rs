//! The tree behind scopes: who was cancelled, who waits, and who must be let finish first.
//!
//! All the locking and every atomic of scopes is here. A [`Node`] knows its parent; a parent knows, weakly, those of its
//! unshielded children that have somebody to wake.
//!
//! # Invariants
//!
//! - SCOPE-1: A cancellation is stored once, at the node that was cancelled, and never taken back; a node asks its
//!   ancestors up to the nearest shield. Nothing is copied down, so no order of events can lose it.
//! - SCOPE-2: Whoever waits on a node registers there, has it known to every ancestor from the top, and asks
//!   afterwards; whoever cancels stores first and wakes afterwards, through the same locks. So one sees the other.
//! - SCOPE-3: A cancel wakes children before their parents.
//! - SCOPE-4: While a cancel-aware node lives, it is counted on its scope and on every ancestor, shields included, and
//!   no scope with a count above zero drops its future.
//!
//! # Deadlock safety
//!
//! No two locks are ever held together, and no waker is woken or dropped under one: both may run code that drops a scope.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Waker;

use tractor_ipc::{ActorId, Instant};

use super::Cancellation;
use super::slots::{Key, Slots};
use crate::clock::Clock;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// What a scope carries for those inside it.
pub(super) type Ambient = Arc<dyn Any + Send + Sync>;

/// One scope of the tree.
pub(super) struct Node {
    lineage: Lineage,
    shield: bool,
    ambient: Option<Ambient>,
    cancelled: AtomicBool,
    /// In nanoseconds; `NO_DEADLINE` for none.
    deadline: AtomicU64,
    aware: AtomicU32,
    /// How often the waiting tasks were taken out to be woken.
    round: AtomicU32,
    state: Mutex<State>,
}

enum Lineage {
    Root(Box<Origin>),
    Child {
        parent: Arc<Node>,
        /// Its key at the parent, or `NOWHERE`.
        seat: AtomicU32,
        /// Of a root inside a scope of somebody else's.
        origin: Option<Box<Origin>>,
    },
}

struct Origin {
    clock: Arc<dyn Clock>,
    me: ActorId,
}

struct State {
    cancellation: Option<Box<Cancellation>>,
    children: Slots<Weak<Node>>,
    waiting: Slots<Option<Waker>>,
}

impl Node {
    pub(super) fn root(clock: Arc<dyn Clock>, me: ActorId) -> Arc<Self> {
        let origin = Box::new(Origin { clock, me });
        Arc::new(Self::new(Lineage::Root(origin), true, None, None))
    }

    /// A root that is cancelled with the scope around it.
    pub(super) fn root_inside(around: &Arc<Self>, clock: Arc<dyn Clock>, me: ActorId) -> Arc<Self> {
        let lineage = Lineage::Child {
            parent: around.clone(),
            seat: AtomicU32::new(NOWHERE),
            origin: Some(Box::new(Origin { clock, me })),
        };
        Arc::new(Self::new(lineage, false, None, None))
    }

    pub(super) fn child(
        parent: &Arc<Self>,
        shield: bool,
        deadline: Option<Instant>,
        ambient: Option<Ambient>,
    ) -> Arc<Self> {
        let lineage = Lineage::Child {
            parent: parent.clone(),
            seat: AtomicU32::new(NOWHERE),
            origin: None,
        };
        Arc::new(Self::new(lineage, shield, deadline, ambient))
    }

    fn new(
        lineage: Lineage,
        shield: bool,
        deadline: Option<Instant>,
        ambient: Option<Ambient>,
    ) -> Self {
        Self {
            lineage,
            shield,
            ambient,
            cancelled: AtomicBool::new(false),
            deadline: AtomicU64::new(deadline.map_or(NO_DEADLINE, Instant::as_nanos)),
            aware: AtomicU32::new(0),
            round: AtomicU32::new(0),
            state: Mutex::new(State {
                cancellation: None,
                children: Slots::new(),
                waiting: Slots::new(),
            }),
        }
    }

    pub(super) fn is_shield(&self) -> bool {
        self.shield
    }

    pub(super) fn parent(&self) -> Option<&Arc<Self>> {
        match &self.lineage {
            Lineage::Root(_) => None,
            Lineage::Child { parent, .. } => Some(parent),
        }
    }

    /// This node and all its ancestors, innermost first.
    fn line(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |node| node.parent().map(|parent| &**parent))
    }

    /// This node and its ancestors as far as cancellations and deadlines reach in: to the nearest shield, inclusive.
    fn reach(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |node| {
            if node.shield {
                None
            } else {
                node.parent().map(|parent| &**parent)
            }
        })
    }

    fn origin(&self) -> &Origin {
        let mut node = self;
        loop {
            match &node.lineage {
                Lineage::Root(origin)
                | Lineage::Child {
                    origin: Some(origin),
                    ..
                } => return origin,
                Lineage::Child { parent, .. } => node = parent,
            }
        }
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.origin().clock
    }

    pub(super) fn me(&self) -> &ActorId {
        &self.origin().me
    }

    pub(super) fn ambient<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.line()
            .filter_map(|node| node.ambient.as_ref())
            .find(|ambient| ambient.is::<T>())
            .and_then(|ambient| ambient.clone().downcast().ok())
    }

    /// Cancels this node; the first cancel stands.
    pub(super) fn cancel(self: &Arc<Self>, cancellation: Cancellation) -> bool {
        {
            let mut state = self.state.lock();
            if state.cancellation.is_some() {
                return false;
            }
            state.cancellation = Some(Box::new(cancellation));
            self.cancelled.store(true, Ordering::Release);
        }
        self.wake_subtree();
        true
    }

    /// The cancellation of this very node.
    pub(super) fn own_cancellation(&self) -> Option<Cancellation> {
        if !self.cancelled.load(Ordering::Acquire) {
            return None;
        }
        self.state.lock().cancellation.as_deref().cloned()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.reach()
            .any(|node| node.cancelled.load(Ordering::Acquire))
    }

    /// The nearest cancellation that reaches this node.
    pub(super) fn cancellation(&self) -> Option<Cancellation> {
        self.reach().find_map(Self::own_cancellation)
    }

    /// Whether a future run in this node is to be dropped now.
    pub(super) fn is_unwinding(&self) -> bool {
        // Not a plain load: a guard that goes on another thread stores its count and then asks for the cancellation,
        // as we do the other way round. In the order of read-modify-writes one of us comes second and sees the other.
        self.is_cancelled() && self.aware.fetch_add(0, Ordering::AcqRel) == 0
    }

    pub(super) fn aware(&self) -> u32 {
        self.aware.load(Ordering::Acquire)
    }

    /// The deadline of this very node.
    pub(super) fn own_deadline(&self) -> Option<Instant> {
        match self.deadline.load(Ordering::Acquire) {
            NO_DEADLINE => None,
            nanos => Some(Instant::from_nanos(nanos)),
        }
    }

    /// The earliest deadline that reaches this node.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.reach().filter_map(Self::own_deadline).min()
    }

    pub(super) fn set_deadline(&self, deadline: Option<Instant>) {
        let nanos = deadline.map_or(NO_DEADLINE, Instant::as_nanos);
        self.deadline.store(nanos, Ordering::Release);
        self.wake();
    }

    /// Has the cancels of its ancestors find this node. Most scopes end before anybody waits in them, so this is done
    /// by the first who does.
    fn link(self: &Arc<Self>) {
        let Lineage::Child { parent, seat, .. } = &self.lineage else {
            return;
        };
        if self.shield || seat.load(Ordering::Acquire) != NOWHERE {
            return;
        }
        // From the top: a node that is linked hangs at ancestors that are.
        parent.link();
        let mut state = parent.state.lock();
        // Written under this lock alone, so two threads at once make one entry.
        if seat.load(Ordering::Acquire) == NOWHERE {
            let Key(key) = state.children.insert(Arc::downgrade(self));
            seat.store(key, Ordering::Release);
        }
    }

    /// Tasks that wait on this very node.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Unshielded children.
    #[cfg(test)]
    pub(super) fn children(&self) -> usize {
        self.state.lock().children.len()
    }

    /// Wakes the tasks that wait on this very node.
    fn wake(&self) {
        let woken: Vec<Waker> = {
            let mut state = self.state.lock();
            if state.waiting.is_empty() {
                return;
            }
            self.round.fetch_add(1, Ordering::Release);
            state
                .waiting
                .values_mut()
                .filter_map(Option::take)
                .collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Wakes every task a cancel of this node concerns, those of the innermost nodes first.
    fn wake_subtree(self: &Arc<Self>) {
        let mut order = vec![self.clone()];
        let mut next = 0;
        while let Some(node) = order.get(next).cloned() {
            let state = node.state.lock();
            order.extend(state.children.values().filter_map(Weak::upgrade));
            next += 1;
        }
        // Every child stands behind its parent here.
        order.iter().rev().for_each(|node| node.wake());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let Lineage::Child { parent, seat, .. } = &self.lineage else {
            return;
        };
        match seat.load(Ordering::Acquire) {
            NOWHERE => {}
            key => {
                let me = parent.state.lock().children.remove(Key(key));
                drop(me);
            }
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("shield", &self.shield)
            .field("cancellation", &self.cancellation())
            .field("deadline", &self.deadline())
            .field("aware", &self.aware())
            .finish_non_exhaustive()
    }
}

/// A live cancel-aware node inside a scope: until it is dropped, neither that scope nor any around it drops its future.
///
/// Whoever holds one promises to end soon after its scope is cancelled.
#[derive(Debug)]
#[must_use = "the count is given back when the guard is dropped"]
pub struct AwareGuard(Arc<Node>);

impl AwareGuard {
    pub(super) fn new(node: Arc<Node>) -> Self {
        for node in node.line() {
            node.aware.fetch_add(1, Ordering::AcqRel);
        }
        Self(node)
    }
}

impl Drop for AwareGuard {
    fn drop(&mut self) {
        for node in self.0.line() {
            if node.aware.fetch_sub(1, Ordering::AcqRel) == 1 && node.is_cancelled() {
                node.wake();
            }
        }
    }
}

/// The place of one waiting task at one node, which its owner gives back by [`Waiter::release`].
#[derive(Debug, Default)]
pub(super) struct Waiter(Option<Registered>);

#[derive(Debug)]
struct Registered {
    key: Key,
    round: u32,
    waker: Waker,
}

impl Waiter {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Has `waker` woken by whatever happens to `node` from now on.
    pub(super) fn register(&mut self, node: &Arc<Node>, waker: &Waker) {
        if let Some(known) = &self.0 {
            // In this round our waker is still in its place: a wake that is on its way will be for it.
            let same_round = known.round == node.round.load(Ordering::Acquire);
            if same_round && known.waker.will_wake(waker) {
                return;
            }
        }
        let (kept, placed) = (waker.clone(), waker.clone());
        let mut state = node.state.lock();
        let round = node.round.load(Ordering::Acquire);
        let (key, old) = match &self.0 {
            None => (state.waiting.insert(Some(placed)), None),
            Some(known) => {
                let old = state
                    .waiting
                    .get_mut(known.key)
                    .and_then(|place| place.replace(placed));
                (known.key, old)
            }
        };
        drop(state);
        drop(old);
        node.link();
        self.0 = Some(Registered {
            key,
            round,
            waker: kept,
        });
    }

    /// Gives the place back.
    pub(super) fn release(&mut self, node: &Node) {
        if let Some(known) = self.0.take() {
            let old = node.state.lock().waiting.remove(known.key);
            drop(old);
        }
    }
}

/// 584 years after the start of the node: nobody means it.
const NO_DEADLINE: u64 = u64::MAX;

/// No key: tables of that size do not fit into memory.
const NOWHERE: u32 = u32::MAX;
