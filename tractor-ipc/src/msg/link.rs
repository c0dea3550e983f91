//! Messages between a parent and its child, and of the link itself.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::addr::{ActorRef, Addr};
use crate::id::{ActorId, ActorSlot, TreeId};
use crate::msg::TraceContext;

/// What the child is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActorPlan {
    /// An actor with state: built by the catalogue's entry of this type from these arguments.
    Stateful {
        /// Name of the actor's type in the catalogue.
        type_name: Box<str>,
        /// Arguments of its `#[init]`, encoded.
        init: Bytes,
    },
    /// Exposed functions only.
    Service,
}

/// Options a child runs under; every one has its default in the core's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildOptions {
    /// Requests the child accepts from one link before they are taken up.
    pub request_window: u32,
    /// Longest message the node sends and accepts.
    pub message_max: u32,
    /// How long a normal end may drain.
    pub drain: Duration,
    /// How long the child may take from the acceptance of a cancel to its end.
    pub ladder_left: Duration,
}

/// Everything the child needs. Sent once, by the parent, as the first message of the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpawnSpec {
    /// Who the child is.
    pub id: ActorId,
    /// The tree it belongs to.
    pub tree: TreeId,
    /// Its parent, and where that listens.
    pub parent: ActorRef,
    /// What it is.
    pub plan: ActorPlan,
    /// Functions it exposes beside its methods, by name.
    pub exposed: Vec<Box<str>>,
    /// What it runs under.
    pub options: ChildOptions,
    /// Where the tree's registrars listen.
    pub registry: Vec<Addr>,
    /// Log filter of the child, if it has its own.
    pub log: Option<Box<str>>,
    /// Trace context of the spawn.
    pub trace: Option<TraceContext>,
}

/// Close to new work, finish what is queued, end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// Which actor of the receiving node.
    pub actor: ActorSlot,
    /// How long it may take before a cancel follows.
    pub within: Duration,
}

/// How an actor ended, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EndedHow {
    /// After a drain, with nothing left undone.
    Stopped,
    /// Because it was cancelled.
    Cancelled,
    /// It failed by itself: the payload is the fault.
    Failed,
}

/// Liveness, one way or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Comes back as it was sent.
    pub nonce: u64,
}
