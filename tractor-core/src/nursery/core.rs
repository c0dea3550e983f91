//! What a nursery's block, its driver and its children's tasks share.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Waker;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, watch};
use tractor_ipc::ActorId;

use crate::error::{Error, SpawnError};
use crate::fault::RemoteError;
use crate::node::{Ambient, Node};
use crate::proto::supervisor::{BodyEnd, ChildId};
use crate::proto::{ChildKind, Ladder, Supervisor, SupervisorAction};
use crate::scope::{Cancellation, Scope};
use crate::sync::Mutex;

/// A failure in a nursery: of an actor or local task, or of the block itself, whose error is the user's own value.
#[derive(Debug)]
pub(super) enum Failure {
    Child(RemoteError),
    Body,
}

/// What a child's task is told; later words only go further down ([`Order::further`]).
#[derive(Clone, Debug)]
pub(super) enum Order {
    Serve,
    Stop,
    Cancel(Cancellation),
    Kill,
}

impl Order {
    /// Takes a later word for this one, unless it would go back up; says whether it did.
    fn further(&mut self, later: Self) -> bool {
        let goes = match (&*self, &later) {
            (Self::Serve, Self::Stop | Self::Cancel(_) | Self::Kill)
            | (Self::Stop, Self::Cancel(_) | Self::Kill)
            | (Self::Cancel(_), Self::Kill) => true,
            (Self::Serve, Self::Serve)
            | (Self::Stop, Self::Serve | Self::Stop)
            // The first canceller stands.
            | (Self::Cancel(_), Self::Serve | Self::Stop | Self::Cancel(_))
            | (Self::Kill, _) => false,
        };
        if goes {
            *self = later;
        }
        goes
    }
}

pub(super) type Action = SupervisorAction<Failure, Cancellation>;

/// What a nursery's block, its driver and its children's tasks share.
pub(super) struct Core {
    node: Arc<Node>,
    actor: ActorId,
    scope: Scope,
    /// That of its actors, where nothing else is said.
    ladder: Ladder,
    state: Mutex<State>,
    childless: Notify,
}

struct State {
    supervisor: Supervisor<Failure, Cancellation>,
    orders: HashMap<ChildId, watch::Sender<Order>>,
    driver: Option<Waker>,
    closed: bool,
    /// Whether children are killed and not asked.
    killing: bool,
}

impl Core {
    pub(super) fn new(
        node: Arc<Node>,
        actor: ActorId,
        scope: Scope,
        ladder: Option<Ladder>,
    ) -> Arc<Self> {
        let state = State {
            supervisor: Supervisor::new(),
            orders: HashMap::new(),
            driver: None,
            closed: false,
            killing: false,
        };
        Arc::new(Self {
            ladder: ladder.unwrap_or_else(|| node.ladder()),
            node,
            actor,
            scope,
            state: Mutex::new(state),
            childless: Notify::new(),
        })
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The ladder of its actors, where nothing else is said.
    pub(super) fn ladder(&self) -> Ladder {
        self.ladder
    }

    /// The actor the nursery belongs to.
    pub(super) fn actor(&self) -> &ActorId {
        &self.actor
    }

    /// The scope around the nursery.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What its local tasks run under.
    pub(super) fn ambient(&self) -> Arc<Ambient> {
        let around = self.scope.ambient();
        around.unwrap_or_else(|| Ambient::of_actor(self.node.clone(), self.actor.clone()))
    }

    /// Takes a child in, before it is started.
    pub(super) fn admit(
        &self,
        kind: ChildKind,
    ) -> Result<(ChildId, watch::Receiver<Order>), SpawnError> {
        let closed = SpawnError::Closed {
            reason: "its block has ended",
        };
        let mut state = self.state.lock();
        if state.closed {
            return Err(closed);
        }
        let id = state.supervisor.child_admitted(kind).map_err(|_| closed)?;
        let (sender, receiver) = watch::channel(Order::Serve);
        // A local task is part of the block: whoever waits for the actors may be one.
        if kind != ChildKind::LocalTask {
            state.orders.insert(id, sender);
        }
        state.wake();
        Ok((id, receiver))
    }

    /// Tells a child's task to go further.
    pub(super) fn order(&self, id: ChildId, order: Order) {
        if let Some(sender) = self.state.lock().orders.get(&id) {
            sender.send_if_modified(|now| now.further(order));
        }
    }

    pub(super) fn child_failed(&self, id: ChildId, error: RemoteError) {
        let mut state = self.state.lock();
        state.supervisor.child_failed(id, Failure::Child(error));
        state.wake();
    }

    /// A one-shot's call begins; `child_done` follows.
    pub(super) fn child_called(&self, id: ChildId) {
        self.state.lock().supervisor.child_called(id);
    }

    pub(super) fn child_done(&self, id: ChildId) {
        let mut state = self.state.lock();
        state.supervisor.child_done(id);
        state.wake();
    }

    pub(super) fn child_reaped(&self, id: ChildId) {
        {
            let mut state = self.state.lock();
            state.orders.remove(&id);
            state.supervisor.child_reaped(id);
            state.wake();
        }
        self.childless.notify_waiters();
    }

    pub(super) fn body_ended(&self, end: BodyEnd<Failure>) {
        self.state.lock().supervisor.body_ended(end);
    }

    /// Kills every actor, and whoever comes later, without asking.
    pub(super) fn kill(&self, by: Cancellation) {
        let mut state = self.state.lock();
        state.killing = true;
        for sender in state.orders.values() {
            sender.send_if_modified(|now| now.further(Order::Kill));
        }
        state.supervisor.cancel_requested(by);
        state.wake();
    }

    /// What a child is told that is to end before its time.
    pub(super) fn ending(&self, by: Cancellation) -> Order {
        match self.state.lock().killing {
            true => Order::Kill,
            false => Order::Cancel(by),
        }
    }

    /// Asks for the end of everything but the block.
    pub(super) fn cancel(&self, by: Cancellation) {
        let mut state = self.state.lock();
        state.supervisor.cancel_requested(by);
        state.wake();
    }

    pub(super) fn outer_cancelled(&self, by: Cancellation) {
        self.state.lock().supervisor.outer_cancelled(by);
    }

    pub(super) fn cancelled_by(&self) -> Option<Cancellation> {
        self.state.lock().supervisor.cancelled_by().cloned()
    }

    pub(super) fn is_cancelling(&self) -> bool {
        self.state.lock().supervisor.is_cancelling()
    }

    /// The next thing for the driver to do; registers it for later ones.
    pub(super) fn poll_action(&self, waker: &Waker) -> Option<Action> {
        let mut state = self.state.lock();
        match &mut state.driver {
            Some(driver) => driver.clone_from(waker),
            None => state.driver = Some(waker.clone()),
        }
        state.supervisor.poll_action()
    }

    /// Waits until no actor is left.
    pub(super) async fn wait_childless(&self) {
        loop {
            let childless = self.childless.notified();
            if self.state.lock().orders.is_empty() {
                return;
            }
            childless.await;
        }
    }

    /// Waits until this child has been reaped.
    pub(super) async fn wait_reaped(&self, id: ChildId) {
        loop {
            let reaped = self.childless.notified();
            if !self.state.lock().orders.contains_key(&id) {
                return;
            }
            reaped.await;
        }
    }

    /// The driver is gone: nothing is admitted any more, and what is there ends.
    pub(super) fn abandon(&self, by: &Cancellation) {
        let mut state = self.state.lock();
        state.closed = true;
        for sender in state.orders.values() {
            sender.send_if_modified(|now| now.further(Order::Cancel(by.clone())));
        }
    }

    /// How many children have not been reaped.
    pub(super) fn children(&self) -> usize {
        self.state.lock().orders.len()
    }

    pub(super) fn wake(&self) {
        self.state.lock().wake();
    }
}

impl State {
    fn wake(&self) {
        if let Some(driver) = &self.driver {
            driver.wake_by_ref();
        }
    }
}

/// Tasks of the block that have not been taken up by the driver.
pub(super) struct Local<'env> {
    waiting: Mutex<Vec<BoxFuture<'env, Result<(), Error>>>>,
}

impl<'env> Local<'env> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::new(Vec::new()),
        })
    }

    pub(super) fn push(&self, task: BoxFuture<'env, Result<(), Error>>) {
        self.waiting.lock().push(task);
    }

    pub(super) fn take(&self) -> Vec<BoxFuture<'env, Result<(), Error>>> {
        std::mem::take(&mut *self.waiting.lock())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.lock().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tractor_ipc::msg::CancelReason;

    use super::*;

    /// A stop that comes behind a cancel (a one-shot nobody waits for any more) takes nothing back of it.
    #[test]
    fn what_a_child_is_told_only_goes_further_down() {
        let cancel = |reason| {
            let canceller = ActorId::new(tractor_ipc::ActorName::new("canceller").unwrap());
            Order::Cancel(Cancellation { canceller, reason })
        };
        let mut order = Order::Serve;
        assert!(order.further(Order::Stop));
        assert!(!order.further(Order::Serve));
        assert!(order.further(cancel(CancelReason::Requested)));
        assert!(!order.further(Order::Stop));
        assert!(!order.further(cancel(CancelReason::Failure)));
        let Order::Cancel(by) = &order else {
            panic!("{order:?}")
        };
        assert_eq!(by.reason, CancelReason::Requested);
        assert!(order.further(Order::Kill));
        assert!(!order.further(cancel(CancelReason::Failure)));
    }
}
