//! One link's dialogs, both directions: what we opened, what the peer opened, and the requests between their actors.
//!
//! The router owns places, credit and phases. It never waits, never decodes a value and never looks at a clock; who has
//! to wait gets its value or a place back and is notified. Events and commands only append to a queue of [`Action`]s,
//! which the driver drains *before it lets go of the lock*, in order: `Send` goes to the lane it names.
//!
//! ```text
//!   open, cast ─▶ target's queue ─▶ Start, Cast ──▶ ┐            ┌ ──▶ Request ─▶ actor
//!   cancel     ─────────────────▶ Cancel        ──▶ ├─▶ link ──▶ ┤ ──▶ CancelRequested
//!   outcome    ◀── OpenerDialog ◀── Return, Fail ◀─ ┘            └ ◀── finish ◀─ handler
//! ```
//!
//! - RTR-1: a dialog has exactly one outcome at its opener, and exactly one `Return` or `Fail` is sent by its callee.
//! - RTR-2: a `Start` or `Cast` that is still unsent when it is cancelled is never sent.
//! - RTR-3: nothing of a dialog follows its `Return` or `Fail` on the data lane, and no `Yield` follows `Stop`.
//! - RTR-4: `Start`s and `Cast`s to one actor leave in the order their places were taken.
//! - RTR-5: requests under way to one actor never exceed the window it granted; a router never sends one without credit.
//! - RTR-6: values of one direction under way and unread never exceed the window its reader granted.
//! - RTR-7: nothing of a dialog leaves before its `Start`, and nothing but `Cancel` before the `Start` is answered (so a
//!   `Start` can be taken back alone); a frame of an earlier use of a slot is dropped and counted.
//! - RTR-8: when the link is lost, every dialog and every queued place ends with the same cause, and every handler is
//!   asked to end.
//! - RTR-9: a slot is free again once the handle is released and the far side has ended: nothing is left at rest.
//! - RTR-10: a message that does not fit its dialog ends that dialog alone; one that belongs to none is a [`Violation`].
//! - RTR-11: whoever found nothing (no value, no credit, no outcome) is notified once there is something.

mod action;
mod actors;
mod opening;
mod requests;
mod serving;
mod streaming;
mod target;
mod violation;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tractor_ipc::id::{ActorSlot, Cid, LinkSide};
use tractor_ipc::msg::{CancelReason, CancelTarget, CreditTo, Msg};
use tractor_ipc::time::Instant;

pub use action::{
    Action, ActorEvent, Cancelled, Cast, CastPlace, CastRefused, CommandError, Lane, Open,
    OpenRefused, Request, RouterConfig, RouterStatistics, SendPlace, Ticket,
};
pub use violation::{Violation, message_name};

use self::opening::Opened;
use self::requests::QueuedCast;
use self::target::Targets;
use crate::proto::dialog::CalleeDialog;
use crate::proto::slots::{Key, Mirror, Slots};
use crate::proto::window::RecvWindow;
use crate::proto::{Loss, Wake};

/// One end of a link.
#[derive(Debug)]
pub struct Router {
    side: LinkSide,
    config: RouterConfig,
    link: Link,
    /// Dialogs we opened.
    opened: Slots<Opened>,
    /// Dialogs the peer opened.
    served: Mirror<CalleeDialog<Bytes>>,
    /// The peer's actors: what we may ask of them, and who waits to.
    targets: Targets,
    /// Casts that wait.
    casts: Slots<QueuedCast>,
    /// Our actors: what the peer may ask of them.
    actors: BTreeMap<ActorSlot, RecvWindow>,
    actions: VecDeque<Action>,
    /// The counters that are not the length of a table.
    counted: RouterStatistics,
}

#[derive(Debug)]
enum Link {
    AwaitingSpec,
    Live,
    Lost(Loss),
}

impl Router {
    /// The end of a new link; our main actor is known to it.
    pub fn new(side: LinkSide, config: RouterConfig) -> Self {
        let window = RecvWindow::new(config.request_window);
        Self {
            side,
            link: if config.awaits_spec {
                Link::AwaitingSpec
            } else {
                Link::Live
            },
            opened: Slots::new(config.dialogs_max),
            served: Mirror::new(config.dialogs_max),
            targets: Targets::new(config.peer_request_window),
            casts: Slots::new(config.dialogs_max),
            actors: BTreeMap::from([(ActorSlot::MAIN, window)]),
            actions: VecDeque::new(),
            counted: RouterStatistics::default(),
            config,
        }
    }

    /// Which end of the link this is.
    pub fn side(&self) -> LinkSide {
        self.side
    }

    /// Why the link is no more, if it is.
    pub fn loss(&self) -> Option<&Loss> {
        match &self.link {
            Link::Lost(loss) => Some(loss),
            Link::AwaitingSpec | Link::Live => None,
        }
    }

    /// Its counters.
    pub fn statistics(&self) -> RouterStatistics {
        RouterStatistics {
            opened: self.opened.len(),
            served: self.served.len(),
            queued_casts: self.casts.len(),
            ..self.counted
        }
    }

    /// A message came from the peer.
    ///
    /// # Errors
    ///
    /// A [`Violation`] ends the link: the driver answers it with [`Router::lost`].
    pub fn handle(&mut self, msg: Msg, payload: Bytes, now: Instant) -> Result<(), Violation> {
        match &self.link {
            Link::Live => {}
            Link::AwaitingSpec => self.check_before_spec(&msg)?,
            Link::Lost(_) => {
                self.counted.late += 1;
                return Ok(());
            }
        }
        match msg {
            Msg::Start(start) => self.handle_start(*start, payload, now)?,
            Msg::Cast(cast) => self.handle_cast(*cast, payload)?,
            Msg::StartAck(ack) => self.handle_start_ack(ack)?,
            Msg::Started { cid } => self.handle_started(cid, payload)?,
            Msg::Yield { cid } => self.handle_yield(cid, payload)?,
            Msg::Credit(credit) => match credit.to {
                CreditTo::Stream(cid) => self.handle_credit(cid, credit.amount)?,
                CreditTo::Requests(actor) => {
                    self.handle_request_credit(actor, credit.amount, now)?;
                }
            },
            Msg::Stop { cid } => self.handle_stop(cid)?,
            Msg::Return { cid } => self.handle_return(cid, payload)?,
            Msg::Fail { cid } => self.handle_fail(cid, &payload)?,
            Msg::Cancel(cancel) => match cancel.target {
                CancelTarget::Dialog(cid) => self.handle_cancel(cid, *cancel)?,
                CancelTarget::Actor(actor) => self.handle_actor_cancel(actor, *cancel)?,
            },
            Msg::CancelAck(ack) => match ack.target {
                CancelTarget::Dialog(cid) => self.handle_cancel_ack(cid, ack.ladder_left)?,
                CancelTarget::Actor(actor) => {
                    self.handle_actor_cancel_ack(actor, ack.ladder_left)?;
                }
            },
            Msg::SpawnSpec => self.handle_spec(payload)?,
            Msg::Ready { actor } => self.handle_ready(actor)?,
            Msg::Drain(drain) => self.handle_drain(drain)?,
            Msg::Ended { actor, how } => self.handle_ended(actor, how, &payload)?,
            Msg::Ping(ping) => self.transmit(Lane::Control, Msg::Pong(ping), Bytes::new()),
            Msg::Pong(pong) => self.act(Action::Pong { nonce: pong.nonce }),
            Msg::Bye => {
                self.act(Action::Bye);
                // Why the actor went says more than that its link was closed.
                let crash = self.targets.crash(ActorSlot::MAIN);
                self.lost(crash.unwrap_or(Loss::Bye));
            }
        }
        Ok(())
    }

    /// The next thing to do; until there is none.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The link is no more: everything on it ends, now and later, with this cause. The first one stands.
    pub fn lost(&mut self, loss: Loss) {
        if self.loss().is_some() {
            return;
        }
        self.link = Link::Lost(loss.clone());
        self.targets.clear();
        let mut settled = Vec::new();
        for (key, opened) in self.opened.iter_mut() {
            let wake = opened.lose(&loss);
            if opened.is_settled() {
                settled.push(key);
            }
            notify(
                &mut self.actions,
                Cid::new(self.side, key.slot, key.generation),
                wake,
            );
        }
        for key in settled {
            self.opened.remove(key);
        }
        for (key, cast) in self.casts.iter_mut() {
            if cast.lose(&loss) {
                self.actions.push_back(Action::NotifyTicket(Ticket(key)));
            }
        }
        self.counted.queued_calls = 0;
        let opener = self.side.flip();
        for (key, dialog) in self.served.drain() {
            let cid = Cid::new(opener, key.slot, key.generation);
            if !dialog.is_cancelled() {
                self.actions.push_back(Action::CancelRequested {
                    cid,
                    canceller: self.config.identity.clone(),
                    reason: CancelReason::LinkLost,
                    left: None,
                });
            }
            notify(&mut self.actions, cid, Wake::RECV | Wake::SEND);
        }
    }

    fn check_before_spec(&self, msg: &Msg) -> Result<(), Violation> {
        match msg {
            // Control messages may pass the spec; a parent that gives up before it has been read may as well.
            Msg::SpawnSpec | Msg::Ping(_) | Msg::Pong(_) | Msg::Bye => Ok(()),
            Msg::Cancel(cancel) if matches!(cancel.target, CancelTarget::Actor(_)) => Ok(()),
            Msg::Cancel(_)
            | Msg::Start(_)
            | Msg::StartAck(_)
            | Msg::Started { .. }
            | Msg::Yield { .. }
            | Msg::Credit(_)
            | Msg::Stop { .. }
            | Msg::Return { .. }
            | Msg::Fail { .. }
            | Msg::CancelAck(_)
            | Msg::Cast(_)
            | Msg::Ready { .. }
            | Msg::Drain(_)
            | Msg::Ended { .. } => Err(Violation::OutOfPhase {
                message: message_name(msg),
                phase: "before SpawnSpec",
            }),
        }
    }

    fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    fn transmit(&mut self, lane: Lane, msg: Msg, payload: Bytes) {
        self.act(Action::Send { lane, msg, payload });
    }

    fn notify(&mut self, cid: Cid, wake: Wake) {
        notify(&mut self.actions, cid, wake);
    }
}

/// Appends a wake, unless there is nothing to wake; one for the dialog that was woken last joins that one.
fn notify(actions: &mut VecDeque<Action>, cid: Cid, wake: Wake) {
    if wake.is_none() {
        return;
    }
    match actions.back_mut() {
        Some(Action::Notify(last, set)) if *last == cid => *set |= wake,
        Some(_) | None => actions.push_back(Action::Notify(cid, wake)),
    }
}

fn key_of(cid: Cid) -> Key {
    Key {
        slot: cid.slot(),
        generation: cid.generation(),
    }
}
