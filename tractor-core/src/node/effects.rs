//! What follows from a step of the router: bytes to write under its lock, code to run after it.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Poll, Waker};

use tractor_ipc::msg::Msg;
use tractor_ipc::{Cid, Lane, LinkSide, PushError};

use super::peer::{Peer, State, keep};
use super::{Incoming, Intake, LinkEvent};
use crate::proto::{Action, ActorEvent, Request, Ticket, Wake};
use crate::scope::{Cancellation, Scope};

/// What has to happen once the router's lock is released. Empty, it costs nothing.
#[derive(Default)]
pub(super) struct Effects {
    wakers: Vec<Waker>,
    work: Vec<Work>,
}

enum Work {
    Request(Arc<dyn Intake>, Box<Request>),
    Unserved(Box<Request>),
    CancelQueued(Arc<dyn Intake>, Cid, Cancellation),
    CancelRunning(Scope, Cancellation),
    Refuse(Cid, Cancellation),
    Actor(ActorEvent),
}

impl Effects {
    /// Takes the router's actions: what is to be sent goes to the channel at once, in order.
    pub(super) fn drain(&mut self, peer: &Peer, state: &mut State) {
        while let Some(action) = state.router.poll_action() {
            match action {
                Action::Send { lane, msg, payload } => {
                    push(peer, lane.into(), &msg, &payload);
                }
                Action::Notify(cid, wake) => state.slots.notify(cid, wake, &mut self.wakers),
                Action::NotifyTicket(ticket) => self.wakers.extend(state.slots.take_ticket(ticket)),
                Action::Request(request) => self.work.push(match &state.intake {
                    Some(intake) => Work::Request(intake.clone(), Box::new(request)),
                    None => Work::Unserved(Box::new(request)),
                }),
                Action::CancelRequested {
                    cid,
                    canceller,
                    reason,
                    ..
                } => {
                    let cancel = Cancellation { canceller, reason };
                    self.cancel_requested(state, cid, cancel);
                }
                Action::Actor(event) => self.work.push(Work::Actor(event)),
                Action::Pong { .. } | Action::Bye => {}
            }
        }
    }

    fn cancel_requested(&mut self, state: &mut State, cid: Cid, cancel: Cancellation) {
        match state.slots.serving(cid) {
            Serving::Running(scope) => self.work.push(Work::CancelRunning(scope, cancel)),
            Serving::ToItsEnd => {}
            Serving::Queued => {
                self.work.push(match &state.intake {
                    Some(intake) => Work::CancelQueued(intake.clone(), cid, cancel),
                    None => Work::Refuse(cid, cancel),
                });
            }
        }
    }

    /// Wakes and hands over, with the lock released.
    pub(super) fn perform(self, peer: &Arc<Peer>) {
        self.wakers.into_iter().for_each(Waker::wake);
        for work in self.work {
            match work {
                Work::Request(intake, request) => {
                    intake.accept(Incoming {
                        peer: peer.clone(),
                        request: *request,
                    });
                }
                Work::Unserved(request) => peer.refuse_unserved(&request),
                Work::Refuse(cid, cancel) => peer.refuse_cancelled(cid, &cancel),
                Work::CancelQueued(intake, cid, cancel) => {
                    peer.refuse_cancelled(cid, &cancel);
                    intake.forget(peer, cid);
                }
                Work::CancelRunning(scope, cancel) => {
                    scope.cancel(cancel);
                }
                Work::Actor(event) => peer.emit(LinkEvent::Actor(event)),
            }
        }
    }
}

/// Queues a message on the link; under the router's lock, so that messages leave in the order they were decided.
pub(super) fn push(peer: &Peer, lane: Lane, msg: &Msg, payload: &[u8]) {
    let Err(error) = peer.sender().push(lane, msg, payload) else {
        return;
    };
    // A link that is down is reported by its reader, and sizes were checked before.
    match error {
        PushError::Down(_) => tracing::debug!(peer = %peer.id(), %error, "not sent"),
        _ => tracing::error!(peer = %peer.id(), %error, "not sent"),
    }
}

/// Who waits on which dialog, and what serves it: beside the router, which knows no task.
pub(super) struct Slots {
    side: LinkSide,
    ours: Vec<Slot>,
    theirs: Vec<Slot>,
    tickets: HashMap<Ticket, Waker>,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    started: Option<Waker>,
    recv: Option<Waker>,
    send: Option<Waker>,
    /// More than one task may wait for a result; each once.
    outcome: Vec<Waker>,
    serving: Serving,
}

/// How far the serving of a dialog has come.
#[derive(Clone, Default)]
pub(super) enum Serving {
    /// Waiting to be taken up.
    #[default]
    Queued,
    /// In this scope, which a cancel ends.
    Running(Scope),
    /// In a handler that runs to its end.
    ToItsEnd,
}

impl Slots {
    pub(super) fn new(side: LinkSide) -> Self {
        Self {
            side,
            ours: Vec::new(),
            theirs: Vec::new(),
            tickets: HashMap::new(),
        }
    }

    /// Keeps `waker` for the dialog's next event of this kind.
    pub(super) fn park<T>(&mut self, cid: Cid, wake: Wake, waker: &Waker) -> Poll<T> {
        let slot = self.slot(cid);
        if wake.contains(Wake::STARTED) {
            keep(&mut slot.started, waker);
        }
        if wake.contains(Wake::RECV) {
            keep(&mut slot.recv, waker);
        }
        if wake.contains(Wake::SEND) {
            keep(&mut slot.send, waker);
        }
        if wake.contains(Wake::OUTCOME) {
            let known = slot.outcome.iter().any(|kept| kept.will_wake(waker));
            if !known {
                slot.outcome.push(waker.clone());
            }
        }
        Poll::Pending
    }

    pub(super) fn park_ticket<T>(&mut self, ticket: Ticket, waker: &Waker) -> Poll<T> {
        self.tickets.insert(ticket, waker.clone());
        Poll::Pending
    }

    pub(super) fn take_ticket(&mut self, ticket: Ticket) -> Option<Waker> {
        self.tickets.remove(&ticket)
    }

    pub(super) fn clear_ticket(&mut self, ticket: Ticket) {
        self.tickets.remove(&ticket);
    }

    pub(super) fn notify(&mut self, cid: Cid, wake: Wake, wakers: &mut Vec<Waker>) {
        let slot = self.slot(cid);
        let kinds = [
            (Wake::STARTED, &mut slot.started),
            (Wake::RECV, &mut slot.recv),
            (Wake::SEND, &mut slot.send),
        ];
        for (kind, place) in kinds {
            if wake.contains(kind) {
                wakers.extend(place.take());
            }
        }
        // Whoever waits for the end of what it cancelled waits for the acceptance too.
        if wake.contains(Wake::OUTCOME) || wake.contains(Wake::CANCEL_ACK) {
            wakers.append(&mut slot.outcome);
        }
    }

    /// Binds the dialog to the scope that serves it.
    pub(super) fn begin(&mut self, cid: Cid, scope: &Scope) {
        self.slot(cid).serving = Serving::Running(scope.clone());
    }

    /// The dialog is served by a handler that runs to its end.
    pub(super) fn begin_shielded(&mut self, cid: Cid) {
        self.slot(cid).serving = Serving::ToItsEnd;
    }

    pub(super) fn serving(&mut self, cid: Cid) -> Serving {
        self.slot(cid).serving.clone()
    }

    /// Forgets everything of a dialog, and gives those who wait on it.
    pub(super) fn retire(&mut self, cid: Cid) -> Vec<Waker> {
        let mut waiting = Vec::new();
        let all = Wake::STARTED | Wake::RECV | Wake::SEND | Wake::OUTCOME;
        self.notify(cid, all, &mut waiting);
        self.clear(cid);
        waiting
    }

    /// Forgets everything of a dialog.
    pub(super) fn clear(&mut self, cid: Cid) {
        *self.slot(cid) = Slot {
            generation: cid.generation(),
            ..Slot::default()
        };
    }

    fn slot(&mut self, cid: Cid) -> &mut Slot {
        let table = if cid.opener() == self.side {
            &mut self.ours
        } else {
            &mut self.theirs
        };
        let index = cid.slot() as usize;
        if table.len() <= index {
            table.resize_with(index + 1, Slot::default);
        }
        let slot = &mut table[index];
        if slot.generation != cid.generation() {
            *slot = Slot {
                generation: cid.generation(),
                ..Slot::default()
            };
        }
        slot
    }
}
