//! Requests to the peer's actors: casts, and whatever waits for request credit.

use bytes::Bytes;
use tractor_ipc::id::{ActorSlot, Cid};
use tractor_ipc::msg::{CancelReason, Cast, Msg};
use tractor_ipc::time::Instant;

use super::action::{Action, CastPlace, CastRefused, Lane, Ticket};
use super::opening::{Opened, Queued};
use super::target::Place;
use super::{Router, Violation, notify};
use crate::proto::dialog::{OpenerDialog, Outcome};
use crate::proto::slots::Key;
use crate::proto::{Loss, Wake};

/// A cast that had to wait.
#[derive(Debug)]
pub(super) enum QueuedCast {
    Waiting { cast: Box<Cast>, args: Bytes },
    Sent,
    Lost(Loss),
}

impl QueuedCast {
    /// True if it waited until now.
    pub(super) fn lose(&mut self, loss: &Loss) -> bool {
        match self {
            Self::Waiting { .. } => {
                *self = Self::Lost(loss.clone());
                true
            }
            Self::Sent | Self::Lost(_) => false,
        }
    }
}

impl Router {
    /// Sends a message one way, or takes a place for it.
    ///
    /// # Errors
    ///
    /// [`CastRefused`]: no place was taken.
    pub fn cast(&mut self, cast: Cast, args: Bytes) -> Result<CastPlace, CastRefused> {
        if let Some(loss) = self.loss() {
            return Err(CastRefused::Down(loss.clone()));
        }
        let target = self.targets.reach(cast.actor).map_err(CastRefused::Down)?;
        let cast = Box::new(cast);
        if target.take_at_once() {
            self.transmit(Lane::Data, Msg::Cast(cast), args);
            return Ok(CastPlace::Sent);
        }
        let waiting = QueuedCast::Waiting { cast, args };
        let inserted = self.casts.insert_with(|_| waiting);
        let key = inserted.ok_or(CastRefused::Full)?;
        target.wait(Place::Cast(key));
        Ok(CastPlace::Queued(Ticket(key)))
    }

    /// Sends a message one way if that needs no waiting.
    ///
    /// # Errors
    ///
    /// [`CastRefused`]: nothing was sent.
    pub fn try_cast(&mut self, cast: Cast, args: Bytes) -> Result<(), CastRefused> {
        if let Some(loss) = self.loss() {
            return Err(CastRefused::Down(loss.clone()));
        }
        let target = self.targets.reach(cast.actor).map_err(CastRefused::Down)?;
        if !target.take_at_once() {
            return Err(CastRefused::Full);
        }
        self.transmit(Lane::Data, Msg::Cast(Box::new(cast)), args);
        Ok(())
    }

    /// Where a cast that had to wait is. Once it says `Sent` or `Lost`, the ticket is spent.
    pub fn cast_written(&mut self, ticket: Ticket) -> CastPlace {
        match self.casts.get(ticket.0) {
            Some(QueuedCast::Waiting { .. }) => return CastPlace::Queued(ticket),
            Some(QueuedCast::Sent | QueuedCast::Lost(_)) | None => {}
        }
        match self.casts.remove(ticket.0) {
            Some(QueuedCast::Lost(loss)) => CastPlace::Lost(loss),
            Some(QueuedCast::Waiting { .. } | QueuedCast::Sent) | None => CastPlace::Sent,
        }
    }

    /// Nobody waits for this cast any more: it is removed if it is unsent.
    pub fn drop_cast(&mut self, ticket: Ticket) {
        if let Some(QueuedCast::Waiting { cast, .. }) = self.casts.remove(ticket.0) {
            self.counted.unsent += 1;
            self.give_up(cast.actor);
        }
    }

    pub(super) fn handle_request_credit(
        &mut self,
        actor: ActorSlot,
        amount: u32,
        now: Instant,
    ) -> Result<(), Violation> {
        let Some(target) = self.targets.get(actor) else {
            if !self.targets.was_met(actor) {
                return Err(Violation::UnknownActor { actor });
            }
            self.counted.late += 1;
            return Ok(());
        };
        if !target.window.add(amount) {
            return Err(Violation::TooMuchCredit { actor });
        }
        self.pump(actor, now);
        Ok(())
    }

    /// The far actor takes nothing any more: who waited for it learns why.
    pub(super) fn end_target(&mut self, actor: ActorSlot, loss: &Loss) {
        for place in self.targets.end(actor, loss.clone()) {
            match place {
                Place::Call(key) => {
                    if let Some(opened @ Opened::Queued(_)) = self.opened.get_mut(key) {
                        let wake = opened.lose(loss);
                        self.counted.queued_calls -= 1;
                        let cid = self.own_cid(key);
                        self.notify(cid, wake);
                    }
                }
                Place::Cast(key) => {
                    if self.casts.get_mut(key).is_some_and(|cast| cast.lose(loss)) {
                        self.act(Action::NotifyTicket(Ticket(key)));
                    }
                }
            }
        }
    }

    /// The far actor has ended: what it has not answered by now it never will.
    pub(super) fn end_dialogs(&mut self, actor: ActorSlot, loss: &Loss) {
        let side = self.side;
        let mut settled = Vec::new();
        for (key, opened) in self.opened.iter_mut() {
            if !opened.is_with(actor) {
                continue;
            }
            let wake = opened.lose(loss);
            if opened.is_settled() {
                settled.push(key);
            }
            let cid = Cid::new(side, key.slot, key.generation);
            notify(&mut self.actions, cid, wake);
        }
        for key in settled {
            self.opened.remove(key);
        }
    }

    /// Sends what waits for this actor, as far as its credit goes.
    pub(super) fn pump(&mut self, actor: ActorSlot, now: Instant) {
        while let Some(target) = self.targets.get(actor)
            && let Some(place) = target.next()
        {
            let sent = match place {
                Place::Call(key) => self.start_queued(key, now),
                Place::Cast(key) => self.send_queued(key),
            };
            let Some(target) = self.targets.get(actor) else {
                return;
            };
            match sent {
                Pumped::Sent => {
                    let taken = target.window.take();
                    debug_assert!(taken, "a place comes up only where there is credit");
                }
                Pumped::Expired => {}
                Pumped::Husk => target.was_husk(),
            }
        }
    }

    fn start_queued(&mut self, key: Key, now: Instant) -> Pumped {
        let cid = self.own_cid(key);
        let Some(entry) = self.opened.get_mut(key) else {
            return Pumped::Husk;
        };
        let Opened::Queued(queued) = entry else {
            return Pumped::Husk;
        };
        let (actor, kind) = (queued.open.actor, queued.open.kind);
        let (window, overrun) = (queued.open.window, queued.open.overrun);
        self.counted.queued_calls -= 1;
        if queued.open.deadline.is_some_and(|deadline| deadline <= now) {
            let canceller = self.config.identity.clone();
            let reason = CancelReason::Deadline;
            entry.unsent(actor, kind, Outcome::Cancelled { canceller, reason });
            self.counted.unsent += 1;
            self.notify(cid, Wake::ALL);
            return Pumped::Expired;
        }
        let dialog = OpenerDialog::sent(kind, window, overrun);
        let Opened::Queued(queued) = std::mem::replace(entry, Opened::Live { actor, dialog })
        else {
            return Pumped::Husk;
        };
        let Queued { open, args } = *queued;
        let start = Msg::Start(open.into_start(cid, now));
        self.transmit(Lane::Data, start, args);
        Pumped::Sent
    }

    fn send_queued(&mut self, key: Key) -> Pumped {
        let Some(entry @ QueuedCast::Waiting { .. }) = self.casts.get_mut(key) else {
            return Pumped::Husk;
        };
        if let QueuedCast::Waiting { cast, args } = std::mem::replace(entry, QueuedCast::Sent) {
            self.transmit(Lane::Data, Msg::Cast(cast), args);
            self.act(Action::NotifyTicket(Ticket(key)));
        }
        Pumped::Sent
    }

    pub(super) fn give_up(&mut self, actor: ActorSlot) {
        let (opened, casts) = (&self.opened, &self.casts);
        if let Some(target) = self.targets.get(actor) {
            target.give_up(|place| match place {
                Place::Call(key) => matches!(opened.get(key), Some(Opened::Queued(_))),
                Place::Cast(key) => matches!(casts.get(key), Some(QueuedCast::Waiting { .. })),
            });
        }
    }

    /// A request that had taken credit never left.
    pub(super) fn regain(&mut self, actor: ActorSlot, now: Instant) {
        if let Some(target) = self.targets.get(actor) {
            let added = target.window.add(1);
            debug_assert!(added, "credit given back was taken before");
            self.pump(actor, now);
        }
    }
}

enum Pumped {
    Sent,
    Expired,
    Husk,
}
