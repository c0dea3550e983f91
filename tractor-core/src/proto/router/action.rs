//! What goes into a router and what comes out of it: plain data.

use std::time::Duration;

use bytes::Bytes;
use tractor_ipc::id::{ActorId, ActorSlot, Cid};
use tractor_ipc::limits::{DIALOGS_MAX, REQUEST_WINDOW};
use tractor_ipc::msg::{
    CallKind, CancelReason, EndedHow, Fault, Fingerprint, FunctionRef, Msg, Overrun, Role, Start,
    TraceContext,
};
use tractor_ipc::time::Instant;

use crate::proto::dialog::WrongPhase;
use crate::proto::slots::Key;
use crate::proto::{Loss, Wake};

/// What a router has to know of its link.
#[derive(Clone, Debug)]
pub struct RouterConfig {
    /// The actor this end of the link belongs to: canceller of what the router itself cancels, origin of its faults.
    pub identity: ActorId,
    /// What the peer is to us: decides which verbs it may use.
    pub peer: Role,
    /// Whether the peer's first message has to be our `SpawnSpec`.
    pub awaits_spec: bool,
    /// Requests each of our actors accepts from this link before they are taken up.
    pub request_window: u32,
    /// The same at the far end, for each of its actors: both ends know it before the first request.
    pub peer_request_window: u32,
    /// Dialogs open at once, each way.
    pub dialogs_max: usize,
    /// How long a handler that was asked to end may take: what `CancelAck` of a dialog says.
    pub ladder_left: Duration,
}

impl RouterConfig {
    /// The defaults for a link of this actor to a peer of this role.
    pub fn new(identity: ActorId, peer: Role) -> Self {
        Self {
            identity,
            peer,
            awaits_spec: false,
            request_window: REQUEST_WINDOW,
            peer_request_window: REQUEST_WINDOW,
            dialogs_max: DIALOGS_MAX,
            ladder_left: LADDER_LEFT,
        }
    }
}

/// A dialog to be opened.
#[derive(Clone, Debug)]
pub struct Open {
    /// Which actor of the far node.
    pub actor: ActorSlot,
    /// Which function of it.
    pub function: FunctionRef,
    /// What kind of dialog.
    pub kind: CallKind,
    /// Fingerprint of the signature, where the two images differ.
    pub signature: Option<Fingerprint>,
    /// The caller's deadline; what is left of it travels.
    pub deadline: Option<Instant>,
    /// The actors whose exclusive handler awaits this, outermost first.
    pub chain: Vec<ActorId>,
    /// What our reader does when it is too slow.
    pub overrun: Overrun,
    /// Values the callee may stream before it is given more credit.
    pub window: u32,
    /// Trace context of the caller.
    pub trace: Option<TraceContext>,
}

impl Open {
    pub(super) fn into_start(self, cid: Cid, now: Instant) -> Box<Start> {
        Box::new(Start {
            cid,
            actor: self.actor,
            function: self.function,
            kind: self.kind,
            signature: self.signature,
            budget: self.deadline.map(|deadline| deadline.saturating_since(now)),
            chain: self.chain,
            overrun: self.overrun,
            window: self.window,
            trace: self.trace,
        })
    }
}

/// A message one way, as [`Router::cast`](super::Router::cast) takes it.
pub use tractor_ipc::msg::Cast;

/// The place of a cast that waits for request credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(super) Key);

/// Where a cast is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CastPlace {
    /// On its way; nothing to come back for.
    Sent,
    /// It waits for request credit; its ticket is notified.
    Queued(Ticket),
    /// It will never be sent.
    Lost(Loss),
}

/// Why nothing was opened. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenRefused {
    /// As many dialogs as allowed are open over this link.
    #[error("{limit} dialogs are open over this link, and more are not allowed")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// Its deadline has passed.
    #[error("its deadline has passed")]
    Expired,
    /// The link, or the actor at its far end, is no more.
    #[error("the actor cannot be reached: {0}")]
    Down(Loss),
}

/// Why a cast was not taken. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CastRefused {
    /// It would have to wait for room (or as many as allowed already do).
    #[error("the actor's request window is full")]
    Full,
    /// The link, or the actor at its far end, is no more.
    #[error("the actor cannot be reached: {0}")]
    Down(Loss),
}

/// What became of a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// The call had not left: it has ended, and nothing is sent.
    Unsent,
    /// The far side is asked (or was before); its own end is awaited.
    Asked,
    /// It had ended already.
    Ended,
}

/// Where a streamed value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendPlace<V = Bytes> {
    /// On its way.
    Sent,
    /// There is no credit; the value comes back, and `Wake::SEND` says when to try again.
    NoCredit(V),
    /// The reader was too slow, and its policy makes that a failure.
    Overrun,
    /// This side has ended its direction, or there never was one.
    Stopped,
    /// A value before `Started`.
    NotStarted,
    /// The dialog has ended.
    Ended,
}

/// Why a command of the serving side was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The dialog has ended; its opener is gone or has been answered.
    #[error("the dialog has ended")]
    Ended,
    /// Not in this phase.
    #[error("{command} in phase {phase}")]
    OutOfPhase {
        /// What was to be done.
        command: &'static str,
        /// The phase it met.
        phase: &'static str,
    },
}

impl WrongPhase {
    pub(super) fn of(self, command: &'static str) -> CommandError {
        let Self { phase } = self;
        CommandError::OutOfPhase { command, phase }
    }
}

/// What the driver has to do.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// Send this.
    Send {
        /// On which lane.
        lane: Lane,
        /// The head.
        msg: Msg,
        /// What follows it.
        payload: Bytes,
    },
    /// Wake the tasks that wait for this in this dialog: all of them.
    Notify(Cid, Wake),
    /// Wake the task whose cast waited.
    NotifyTicket(Ticket),
    /// Hand a request to its actor.
    Request(Request),
    /// The opener wants our handler ended, or is gone; the handler's end is still to be reported by `finish`.
    CancelRequested {
        /// Which dialog.
        cid: Cid,
        /// Who asks.
        canceller: ActorId,
        /// Why.
        reason: CancelReason,
        /// How long the canceller waits before it takes the next step.
        left: Option<Duration>,
    },
    /// Something about an actor.
    Actor(ActorEvent),
    /// The peer answered a ping.
    Pong {
        /// As it was sent.
        nonce: u64,
    },
    /// The peer has closed the link in order.
    Bye,
}

/// Which of a link's two queues a message takes. Nothing on `Control` waits for data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// `Credit`, `Cancel`, an actor's `CancelAck`, `Ping`, `Pong`.
    Control,
    /// Everything else, in order.
    Data,
}

impl From<Lane> for tractor_ipc::Lane {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::Control => Self::Control,
            Lane::Data => Self::Data,
        }
    }
}

/// A request for one of our actors.
#[derive(Debug, PartialEq)]
pub struct Request {
    /// The dialog to answer in; a cast has none.
    pub cid: Option<Cid>,
    /// Which of our actors.
    pub actor: ActorSlot,
    /// Which function of it.
    pub function: FunctionRef,
    /// What kind of dialog; `Unary` for a cast.
    pub kind: CallKind,
    /// Fingerprint of the signature, where the two images differ.
    pub signature: Option<Fingerprint>,
    /// The caller's deadline on our time line.
    pub deadline: Option<Instant>,
    /// The actors whose exclusive handler awaits this, outermost first.
    pub chain: Vec<ActorId>,
    /// What the opener's reader does when it is too slow.
    pub overrun: Overrun,
    /// Values we may stream before we are given more credit.
    pub window: u32,
    /// Trace context of the caller.
    pub trace: Option<TraceContext>,
    /// The arguments.
    pub args: Bytes,
}

/// What a parent tells its child's node, and the child its parent's.
#[derive(Debug, PartialEq)]
pub enum ActorEvent {
    /// What we are to be.
    SpawnSpec(Bytes),
    /// The far actor has been built and serves.
    Ready {
        /// Which actor of the far node.
        actor: ActorSlot,
    },
    /// Close to new work, finish what is queued, end.
    Drain {
        /// Which of our actors.
        actor: ActorSlot,
        /// How long it may take.
        within: Duration,
    },
    /// End.
    Cancel {
        /// Which of our actors.
        actor: ActorSlot,
        /// Who asks.
        canceller: ActorId,
        /// Why.
        reason: CancelReason,
        /// How long the parent waits before the next rung.
        left: Option<Duration>,
    },
    /// The far actor accepted our cancel.
    CancelAcked {
        /// Which actor of the far node.
        actor: ActorSlot,
        /// How long its own teardown may take.
        ladder_left: Duration,
    },
    /// The far actor and all below it have ended.
    Ended {
        /// Which actor of the far node.
        actor: ActorSlot,
        /// How.
        how: EndedHow,
        /// Its fault, if it failed.
        fault: Option<Fault>,
    },
}

/// Counters of one router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouterStatistics {
    /// Dialogs we opened that are not settled.
    pub opened: usize,
    /// Dialogs the peer opened that we have not ended.
    pub served: usize,
    /// Opened dialogs whose `Start` waits for request credit.
    pub queued_calls: usize,
    /// Casts that wait for request credit, or whose end nobody has asked for.
    pub queued_casts: usize,
    /// Frames dropped because their dialog, or the link, had ended.
    pub late: u64,
    /// Calls and casts that were cancelled before they were sent.
    pub unsent: u64,
    /// Replies of our handlers that nobody waited for any more.
    pub replies_dropped: u64,
    /// Streamed values dropped because a reader was too slow, or had left.
    pub values_dropped: u64,
    /// Dialogs that ended because the peer broke their rules.
    pub broken: u64,
}

/// Unless the node says otherwise: upstream's wait for a cancelled process, 1.6 s from the request.
const LADDER_LEFT: Duration = Duration::from_millis(1600);
