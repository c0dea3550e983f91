//! What waits in an actor's mailbox.

use std::sync::Arc;

use tractor_ipc::msg::{CancelReason, FunctionRef};
use tractor_ipc::{ActorId, Cid, Instant};

use super::{Actor, MethodKind};
use crate::node::{Incoming, Node, Peer};
use crate::scope::{Cancellation, Scope};
use crate::sync::Mutex;

/// One thing for the actor to do.
pub(crate) enum Letter<A: Actor> {
    /// A call or one-way message from this process.
    Local {
        /// The message.
        msg: A::Msg,
        /// Its method.
        index: u16,
        /// What the caller brought along.
        ticket: Ticket,
    },
    /// One from a link, not decoded yet.
    Wire(Box<Incoming>),
    /// A closure over the state, from one of the actor's contexts.
    With(Box<dyn FnOnce(&mut A) + Send>),
}

impl<A: Actor> Letter<A> {
    /// How it is to be run.
    pub(super) fn kind(&self) -> MethodKind {
        let index = match self {
            Self::With(_) => return MethodKind::Exclusive,
            Self::Local { index, .. } => *index,
            Self::Wire(incoming) => match incoming.request.function {
                FunctionRef::Method(index) => index,
                FunctionRef::Named(_) => return MethodKind::Exclusive,
            },
        };
        A::methods()
            .get(index as usize)
            .map_or(MethodKind::Exclusive, |method| method.kind())
    }

    /// It will not be run: a call is answered by the end of its actor, a one-way message is counted.
    pub(super) fn lose(self, node: &Node) {
        if let Self::Wire(incoming) = self
            && incoming.request.cid.is_none()
        {
            node.lose_cast(&"its actor has ended");
        }
    }

    /// Whether it is this dialog's request.
    pub(super) fn is_request(&self, peer: &Peer, cid: Cid) -> bool {
        match self {
            Self::Wire(incoming) => {
                incoming.request.cid == Some(cid) && std::ptr::eq(&raw const *incoming.peer, peer)
            }
            Self::Local { .. } | Self::With(_) => false,
        }
    }

    /// Whether it is the local call this ticket belongs to.
    pub(crate) fn is_ticket(&self, binding: &Arc<Binding>) -> bool {
        match self {
            Self::Local { ticket, .. } => Arc::ptr_eq(&ticket.binding, binding),
            Self::Wire(_) | Self::With(_) => false,
        }
    }
}

/// What a local caller brings along.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) deadline: Option<Instant>,
    pub(crate) chain: Arc<[ActorId]>,
    pub(crate) binding: Arc<Binding>,
}

/// What a local call is bound to: its caller may leave at any time, its handler may begin at any time.
#[derive(Debug, Default)]
pub(crate) struct Binding {
    state: Mutex<Bound>,
}

#[derive(Debug, Default)]
enum Bound {
    #[default]
    Queued,
    Running(Scope),
    ToItsEnd,
    Abandoned,
}

impl Binding {
    /// The handler begins in this scope, which the caller's leaving ends; false if the caller has left.
    pub(super) fn begin(&self, scope: Option<&Scope>) -> bool {
        let mut state = self.state.lock();
        if matches!(*state, Bound::Abandoned) {
            return false;
        }
        *state = scope.map_or(Bound::ToItsEnd, |scope| Bound::Running(scope.clone()));
        true
    }

    /// The caller leaves; true if the call was still queued.
    pub(crate) fn abandon(&self, by: &Cancellation) -> bool {
        let before = std::mem::replace(&mut *self.state.lock(), Bound::Abandoned);
        match before {
            Bound::Queued => true,
            Bound::Running(scope) => {
                scope.cancel(by.clone());
                false
            }
            Bound::ToItsEnd | Bound::Abandoned => false,
        }
    }
}

/// The cancellation of a call whose deadline passed while it was queued.
pub(super) fn expired(by: &ActorId) -> Cancellation {
    Cancellation {
        canceller: by.clone(),
        reason: CancelReason::Deadline,
    }
}
