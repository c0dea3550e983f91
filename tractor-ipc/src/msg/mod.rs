//! The only list of messages.
//!
//! A message is a *head* (this module's enums) and, for some kinds, a *payload*: raw bytes behind the head, which only
//! the dialog that owns the [`Cid`] decodes, with its own type. Who may send what and when is in
//! `docs/protocol.md`; here is only its form. Nothing here recurses: a fault tree travels flattened.

mod dialog;
mod fault;
mod hello;
mod link;

pub use dialog::{
    CallKind, Cancel, CancelAck, CancelReason, CancelTarget, Cast, Credit, CreditTo, Fingerprint,
    FunctionRef, Overrun, Start, StartAck, TraceContext,
};
pub use fault::{Fault, FaultKind, FaultLink, FaultNode, FaultShapeError};
pub use hello::{
    Credential, Features, HandshakeMsg, Hello, PROTOCOL, Refused, RefusedReason, Role,
    VersionRange, Welcome,
};
pub use link::{ActorPlan, ChildOptions, Drain, EndedHow, Ping, SpawnSpec};

use serde::{Deserialize, Serialize};

use crate::id::{ActorSlot, Cid};

/// The head of every message of a handshaken link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each variant's fields are those of its message, described there"
)]
pub enum Msg {
    /// Opens a call, a context or a stream; payload: its arguments.
    Start(Box<Start>),
    /// A context or stream was accepted.
    StartAck(StartAck),
    /// The first value of a context; payload: that value.
    Started { cid: Cid },
    /// One streamed value; payload: that value.
    Yield { cid: Cid },
    /// More may be sent.
    Credit(Credit),
    /// This direction of the stream has ended.
    Stop { cid: Cid },
    /// The dialog has ended well; payload: its result.
    Return { cid: Cid },
    /// The dialog has ended badly; payload: a [`Fault`].
    Fail { cid: Cid },
    /// Asks a dialog or an actor to end.
    Cancel(Box<Cancel>),
    /// The request was accepted; the end itself comes as `Return`, `Fail` or `Ended`.
    CancelAck(CancelAck),
    /// A one-way message to an actor; payload: its arguments.
    Cast(Box<Cast>),
    /// What the child is to be; payload: a [`SpawnSpec`].
    SpawnSpec,
    /// The actor has been built and serves from now on.
    Ready { actor: ActorSlot },
    /// Close to new work, finish what is queued, end.
    Drain(Drain),
    /// The actor and all below it have fully ended; payload: a [`Fault`] if `how` says it failed.
    Ended { actor: ActorSlot, how: EndedHow },
    /// Are you there?
    Ping(Ping),
    /// Here I am.
    Pong(Ping),
    /// Nothing more will be sent on this link.
    Bye,
}
