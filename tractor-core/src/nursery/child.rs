//! One actor of a nursery, from its admission to its reaping, in a task of its own: it performs what the child's
//! [`Teardown`] says and reports how it ended.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tractor_ipc::msg::EndedHow;
use tractor_ipc::{ActorId, Instant};

use super::core::{Core, Order};
use crate::error::SpawnError;
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::host::{ExitStatus, Signal};
use crate::limits::LOSS_STATUS;
use crate::node::reply::ReplySender;
use crate::node::{ChildHandle, LinkEvent, Peer, Progress, Verb};
use crate::proto::supervisor::ChildId;
use crate::proto::teardown::Rung;
use crate::proto::{ActorEvent, Ladder, Loss, Teardown, TeardownAction};
use crate::scope::Cancellation;
use crate::spawn::{self, Child, SpawnMethodKey, SpawnPlan};

/// What the starter of a child waits for.
pub(super) type Started = Result<Arc<Peer>, SpawnError>;

/// One child to be run.
pub(super) struct ChildRun {
    pub(super) core: Arc<Core>,
    pub(super) id: ChildId,
    /// From the start, since the task may be dropped before it is polled.
    pub(super) reaped: Reaped,
    pub(super) orders: watch::Receiver<Order>,
    pub(super) method: SpawnMethodKey,
    pub(super) plan: SpawnPlan,
    pub(super) started: ReplySender<Started>,
    /// Alive while somebody awaits the child's one result: its failure is then theirs, and not the nursery's.
    pub(super) awaited: Weak<()>,
    pub(super) ladder: Ladder,
}

impl ChildRun {
    /// Starts the child, sees it through its life and down its ladder, and reports its end.
    pub(super) async fn run(self) {
        let Self {
            core,
            id,
            reaped: _reaped,
            mut orders,
            method,
            plan,
            started,
            awaited,
            ladder,
        } = self;
        let actor = plan.id.clone();
        let child = {
            let mut give_up = std::pin::pin!(told_to_end(orders.clone(), core.actor().clone()));
            spawn::spawn(method, plan, give_up.as_mut()).await
        };
        match child {
            Ok(child) => {
                tracing::info!(%actor, pid = child.process.pid, "started");
                let peer = child.peer.clone();
                let (telling, progress) = watch::channel(Progress::Serving);
                peer.set_child(handle(&core, id, &actor, progress));
                if started.send(Ok(peer)).is_err() {
                    // Whoever asked for it has left before it had a portal: nobody can use it.
                    core.order(id, Order::Stop);
                }
                let mut life = Life::new(child, actor, ladder, &core, telling);
                life.see_through(&core, &mut orders).await;
                if let Some(error) = life.failure()
                    && awaited.strong_count() == 0
                {
                    core.child_failed(id, error);
                }
            }
            Err(error) => {
                tracing::debug!(%actor, %error, "not started");
                if let Err(Err(unheard)) = started.send(Err(error)) {
                    tracing::debug!(%actor, error = %unheard, "nobody waits for the start any more");
                }
            }
        }
    }
}

/// The way from a child's portals to its task.
fn handle(
    core: &Arc<Core>,
    id: ChildId,
    actor: &ActorId,
    progress: watch::Receiver<Progress>,
) -> ChildHandle {
    let core = Arc::downgrade(core);
    let order = move |verb| {
        // Without its nursery it has been reaped.
        let Some(core) = core.upgrade() else { return };
        core.order(
            id,
            match verb {
                Verb::Stop => Order::Stop,
                Verb::Cancel(cancel) => Order::Cancel(cancel),
                Verb::Kill => Order::Kill,
            },
        );
    };
    ChildHandle::new(actor.clone(), order, progress)
}

/// Takes a child out of its nursery, also where its task is dropped with its runtime.
pub(super) struct Reaped {
    core: Arc<Core>,
    id: ChildId,
}

impl Reaped {
    /// For a child that was admitted.
    pub(super) fn new(core: &Arc<Core>, id: ChildId) -> Self {
        Self {
            core: core.clone(),
            id,
        }
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        self.core.child_reaped(self.id);
    }
}

/// Waits until the child is not wanted any more.
async fn told_to_end(mut orders: watch::Receiver<Order>, by: ActorId) -> Cancellation {
    let cancel = |reason| Cancellation {
        canceller: by.clone(),
        reason,
    };
    loop {
        match &*orders.borrow_and_update() {
            Order::Serve => {}
            Order::Stop => return cancel(tractor_ipc::msg::CancelReason::BlockEnded),
            Order::Cancel(cancel) => return cancel.clone(),
            Order::Kill => return cancel(tractor_ipc::msg::CancelReason::Requested),
        }
        if orders.changed().await.is_err() {
            return cancel(tractor_ipc::msg::CancelReason::BlockEnded);
        }
    }
}

/// A child that serves, and its way down.
struct Life {
    child: Child,
    actor: ActorId,
    parent: ActorId,
    ladder: Teardown,
    telling: watch::Sender<Progress>,
    cancel: Option<Cancellation>,
    ended: Option<(EndedHow, Option<RemoteError>)>,
    linked: bool,
    /// Why the link ended, once it has.
    lost: Option<Loss>,
    /// Whether it has been asked to end.
    told: bool,
    status: Option<ExitStatus>,
}

impl Life {
    fn new(
        child: Child,
        actor: ActorId,
        ladder: Ladder,
        core: &Core,
        telling: watch::Sender<Progress>,
    ) -> Self {
        Self {
            child,
            actor,
            parent: core.actor().clone(),
            ladder: Teardown::new(ladder),
            telling,
            cancel: None,
            ended: None,
            linked: true,
            lost: None,
            told: false,
            status: None,
        }
    }

    /// Lives through the child's life until it has been reaped and its last words have been heard.
    async fn see_through(&mut self, core: &Core, orders: &mut watch::Receiver<Order>) {
        let clock = core.node().clock().clone();
        self.obey(&orders.borrow_and_update().clone(), clock.now());
        let mut cap = self.child.peer.node().cap();
        while !self.perform(clock.now()) {
            let exit = self.child.process.exit.clone();
            let alarm = self.ladder.next_deadline().map(|at| clock.sleep_until(at));
            tokio::select! {
                biased;
                status = exit.wait() => {
                    self.status = Some(status);
                    self.ladder.handle_exited();
                }
                event = self.child.events.recv(), if self.linked => self.heard(event, clock.now()),
                changed = orders.changed() => {
                    if changed.is_ok() {
                        let order = orders.borrow_and_update().clone();
                        self.obey(&order, clock.now());
                    }
                }
                Ok(()) = cap.changed() => self.hurry(clock.now()),
                () = async { match alarm { Some(alarm) => alarm.await, None => std::future::pending().await } } => {}
            }
        }
        let mut patience = clock.sleep_until(clock.now() + LOSS_STATUS);
        while self.linked {
            tokio::select! {
                biased;
                event = self.child.events.recv() => self.heard(event, clock.now()),
                () = &mut patience => break,
            }
        }
    }

    fn obey(&mut self, order: &Order, now: Instant) {
        match order {
            Order::Serve => {}
            Order::Stop => {
                self.told = true;
                self.ladder.start_stop(now);
            }
            Order::Cancel(cancel) => {
                self.told = true;
                self.cancel.get_or_insert_with(|| cancel.clone());
                let left = self.child.peer.node().cap_left(now);
                self.ladder.start_cancel(left, now);
            }
            Order::Kill => {
                self.told = true;
                self.ladder.start_kill();
            }
        }
    }

    /// There is less time around it than when it was asked.
    fn hurry(&mut self, now: Instant) {
        if self.ladder.rung() == Rung::Cancel {
            let left = self.child.peer.node().cap_left(now);
            self.ladder.start_cancel(left, now);
            if let Some(left) = left
                && self.linked
                && self.ended.is_none()
            {
                self.send_cancel(left);
            }
        }
    }

    fn send_cancel(&self, left: Duration) {
        let own = Cancellation {
            canceller: self.parent.clone(),
            reason: tractor_ipc::msg::CancelReason::BlockEnded,
        };
        let cancel = self.cancel.as_ref().unwrap_or(&own);
        self.child.peer.cancel_actor(cancel, Some(left));
    }

    fn heard(&mut self, event: Option<LinkEvent>, now: Instant) {
        match event {
            Some(LinkEvent::Actor(ActorEvent::CancelAcked { ladder_left, .. })) => {
                self.ladder.handle_accepted(ladder_left, now);
                self.tell(Progress::Accepted { left: ladder_left });
            }
            Some(LinkEvent::Actor(ActorEvent::Ended { how, fault, .. })) => {
                let error = fault.map(|fault| RemoteError::from_fault(fault, &self.actor));
                self.ended = Some((how, error));
                self.ladder.handle_ended(now);
                let left = self.ladder.next_deadline();
                let left = left.map_or(Duration::ZERO, |at| at.saturating_since(now));
                self.tell(Progress::Accepted { left });
            }
            Some(LinkEvent::Actor(event)) => {
                tracing::debug!(actor = %self.actor, ?event, "not for a parent");
            }
            Some(LinkEvent::Lost(loss)) => {
                tracing::debug!(actor = %self.actor, %loss, "its link has ended");
                self.linked = false;
                self.lost = Some(loss);
                self.ladder.handle_link_lost(now);
            }
            None => {
                self.linked = false;
                self.ladder.handle_link_lost(now);
            }
        }
    }

    /// Does what the ladder says; true once the child has been reaped.
    fn perform(&mut self, now: Instant) -> bool {
        while let Some(action) = self.ladder.poll_action(now) {
            match action {
                TeardownAction::SendDrain { within } => self.child.peer.drain_actor(within),
                TeardownAction::SendCancel { left } => {
                    self.send_cancel(left);
                    self.tell(Progress::Asked);
                }
                TeardownAction::Terminate => self.signal(Signal::Terminate),
                TeardownAction::Kill => self.signal(Signal::Kill),
                TeardownAction::Done { rung } => {
                    if rung >= Rung::Terminate {
                        tracing::warn!(actor = %self.actor, ?rung, "did not end by itself in time");
                    }
                    self.tell(Progress::Gone { rung });
                    return true;
                }
            }
        }
        false
    }

    /// Tells how far it has come; what is heard of it later changes nothing about its end.
    fn tell(&self, progress: Progress) {
        self.telling.send_if_modified(|told| {
            let goes_on = !matches!(told, Progress::Gone { .. });
            if goes_on {
                *told = progress;
            }
            goes_on
        });
    }

    fn signal(&self, signal: Signal) {
        if let Err(error) = self.child.process.signal(signal) {
            tracing::debug!(actor = %self.actor, %error, "cannot be signalled; its host is gone");
        }
    }

    /// Why the child's end is a failure, if it is one: it failed by itself, or it went in a way nobody asked for.
    fn failure(self) -> Option<RemoteError> {
        let we_signalled = self.ladder.rung() >= Rung::Terminate || self.child.process.was_killed();
        match self.ended {
            Some((EndedHow::Failed, error)) => {
                let error = error.unwrap_or_else(|| {
                    let text = "it failed and did not say how";
                    RemoteError::new(RemoteErrorKind::Lost, self.actor.clone(), text)
                });
                let by_us = self.told && matches!(error.kind(), RemoteErrorKind::Cancelled { .. });
                (!by_us).then_some(error)
            }
            Some((EndedHow::Stopped | EndedHow::Cancelled, _)) => None,
            None if self.told && we_signalled => None,
            None if self.told && self.status.is_some_and(ExitStatus::success) => None,
            None => Some(self.unasked()),
        }
    }

    /// The failure of a process that went without a word.
    fn unasked(self) -> RemoteError {
        let status = self.status.unwrap_or(ExitStatus::Unreported);
        let kind = match status {
            ExitStatus::Exited(code) => RemoteErrorKind::Exited { code },
            ExitStatus::Signaled(signal) => RemoteErrorKind::Killed { signal },
            ExitStatus::Unreported => RemoteErrorKind::Lost,
        };
        if let Some(Loss::Protocol(why)) = &self.lost {
            let text = format!("its link was given up: {why}");
            return RemoteError::new(RemoteErrorKind::Protocol, self.actor, text);
        }
        let how = spawn::how_it_ended(status);
        let tail = self.child.process.stderr.take();
        let text = match tail.trim_end() {
            "" => format!("the process {how}"),
            tail => format!("the process {how}; it last wrote:\n{tail}"),
        };
        RemoteError::new(kind, self.actor, text)
    }
}
