//! The opener's side: places, `Start`s and `Cast`s, outcomes.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tractor_ipc::id::{ActorId, ActorSlot, Cid};
use tractor_ipc::limits::WINDOW_MAX;
use tractor_ipc::msg::{CallKind, Cancel, CancelReason, CancelTarget, Fault, Msg, StartAck};
use tractor_ipc::time::Instant;

use super::action::{Action, Cancelled, Lane, Open, OpenRefused, RouterStatistics};
use super::target::Place;
use super::{Router, Violation, key_of};
use crate::proto::dialog::{
    CancelStep, DialogViolation, OpenerDialog, Outcome, ReleaseStep, Reply,
};
use crate::proto::slots::{Age, Key, Slots};
use crate::proto::{Loss, Wake};

/// A dialog we opened.
#[derive(Debug)]
pub(super) enum Opened {
    /// Its `Start` waits for request credit.
    Queued(Box<Queued>),
    /// Its `Start` went out, or never will.
    Live {
        actor: ActorSlot,
        dialog: OpenerDialog<Bytes>,
    },
}

/// What a `Start` is made of once there is credit for it.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) open: Open,
    pub(super) args: Bytes,
}

impl Opened {
    pub(super) fn unsent(&mut self, actor: ActorSlot, kind: CallKind, outcome: Outcome<Bytes>) {
        *self = Self::Live {
            actor,
            dialog: OpenerDialog::unsent(kind, outcome),
        };
    }

    pub(super) fn lose(&mut self, loss: &Loss) -> Wake {
        match self {
            Self::Queued(queued) => {
                let (actor, kind) = (queued.open.actor, queued.open.kind);
                self.unsent(actor, kind, Outcome::Lost(loss.clone()));
                Wake::ALL
            }
            Self::Live { dialog, .. } if dialog.far_ended() => Wake::NONE,
            Self::Live { dialog, .. } => dialog.lose(loss.clone()),
        }
    }

    /// Whether it is a dialog with this actor that the far side has not ended.
    pub(super) fn is_with(&self, actor: ActorSlot) -> bool {
        match self {
            Self::Queued(_) => false,
            Self::Live {
                actor: with,
                dialog,
            } => *with == actor && !dialog.far_ended(),
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Queued(_) => false,
            Self::Live { dialog, .. } => dialog.is_settled(),
        }
    }
}

impl Router {
    /// Opens a dialog: takes its place, and sends its `Start` if there is credit and nobody waits before it.
    ///
    /// # Errors
    ///
    /// [`OpenRefused`]: no place was taken.
    pub fn open(&mut self, mut open: Open, args: Bytes, now: Instant) -> Result<Cid, OpenRefused> {
        if let Some(loss) = self.loss() {
            return Err(OpenRefused::Down(loss.clone()));
        }
        if open.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(OpenRefused::Expired);
        }
        if self.opened.is_full() {
            let limit = self.opened.limit();
            return Err(OpenRefused::TooMany { limit });
        }
        open.window = open.window.min(WINDOW_MAX);
        let actor = open.actor;
        let target = self.targets.reach(actor).map_err(OpenRefused::Down)?;
        let limit = self.opened.limit();
        if target.take_at_once() {
            let dialog = OpenerDialog::sent(open.kind, open.window, open.overrun);
            let entry = Opened::Live { actor, dialog };
            let inserted = self.opened.insert_with(|_| entry);
            let key = inserted.ok_or(OpenRefused::TooMany { limit })?;
            let cid = self.own_cid(key);
            let start = Msg::Start(open.into_start(cid, now));
            self.transmit(Lane::Data, start, args);
            return Ok(cid);
        }
        let entry = Opened::Queued(Box::new(Queued { open, args }));
        let inserted = self.opened.insert_with(|_| entry);
        let key = inserted.ok_or(OpenRefused::TooMany { limit })?;
        target.wait(Place::Call(key));
        self.counted.queued_calls += 1;
        Ok(self.own_cid(key))
    }

    /// Asks for the end of a dialog we opened.
    ///
    /// `start_retracted`: its `Start` had been handed to the link, which has taken it out again unwritten.
    pub fn cancel(
        &mut self,
        cid: Cid,
        reason: CancelReason,
        canceller: ActorId,
        left: Option<Duration>,
        start_retracted: bool,
        now: Instant,
    ) -> Cancelled {
        let key = key_of(cid);
        if let Some(Opened::Queued(_)) = self.opened.get(key) {
            self.unqueue(cid, Some(Outcome::Cancelled { canceller, reason }));
            return Cancelled::Unsent;
        }
        let Some(Opened::Live { actor, dialog }) = self.opened.get_mut(key) else {
            return Cancelled::Ended;
        };
        if dialog.far_ended() {
            return Cancelled::Ended;
        }
        if start_retracted || take_back_start(&mut self.actions, cid) {
            let actor = *actor;
            let wake = dialog.retract(Outcome::Cancelled { canceller, reason });
            let settled = dialog.is_settled();
            self.notify(cid, wake);
            if settled {
                self.opened.remove(key);
            }
            self.counted.unsent += 1;
            self.regain(actor, now);
            return Cancelled::Unsent;
        }
        match dialog.cancel() {
            CancelStep::Ask => {
                self.send_cancel(cid, reason, canceller, left);
                Cancelled::Asked
            }
            CancelStep::Asked => Cancelled::Asked,
            CancelStep::Ended => Cancelled::Ended,
        }
    }

    /// The local handle is gone. What has not ended by then and was not cancelled is, as `Dropped`; its end is absorbed.
    ///
    /// `start_retracted` as for [`Router::cancel`].
    pub fn release(&mut self, cid: Cid, start_retracted: bool, now: Instant) {
        let key = key_of(cid);
        if let Some(Opened::Queued(_)) = self.opened.get(key) {
            self.unqueue(cid, None);
            return;
        }
        let Some(Opened::Live { actor, dialog }) = self.opened.get_mut(key) else {
            return;
        };
        let actor = *actor;
        let unsent =
            !dialog.far_ended() && (start_retracted || take_back_start(&mut self.actions, cid));
        if unsent {
            self.opened.remove(key);
            self.counted.unsent += 1;
            self.regain(actor, now);
            return;
        }
        match dialog.release() {
            ReleaseStep::Settled => {
                self.opened.remove(key);
            }
            ReleaseStep::Unasked { credit } => {
                self.send_credit(cid, credit);
                let canceller = self.config.identity.clone();
                self.send_cancel(cid, CancelReason::Dropped, canceller, None);
            }
            ReleaseStep::Asked { credit } => self.send_credit(cid, credit),
        }
    }

    /// Takes the outcome, once it is there, and gives the local handle up with it. The second is true if the dialog is
    /// settled; otherwise the far side has yet to end, and the handle is still to be released.
    pub fn take_result(&mut self, cid: Cid) -> Option<(Outcome<Bytes>, bool)> {
        let dialog = self.dialog_mut(cid)?;
        let outcome = dialog.take_outcome()?;
        let settled = dialog.far_ended();
        if settled {
            self.opened.remove(key_of(cid));
        }
        Some((outcome, settled))
    }

    /// Takes the outcome, once it is there; it is given out once.
    pub fn take_outcome(&mut self, cid: Cid) -> Option<Outcome<Bytes>> {
        self.dialog_mut(cid)?.take_outcome()
    }

    /// Takes the first value of a context, once it is there. If it has an outcome instead, it never will be.
    pub fn take_started(&mut self, cid: Cid) -> Option<Bytes> {
        self.dialog_mut(cid)?.take_started()
    }

    /// Whether a dialog we opened has ended for its local handle: its outcome is there to be taken, or was taken, or it was
    /// released.
    pub fn has_ended(&self, cid: Cid) -> bool {
        match self.opened.get(key_of(cid)) {
            Some(Opened::Live { dialog, .. }) => dialog.has_ended(),
            Some(Opened::Queued(_)) => false,
            None => true,
        }
    }

    /// Whether a dialog we opened has yet to end at its far side.
    pub fn is_under_way(&self, cid: Cid) -> bool {
        match self.opened.get(key_of(cid)) {
            Some(Opened::Live { dialog, .. }) => !dialog.far_ended(),
            Some(Opened::Queued(_)) => true,
            None => false,
        }
    }

    /// How long the callee's teardown may take, once it accepted a cancel and until it has ended.
    pub fn cancel_acked(&self, cid: Cid) -> Option<Duration> {
        match self.opened.get(key_of(cid))? {
            Opened::Live { dialog, .. } => dialog.cancel_acked(),
            Opened::Queued(_) => None,
        }
    }

    pub(super) fn handle_start_ack(&mut self, ack: StartAck) -> Result<(), Violation> {
        self.with_opened(ack.cid, "StartAck", |dialog| {
            dialog.handle_start_ack(ack.window, ack.overrun)
        })
    }

    pub(super) fn handle_started(&mut self, cid: Cid, value: Bytes) -> Result<(), Violation> {
        self.with_opened(cid, "Started", |dialog| dialog.handle_started(value))
    }

    pub(super) fn handle_cancel_ack(
        &mut self,
        cid: Cid,
        ladder_left: Duration,
    ) -> Result<(), Violation> {
        self.with_opened(cid, "CancelAck", |dialog| {
            dialog.handle_cancel_ack(ladder_left)
        })
    }

    pub(super) fn handle_return(&mut self, cid: Cid, value: Bytes) -> Result<(), Violation> {
        self.handle_end(cid, "Return", Ok(Reply::Return(value)))
    }

    pub(super) fn handle_fail(&mut self, cid: Cid, payload: &[u8]) -> Result<(), Violation> {
        let reply = decode_fault(payload)
            .map(Reply::Fail)
            .ok_or(DialogViolation::Undecodable { message: "Fail" });
        self.handle_end(cid, "Fail", reply)
    }

    /// A dialog of ours broke its rules: over for its handle, and asked to end.
    pub(super) fn break_opened(&mut self, cid: Cid, violation: DialogViolation) {
        let Some(dialog) = self.dialog_mut(cid) else {
            return;
        };
        let wake = dialog.break_off(violation);
        let step = dialog.cancel();
        self.counted.broken += 1;
        self.notify(cid, wake);
        if step == CancelStep::Ask {
            let canceller = self.config.identity.clone();
            self.send_cancel(cid, CancelReason::Failure, canceller, None);
        }
    }

    fn handle_end(
        &mut self,
        cid: Cid,
        message: &'static str,
        reply: Result<Reply<Bytes>, DialogViolation>,
    ) -> Result<(), Violation> {
        let Some(dialog) = find_opened(&mut self.opened, &mut self.counted, cid, message)? else {
            return Ok(());
        };
        self.counted.broken += u64::from(reply.is_err());
        let wake = dialog.handle_end(reply);
        if dialog.is_settled() {
            self.opened.remove(key_of(cid));
        }
        self.notify(cid, wake);
        Ok(())
    }

    /// Takes a queued dialog out of the queue: it ends with this outcome, or is forgotten.
    fn unqueue(&mut self, cid: Cid, outcome: Option<Outcome<Bytes>>) {
        let key = key_of(cid);
        let Some(entry @ Opened::Queued(_)) = self.opened.get_mut(key) else {
            return;
        };
        let Opened::Queued(queued) = &*entry else {
            return;
        };
        let (actor, kind) = (queued.open.actor, queued.open.kind);
        match outcome {
            Some(outcome) => {
                entry.unsent(actor, kind, outcome);
                self.notify(cid, Wake::ALL);
            }
            None => {
                self.opened.remove(key);
            }
        }
        self.counted.queued_calls -= 1;
        self.counted.unsent += 1;
        self.give_up(actor);
    }

    fn send_cancel(
        &mut self,
        cid: Cid,
        reason: CancelReason,
        canceller: ActorId,
        left: Option<Duration>,
    ) {
        let cancel = Msg::Cancel(Box::new(Cancel {
            target: CancelTarget::Dialog(cid),
            canceller,
            reason,
            left,
        }));
        self.transmit(Lane::Control, cancel, Bytes::new());
    }

    fn with_opened(
        &mut self,
        cid: Cid,
        message: &'static str,
        handle: impl FnOnce(&mut OpenerDialog<Bytes>) -> Result<Wake, DialogViolation>,
    ) -> Result<(), Violation> {
        let found = find_opened(&mut self.opened, &mut self.counted, cid, message)?;
        match found.map(handle) {
            Some(Ok(wake)) => self.notify(cid, wake),
            Some(Err(violation)) => self.break_opened(cid, violation),
            None => {}
        }
        Ok(())
    }

    pub(super) fn dialog_mut(&mut self, cid: Cid) -> Option<&mut OpenerDialog<Bytes>> {
        match self.opened.get_mut(key_of(cid))? {
            Opened::Live { dialog, .. } => Some(dialog),
            Opened::Queued(_) => None,
        }
    }

    pub(super) fn own_cid(&self, key: Key) -> Cid {
        Cid::new(self.side, key.slot, key.generation)
    }
}

/// Takes a `Start` the driver has not drained out of the actions; true if it was there.
fn take_back_start(actions: &mut VecDeque<Action>, cid: Cid) -> bool {
    let place = actions.iter().rposition(
        |action| matches!(action, Action::Send { msg: Msg::Start(start), .. } if start.cid == cid),
    );
    place.and_then(|place| actions.remove(place)).is_some()
}

/// The dialog of ours this message of the peer's belongs to; none if it is late.
pub(super) fn find_opened<'a>(
    opened: &'a mut Slots<Opened>,
    counted: &mut RouterStatistics,
    cid: Cid,
    message: &'static str,
) -> Result<Option<&'a mut OpenerDialog<Bytes>>, Violation> {
    let key = key_of(cid);
    let age = opened.age(key);
    match opened.get_mut(key) {
        Some(Opened::Live { dialog, .. }) if !dialog.far_ended() => Ok(Some(dialog)),
        Some(Opened::Live { .. }) => {
            counted.late += 1;
            Ok(None)
        }
        None if age == Age::Past => {
            counted.late += 1;
            Ok(None)
        }
        Some(Opened::Queued(_)) | None => Err(Violation::UnknownDialog { message, cid }),
    }
}

pub(super) fn decode_fault(payload: &[u8]) -> Option<Fault> {
    let fault: Fault = postcard::from_bytes(payload).ok()?;
    fault.check().is_ok().then_some(fault)
}
