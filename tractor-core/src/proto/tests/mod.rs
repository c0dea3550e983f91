//! The machines against each other and against random schedules.

mod actors;
mod crossing;
mod flow;
mod hostile;
mod pair;
mod rules;
mod smoke;
mod supervisor;
mod teardown;

use std::num::NonZeroU32;

use bytes::Bytes;
use tractor_ipc::id::{ActorId, ActorName, ActorSlot, LinkSide};
use tractor_ipc::msg::{CallKind, Cast, FunctionRef, Msg, Overrun, Role};
use tractor_ipc::time::Instant;
use uuid::Uuid;

use crate::proto::{Action, Open, Router, RouterConfig};

const NOW: Instant = Instant::ZERO;

fn somebody() -> ActorId {
    ActorId::from_parts(ActorName::new("somebody").unwrap(), Uuid::nil())
}

/// A parent's end and its child's, with these many requests and dialogs.
fn ends(request_window: u32, dialogs_max: usize) -> (Router, Router) {
    let end = |side, peer| {
        let mut config = RouterConfig::new(somebody(), peer);
        config.request_window = request_window;
        config.peer_request_window = request_window;
        config.dialogs_max = dialogs_max;
        Router::new(side, config)
    };
    let parent = end(LinkSide::Acceptor, Role::Child);
    (parent, end(LinkSide::Dialler, Role::Parent))
}

/// Moves what `from` has to send over to `to`; the other actions come back.
fn carry(from: &mut Router, to: &mut Router) -> Vec<Action> {
    let mut rest = Vec::new();
    while let Some(action) = from.poll_action() {
        match action {
            Action::Send { msg, payload, .. } => to.handle(msg, payload, NOW).unwrap(),
            other => rest.push(other),
        }
    }
    rest
}

/// The messages a router has to send; its other actions are dropped.
fn sent(router: &mut Router) -> Vec<Msg> {
    let actions = std::iter::from_fn(|| router.poll_action());
    actions
        .filter_map(|action| match action {
            Action::Send { msg, .. } => Some(msg),
            _ => None,
        })
        .collect()
}

fn open(kind: CallKind) -> Open {
    Open {
        actor: ActorSlot::MAIN,
        function: FunctionRef::Method(0),
        kind,
        signature: None,
        deadline: None,
        chain: Vec::new(),
        overrun: Overrun::Wait,
        window: 64,
        trace: None,
    }
}

fn cast() -> Cast {
    Cast {
        actor: ActorSlot::MAIN,
        function: FunctionRef::Method(1),
        signature: None,
        trace: None,
    }
}

fn actor(slot: u32, generation: u32) -> ActorSlot {
    ActorSlot::new(slot, NonZeroU32::new(generation).unwrap())
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from(text)
}
