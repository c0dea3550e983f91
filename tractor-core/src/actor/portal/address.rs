//! How a portal travels: as the reference of its actor, found again where it arrives.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tractor_ipc::{ActorRef, ActorSlot};

use super::{Far, Portal, Route};
use crate::actor::{Actor, ActorCell};
use crate::error::{CallError, OpenError};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::node::{Ambient, Registry};

/// Finds the actor of a portal that arrived in a message: this very one, or one this node has a link to.
pub(super) fn resolve<A: Actor>(address: &ActorRef) -> Result<Route<A>, OpenError> {
    let unreachable = |why: &str| {
        let text = format!("no way from here to {}: {why}", address.id);
        let error = RemoteError::new(RemoteErrorKind::Lost, address.id.clone(), text);
        OpenError::Call(CallError::Lost(error))
    };
    // A task this library did not start is its runtime's node's.
    let around = Ambient::current().map(|ambient| ambient.node.clone());
    let Some(node) = around.or_else(Registry::current) else {
        return Err(unreachable("this task belongs to no actor"));
    };
    if node.tree() != address.tree {
        return Err(unreachable("it belongs to another tree"));
    }
    if let Some(cell) = node.hosted_cell::<ActorCell<A>>()
        && *cell.hosted().id() == address.id
    {
        return Ok(Route::Local(cell));
    }
    match node.peer(&address.id) {
        Some(peer) => Ok(Route::Link(Arc::new(Far {
            peer,
            slot: ActorSlot::MAIN,
        }))),
        None => Err(unreachable("this actor has no link to it")),
    }
}

impl<A: Actor> Serialize for Portal<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reference = |node: &crate::node::Node| ActorRef {
            id: self.id().clone(),
            tree: node.tree(),
            address: None,
        };
        match self.route() {
            Route::Local(cell) => reference(cell.hosted().node()).serialize(serializer),
            Route::Link(far) => reference(far.peer.node()).serialize(serializer),
            Route::Unresolved(address) => address.serialize(serializer),
        }
    }
}

impl<'de, A: Actor> Deserialize<'de> for Portal<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let address = ActorRef::deserialize(deserializer)?;
        Ok(Self {
            route: Route::Unresolved(Arc::new(address)),
        })
    }
}
