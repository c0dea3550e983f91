//! What a parent and its child tell each other about whole actors, and the life of the link itself.

use std::time::Duration;

use bytes::Bytes;
use tractor_ipc::id::{ActorId, ActorSlot};
use tractor_ipc::msg::{
    Cancel, CancelAck, CancelReason, CancelTarget, Drain, EndedHow, Fault, Msg, Ping, Role,
};

use super::action::{Action, ActorEvent, Lane};
use super::opening::decode_fault;
use super::serving::encode_fault;
use super::{Link, Router, Violation};
use crate::proto::Loss;

impl Router {
    /// Tells the child what it is to be: the first thing a parent sends.
    pub fn spawn_spec(&mut self, spec: Bytes) {
        self.transmit(Lane::Data, Msg::SpawnSpec, spec);
    }

    /// Asks an actor of the far node to drain and end.
    pub fn drain_actor(&mut self, actor: ActorSlot, within: Duration) {
        let drain = Msg::Drain(Drain { actor, within });
        self.transmit(Lane::Data, drain, Bytes::new());
    }

    /// Asks an actor of the far node to end.
    pub fn cancel_actor(
        &mut self,
        actor: ActorSlot,
        reason: CancelReason,
        canceller: ActorId,
        left: Option<Duration>,
    ) {
        let cancel = Msg::Cancel(Box::new(Cancel {
            target: CancelTarget::Actor(actor),
            canceller,
            reason,
            left,
        }));
        self.transmit(Lane::Control, cancel, Bytes::new());
    }

    /// Tells the parent that our actor accepted its cancel.
    pub fn ack_cancel(&mut self, actor: ActorSlot, ladder_left: Duration) {
        let ack = Msg::CancelAck(CancelAck {
            target: CancelTarget::Actor(actor),
            ladder_left,
        });
        self.transmit(Lane::Control, ack, Bytes::new());
    }

    /// Tells the parent that our actor has been built and serves.
    pub fn ready(&mut self, actor: ActorSlot) {
        self.transmit(Lane::Data, Msg::Ready { actor }, Bytes::new());
    }

    /// Tells the parent that our actor and all below it have ended.
    pub fn ended(&mut self, actor: ActorSlot, how: EndedHow, fault: Option<&Fault>) {
        let payload = fault.map_or_else(Bytes::new, encode_fault);
        self.transmit(Lane::Data, Msg::Ended { actor, how }, payload);
    }

    /// Asks the peer for a sign of life.
    pub fn ping(&mut self, nonce: u64) {
        self.transmit(Lane::Control, Msg::Ping(Ping { nonce }), Bytes::new());
    }

    /// Closes the link in order: the last thing sent is `Bye`, and what is still open here ends with [`Loss::Closed`].
    pub fn bye(&mut self) {
        if self.loss().is_none() {
            self.transmit(Lane::Data, Msg::Bye, Bytes::new());
            self.lost(Loss::Closed);
        }
    }

    pub(super) fn handle_spec(&mut self, spec: Bytes) -> Result<(), Violation> {
        self.only_from(Role::Parent, "SpawnSpec")?;
        match self.link {
            Link::AwaitingSpec => {
                self.link = Link::Live;
                self.act(Action::Actor(ActorEvent::SpawnSpec(spec)));
                Ok(())
            }
            Link::Live | Link::Lost(_) => Err(Violation::OutOfPhase {
                message: "SpawnSpec",
                phase: "on a link that has had its own",
            }),
        }
    }

    pub(super) fn handle_ready(&mut self, actor: ActorSlot) -> Result<(), Violation> {
        self.only_from(Role::Child, "Ready")?;
        self.act(Action::Actor(ActorEvent::Ready { actor }));
        Ok(())
    }

    pub(super) fn handle_drain(&mut self, drain: Drain) -> Result<(), Violation> {
        self.only_from(Role::Parent, "Drain")?;
        let Drain { actor, within } = drain;
        self.act(Action::Actor(ActorEvent::Drain { actor, within }));
        Ok(())
    }

    pub(super) fn handle_actor_cancel(
        &mut self,
        actor: ActorSlot,
        cancel: Cancel,
    ) -> Result<(), Violation> {
        self.only_from(Role::Parent, "Cancel of an actor")?;
        self.act(Action::Actor(ActorEvent::Cancel {
            actor,
            canceller: cancel.canceller,
            reason: cancel.reason,
            left: cancel.left,
        }));
        Ok(())
    }

    pub(super) fn handle_actor_cancel_ack(
        &mut self,
        actor: ActorSlot,
        ladder_left: Duration,
    ) -> Result<(), Violation> {
        self.only_from(Role::Child, "CancelAck of an actor")?;
        self.act(Action::Actor(ActorEvent::CancelAcked {
            actor,
            ladder_left,
        }));
        Ok(())
    }

    pub(super) fn handle_ended(
        &mut self,
        actor: ActorSlot,
        how: EndedHow,
        payload: &[u8],
    ) -> Result<(), Violation> {
        self.only_from(Role::Child, "Ended")?;
        let (fault, loss) = match how {
            EndedHow::Stopped | EndedHow::Cancelled => (None, Loss::Closed),
            EndedHow::Failed => {
                let fault = decode_fault(payload).ok_or(Violation::BadFault { actor })?;
                let loss = Loss::Crashed(fault.clone().into());
                (Some(fault), loss)
            }
        };
        self.end_target(actor, &loss);
        self.end_dialogs(actor, &loss);
        self.act(Action::Actor(ActorEvent::Ended { actor, how, fault }));
        Ok(())
    }

    fn only_from(&self, role: Role, message: &'static str) -> Result<(), Violation> {
        if self.config.peer == role {
            return Ok(());
        }
        Err(Violation::Forbidden {
            message,
            role: self.config.peer,
        })
    }
}
