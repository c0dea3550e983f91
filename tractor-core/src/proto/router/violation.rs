//! What a peer can do that ends its link.

use tractor_ipc::id::{ActorSlot, Cid};
use tractor_ipc::msg::{Msg, Role};

use crate::proto::Loss;

/// The peer broke a rule that belongs to no single dialog. The link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A message of a dialog that was never opened.
    #[error("{message} of dialog {cid}, which was never opened")]
    UnknownDialog {
        /// The message.
        message: &'static str,
        /// The dialog.
        cid: Cid,
    },
    /// A message only the other side of that dialog may send.
    #[error("{message} of dialog {cid} from the wrong side")]
    WrongSide {
        /// The message.
        message: &'static str,
        /// The dialog.
        cid: Cid,
    },
    /// A `Start` that uses a slot again without a new generation, or before the last use has ended.
    #[error("Start of dialog {cid}, whose slot is taken or was used already")]
    SlotReused {
        /// The dialog.
        cid: Cid,
    },
    /// More dialogs than allowed.
    #[error("Start of dialog {cid}: more than {limit} dialogs")]
    TooManyDialogs {
        /// The dialog.
        cid: Cid,
        /// The limit.
        limit: usize,
    },
    /// A request no credit covers.
    #[error("{message} to actor {actor} beyond its request window of {window}")]
    Overdrawn {
        /// The message.
        message: &'static str,
        /// Our actor.
        actor: ActorSlot,
        /// Its window.
        window: u32,
    },
    /// Request credit for an actor we never asked anything of.
    #[error("credit for requests to actor {actor}, which got none")]
    UnknownActor {
        /// The peer's actor.
        actor: ActorSlot,
    },
    /// More request credit than any window holds.
    #[error("more credit for requests to actor {actor} than any window holds")]
    TooMuchCredit {
        /// The peer's actor.
        actor: ActorSlot,
    },
    /// A verb the peer's role does not have.
    #[error("{message} from a peer that is our {role:?}")]
    Forbidden {
        /// The message.
        message: &'static str,
        /// What the peer is to us.
        role: Role,
    },
    /// A message the link's phase has no place for.
    #[error("{message} {phase}")]
    OutOfPhase {
        /// The message.
        message: &'static str,
        /// The phase it met.
        phase: &'static str,
    },
    /// An actor's fault that does not decode, or is none.
    #[error("the fault of actor {actor} does not decode")]
    BadFault {
        /// The peer's actor.
        actor: ActorSlot,
    },
}

impl From<Violation> for Loss {
    fn from(violation: Violation) -> Self {
        Self::Protocol(violation.to_string().into())
    }
}

/// The message's name, for errors and logs.
pub fn message_name(msg: &Msg) -> &'static str {
    match msg {
        Msg::Start(_) => "Start",
        Msg::StartAck(_) => "StartAck",
        Msg::Started { .. } => "Started",
        Msg::Yield { .. } => "Yield",
        Msg::Credit(_) => "Credit",
        Msg::Stop { .. } => "Stop",
        Msg::Return { .. } => "Return",
        Msg::Fail { .. } => "Fail",
        Msg::Cancel(_) => "Cancel",
        Msg::CancelAck(_) => "CancelAck",
        Msg::Cast(_) => "Cast",
        Msg::SpawnSpec => "SpawnSpec",
        Msg::Ready { .. } => "Ready",
        Msg::Drain(_) => "Drain",
        Msg::Ended { .. } => "Ended",
        Msg::Ping(_) => "Ping",
        Msg::Pong(_) => "Pong",
        Msg::Bye => "Bye",
    }
}
