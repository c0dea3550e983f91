//! Messages of dialogs: calls, contexts, streams and casts.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{ActorId, ActorSlot, Cid};

/// What kind of dialog a [`Start`] opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CallKind {
    /// One request, one result; acknowledged by its result.
    Unary,
    /// Two linked tasks with a first value, a stream each way and a result.
    Context,
    /// Values one way, from the callee.
    Stream,
}

/// Which function of an actor is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FunctionRef {
    /// A method of the actor's type, by its place in the type's method table.
    Method(u16),
    /// An exposed free function, by its name in the catalogue.
    Named(Box<str>),
}

/// Structural fingerprint of a callable's signature.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub u128);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// W3C trace context: version, trace id, parent id and flags in 25 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceContext {
    /// The whole trace.
    pub trace_id: u128,
    /// The span that sent this.
    pub span_id: u64,
    /// Sampled or not.
    pub flags: u8,
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

/// What happens when a stream's reader is slower than its writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Overrun {
    /// The writer waits for credit.
    #[default]
    Wait,
    /// The stream fails (upstream's behaviour).
    Error,
    /// The oldest value not yet read is dropped and counted.
    DropOldest,
    /// The newest value is dropped and counted.
    DropNewest,
}

/// Opens a dialog. Payload: the arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The new dialog, allocated by the opener.
    pub cid: Cid,
    /// To which actor of the receiving node.
    pub actor: ActorSlot,
    /// Which function.
    pub function: FunctionRef,
    /// What kind of dialog it is.
    pub kind: CallKind,
    /// Fingerprint of the signature, where the two images differ.
    pub signature: Option<Fingerprint>,
    /// Time left until the caller's deadline when this was written.
    pub budget: Option<Duration>,
    /// The actors whose exclusive handler awaits this, outermost first.
    pub chain: Vec<ActorId>,
    /// What the opener's reader does when it is too slow.
    pub overrun: Overrun,
    /// Values the callee may stream before it is given more credit.
    pub window: u32,
    /// Trace context of the caller.
    pub trace: Option<TraceContext>,
}

/// A context or stream was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartAck {
    /// Which one.
    pub cid: Cid,
    /// Values the opener may stream before it is given more credit.
    pub window: u32,
    /// What the callee's reader does when it is too slow.
    pub overrun: Overrun,
}

/// To what a [`Credit`] adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CreditTo {
    /// Values the receiver of this message may stream in this dialog.
    Stream(Cid),
    /// Requests the receiver of this message may send to this actor of the sender's node.
    Requests(ActorSlot),
}

/// More may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Of what.
    pub to: CreditTo,
    /// How many more.
    pub amount: u32,
}

/// What is to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CancelTarget {
    /// One dialog; only its opener may.
    Dialog(Cid),
    /// An actor of the receiving node, with all below it; only its parent may.
    Actor(ActorSlot),
}

/// Why something was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CancelReason {
    /// Somebody asked, by a call.
    Requested,
    /// A deadline passed.
    Deadline,
    /// Something beside it failed: one cancels all.
    Failure,
    /// The scope around it was cancelled.
    Scope,
    /// The caller's future was dropped.
    Dropped,
    /// The block that owned it has ended.
    BlockEnded,
    /// The link to whoever asked for the work was lost.
    LinkLost,
    /// The person at the terminal.
    User,
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "on request",
            Self::Deadline => "its deadline passed",
            Self::Failure => "something beside it failed",
            Self::Scope => "the scope around it was cancelled",
            Self::Dropped => "its caller went away",
            Self::BlockEnded => "the block that owned it has ended",
            Self::LinkLost => "the link to its caller was lost",
            Self::User => "by the user",
        })
    }
}

/// Asks a dialog or an actor to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// What is to end.
    pub target: CancelTarget,
    /// Who asks.
    pub canceller: ActorId,
    /// Why.
    pub reason: CancelReason,
    /// Time until the canceller goes to the next rung, if it has a limit: the target shortens its own rungs to fit.
    pub left: Option<Duration>,
}

/// The request was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelAck {
    /// Of what.
    pub target: CancelTarget,
    /// How long the target's own teardown may take.
    pub ladder_left: Duration,
}

/// A one-way message to an actor. Payload: the arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cast {
    /// To which actor of the receiving node.
    pub actor: ActorSlot,
    /// Which function.
    pub function: FunctionRef,
    /// Fingerprint of the signature, where the two images differ.
    pub signature: Option<Fingerprint>,
    /// Trace context of the caller.
    pub trace: Option<TraceContext>,
}
