//! The callee's side: requests for our actors, and the ends of their handlers.

use bytes::Bytes;
use tractor_ipc::id::{ActorSlot, Cid};
use tractor_ipc::limits::WINDOW_MAX;
use tractor_ipc::msg::{
    CallKind, Cancel, CancelAck, CancelReason, CancelTarget, Cast, Credit, CreditTo, Fault,
    FaultKind, FaultLink, FaultNode, Msg, Overrun, Start, StartAck,
};
use tractor_ipc::time::Instant;

use super::action::{Action, CommandError, Lane, Request, RouterStatistics};
use super::{Router, Violation, key_of};
use crate::proto::Wake;
use crate::proto::dialog::{CalleeDialog, DialogViolation, Reply};
use crate::proto::slots::{Age, Mirror, MirrorRefused};
use crate::proto::window::RecvWindow;

impl Router {
    /// Makes one more of our actors known to this link. The main one is from the start.
    pub fn add_actor(&mut self, actor: ActorSlot) {
        let window = self.config.request_window;
        let fresh = || RecvWindow::new(window);
        self.actors.entry(actor).or_insert_with(fresh);
    }

    /// This actor of ours is no more. Requests for it still come as [`Action::Request`], to be refused; so that those who
    /// wait for room learn it too, its whole window is given back.
    pub fn remove_actor(&mut self, actor: ActorSlot) {
        let window = self.actors.remove(&actor);
        if self.loss().is_none() {
            self.grant_requests(actor, window.map_or(0, RecvWindow::withheld));
        }
    }

    /// Whether a dialog of the peer's still waits for its end, and has not been cancelled.
    pub fn is_wanted(&mut self, cid: Cid) -> bool {
        self.served_mut(cid)
            .is_some_and(|dialog| !dialog.is_cancelled())
    }

    /// Accepts a context or stream, granting the opener this window under our policy.
    ///
    /// # Errors
    ///
    /// [`CommandError`], and nothing is sent.
    pub fn accept(&mut self, cid: Cid, window: u32, overrun: Overrun) -> Result<(), CommandError> {
        let window = window.min(WINDOW_MAX);
        let dialog = self.served_mut(cid).ok_or(CommandError::Ended)?;
        let granted = match dialog.kind() {
            CallKind::Context => window,
            // The opener of these streams nothing.
            CallKind::Stream | CallKind::Unary => 0,
        };
        dialog
            .accept(granted, overrun)
            .map_err(|wrong| wrong.of("accept"))?;
        let ack = StartAck {
            cid,
            window: granted,
            overrun,
        };
        self.transmit(Lane::Data, Msg::StartAck(ack), Bytes::new());
        Ok(())
    }

    /// Gives the first value of a context.
    ///
    /// # Errors
    ///
    /// [`CommandError`], and nothing is sent.
    pub fn started(&mut self, cid: Cid, value: Bytes) -> Result<(), CommandError> {
        let dialog = self.served_mut(cid).ok_or(CommandError::Ended)?;
        dialog.started().map_err(|wrong| wrong.of("started"))?;
        self.transmit(Lane::Data, Msg::Started { cid }, value);
        Ok(())
    }

    /// The handler has ended. False: nobody waits for its reply any more; it is dropped and counted.
    pub fn finish(&mut self, cid: Cid, reply: Reply<Bytes>) -> bool {
        if cid.opener() == self.side || self.served.remove(key_of(cid)).is_none() {
            self.counted.replies_dropped += 1;
            return false;
        }
        match reply {
            Reply::Return(value) => self.transmit(Lane::Data, Msg::Return { cid }, value),
            Reply::Fail(fault) => self.send_fail(cid, &fault),
        }
        true
    }

    /// A request has left our actor's queue, or was refused: its place in the window is free again.
    pub fn request_taken(&mut self, actor: ActorSlot) {
        if self.loss().is_some() {
            return;
        }
        let grant = self.actors.get_mut(&actor).and_then(RecvWindow::consumed);
        self.grant_requests(actor, grant.unwrap_or(0));
    }

    pub(super) fn handle_start(
        &mut self,
        start: Start,
        args: Bytes,
        now: Instant,
    ) -> Result<(), Violation> {
        let cid = start.cid;
        if cid.opener() == self.side {
            let message = "Start";
            return Err(Violation::WrongSide { message, cid });
        }
        self.admit_request("Start", start.actor)?;
        let offered = CalleeDialog::offered(start.kind, start.window, start.overrun);
        let (dialog, broken) = match offered {
            Ok(dialog) => (dialog, None),
            Err(violation) => (CalleeDialog::placeholder(), Some(violation)),
        };
        self.served
            .insert(key_of(cid), dialog)
            .map_err(|refused| match refused {
                MirrorRefused::TooMany => Violation::TooManyDialogs {
                    cid,
                    limit: self.config.dialogs_max,
                },
                MirrorRefused::Seen | MirrorRefused::Occupied => Violation::SlotReused { cid },
            })?;
        if let Some(violation) = broken {
            self.request_taken(start.actor);
            self.refuse(cid, violation);
            return Ok(());
        }
        self.act(Action::Request(Request {
            cid: Some(cid),
            actor: start.actor,
            function: start.function,
            kind: start.kind,
            signature: start.signature,
            deadline: start.budget.map(|budget| now + budget),
            chain: start.chain,
            overrun: start.overrun,
            window: start.window,
            trace: start.trace,
            args,
        }));
        Ok(())
    }

    pub(super) fn handle_cast(&mut self, cast: Cast, args: Bytes) -> Result<(), Violation> {
        self.admit_request("Cast", cast.actor)?;
        self.act(Action::Request(Request {
            cid: None,
            actor: cast.actor,
            function: cast.function,
            kind: CallKind::Unary,
            signature: cast.signature,
            deadline: None,
            chain: Vec::new(),
            overrun: Overrun::Wait,
            window: 0,
            trace: cast.trace,
            args,
        }));
        Ok(())
    }

    pub(super) fn handle_cancel(&mut self, cid: Cid, cancel: Cancel) -> Result<(), Violation> {
        let side = self.side;
        let Some(dialog) = find_served(&mut self.served, &mut self.counted, side, cid, "Cancel")?
        else {
            return Ok(());
        };
        if let Err(violation) = dialog.handle_cancel() {
            self.break_served(cid, violation);
            return Ok(());
        }
        let own = self.config.ladder_left;
        let ack = CancelAck {
            target: CancelTarget::Dialog(cid),
            ladder_left: cancel.left.map_or(own, |left| left.min(own)),
        };
        self.transmit(Lane::Data, Msg::CancelAck(ack), Bytes::new());
        self.act(Action::CancelRequested {
            cid,
            canceller: cancel.canceller,
            reason: cancel.reason,
            left: cancel.left,
        });
        Ok(())
    }

    /// A dialog of the peer's broke its rules: it is answered at once, and its handler asked to end.
    pub(super) fn break_served(&mut self, cid: Cid, violation: DialogViolation) {
        let cancelled = self.served_mut(cid).is_some_and(|d| d.is_cancelled());
        self.refuse(cid, violation);
        if !cancelled {
            self.act(Action::CancelRequested {
                cid,
                canceller: self.config.identity.clone(),
                reason: CancelReason::Failure,
                left: None,
            });
        }
        self.notify(cid, Wake::RECV | Wake::SEND);
    }

    fn refuse(&mut self, cid: Cid, violation: DialogViolation) {
        self.served.remove(key_of(cid));
        self.counted.broken += 1;
        let fault = Fault {
            nodes: vec![FaultNode {
                link: FaultLink::Root,
                kind: FaultKind::Protocol,
                type_name: "DialogViolation".into(),
                message: violation.to_string().into(),
                chain: Vec::new(),
                origin: self.config.identity.clone(),
                relay: Vec::new(),
                payload: None,
            }],
            cut: 0,
        };
        self.send_fail(cid, &fault);
    }

    fn send_fail(&mut self, cid: Cid, fault: &Fault) {
        self.transmit(Lane::Data, Msg::Fail { cid }, encode_fault(fault));
    }

    fn admit_request(&mut self, message: &'static str, actor: ActorSlot) -> Result<(), Violation> {
        match self.actors.get_mut(&actor) {
            Some(window) => {
                let admitted = window.arrived(0);
                let window = window.window();
                admitted.then_some(()).ok_or(Violation::Overdrawn {
                    message,
                    actor,
                    window,
                })
            }
            None => {
                // It is gone, or never was: nothing of it is kept here, so its place is free at once and whoever waits
                // behind it is refused in turn.
                self.grant_requests(actor, 1);
                Ok(())
            }
        }
    }

    fn grant_requests(&mut self, actor: ActorSlot, amount: u32) {
        if amount > 0 {
            let to = CreditTo::Requests(actor);
            let credit = Msg::Credit(Credit { to, amount });
            self.transmit(Lane::Control, credit, Bytes::new());
        }
    }

    pub(super) fn served_mut(&mut self, cid: Cid) -> Option<&mut CalleeDialog<Bytes>> {
        if cid.opener() == self.side {
            return None;
        }
        self.served.get_mut(key_of(cid))
    }
}

/// The dialog of the peer's this message of its belongs to; none if it is late.
pub(super) fn find_served<'a>(
    served: &'a mut Mirror<CalleeDialog<Bytes>>,
    counted: &mut RouterStatistics,
    side: tractor_ipc::id::LinkSide,
    cid: Cid,
    message: &'static str,
) -> Result<Option<&'a mut CalleeDialog<Bytes>>, Violation> {
    if cid.opener() == side {
        return Err(Violation::WrongSide { message, cid });
    }
    let key = key_of(cid);
    match served.age(key) {
        Age::Live => Ok(served.get_mut(key)),
        Age::Past => {
            counted.late += 1;
            Ok(None)
        }
        Age::Never => Err(Violation::UnknownDialog { message, cid }),
    }
}

pub(super) fn encode_fault(fault: &Fault) -> Bytes {
    let encoded = postcard::to_allocvec(fault);
    encoded
        .expect("a fault holds nothing that postcard cannot carry")
        .into()
}
