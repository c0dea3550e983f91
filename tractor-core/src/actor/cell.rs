//! What an actor's loop, its local portals and its link share.

use std::any::Any;
use std::sync::Arc;

use tractor_ipc::Cid;
use tractor_ipc::msg::{CallKind, FunctionRef};

use super::letter::Letter;
use super::{Actor, Me, MethodKind, SharedActor};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::node::mailbox::{Closed, Receiver, Sender};
use crate::node::{Hosted, Incoming, Intake, OnPanic, Opening, Peer, WorkKind};
use crate::sync::Mutex;

/// What an actor's loop, its local portals and its link share.
pub(crate) struct ActorCell<A: Actor> {
    hosted: Arc<Hosted>,
    mailbox: Sender<Letter<A>>,
    /// The state of an actor that only has `&self` methods: an `Arc<A>`, kept so that other actors need not be `Sync`.
    shared: Mutex<Option<Arc<dyn Any + Send + Sync>>>,
}

impl<A: Actor> ActorCell<A> {
    /// The cell of a new actor, and the queue its loop takes from.
    pub(crate) fn new(hosted: Arc<Hosted>, capacity: usize) -> (Arc<Self>, Receiver<Letter<A>>) {
        let (mailbox, inbox) = crate::node::mailbox::mailbox(capacity);
        (
            Arc::new(Self {
                hosted,
                mailbox,
                shared: Mutex::new(None),
            }),
            inbox,
        )
    }

    pub(crate) fn hosted(&self) -> &Arc<Hosted> {
        &self.hosted
    }

    pub(crate) fn mailbox(&self) -> &Sender<Letter<A>> {
        &self.mailbox
    }

    /// The state of an actor that only has `&self` methods, while it lives.
    pub(super) fn shared(&self) -> Option<Arc<A>>
    where
        A: SharedActor,
    {
        Arc::downcast(self.shared.lock().clone()?).ok()
    }

    pub(super) fn unshare(&self) {
        *self.shared.lock() = None;
    }

    fn check(&self, incoming: &Incoming, index: u16) -> Result<MethodKind, RemoteError> {
        if let Some(refusal) = self.hosted.refusal() {
            return Err(refusal);
        }
        let id = self.hosted.id();
        let Some(method) = A::methods().get(index as usize) else {
            let text = format!("{id} has no method number {index}");
            return Err(RemoteError::new(
                RemoteErrorKind::NotExposed,
                id.clone(),
                text,
            ));
        };
        let ours = || method.signature();
        crate::rpc::check_signature(ours, incoming.request.signature, id)?;
        let is_context = matches!(method.kind(), MethodKind::Context { .. });
        if is_context != (incoming.request.kind == CallKind::Context) {
            let text = format!("`{}` of {id} is not called this way", method.name());
            let kind = RemoteErrorKind::MsgType {
                expected: None,
                got: None,
            };
            return Err(RemoteError::new(kind, id.clone(), text));
        }
        Ok(method.kind())
    }

    fn open_context(self: Arc<Self>, incoming: Incoming, index: u16, drain: bool) {
        let Incoming { peer, request } = incoming;
        peer.request_taken();
        let Some(cid) = request.cid else { return };
        let hosted = self.hosted.clone();
        let turn = hosted.turn(request.deadline, request.chain.into());
        let opening = Opening {
            peer: peer.clone(),
            hosted: hosted.clone(),
            cid,
            args: request.args,
        };
        let Some(task) = A::open_context(index, Me::new(self), opening) else {
            let text = format!("{} cannot serve this context", hosted.id());
            let error = RemoteError::new(RemoteErrorKind::NotExposed, hosted.id().clone(), text);
            return peer.fail(cid, &error);
        };
        let kind = if drain {
            WorkKind::Call
        } else {
            WorkKind::Dialog
        };
        hosted.spawn((kind, OnPanic::Crash), peer, cid, turn, task);
    }
}

impl<A: SharedActor> ActorCell<A> {
    pub(super) fn share(&self, state: Arc<A>) {
        *self.shared.lock() = Some(state);
    }
}

impl<A: Actor> Intake for Shared<A> {
    fn accept(&self, incoming: Incoming) {
        let index = match incoming.request.function {
            FunctionRef::Named(_) => {
                return crate::rpc::serve_function(self.0.hosted(), incoming);
            }
            FunctionRef::Method(index) => index,
        };
        match self.0.check(&incoming, index) {
            Ok(MethodKind::Context { drain }) => {
                self.0.clone().open_context(incoming, index, drain)
            }
            Ok(
                MethodKind::Exclusive
                | MethodKind::CancelSafe
                | MethodKind::Shared
                | MethodKind::Blocking,
            ) => {
                let letter = Letter::Wire(Box::new(incoming));
                if let Err(Closed(letter)) = self.0.mailbox.push_unbounded(letter) {
                    // A call is answered by the end of its actor.
                    letter.lose(self.0.hosted.node());
                }
            }
            Err(error) => {
                incoming.peer.request_taken();
                match incoming.request.cid {
                    Some(cid) => incoming.peer.fail(cid, &error),
                    None => self.0.hosted.node().lose_cast(&error),
                }
            }
        }
    }

    fn forget(&self, peer: &Arc<Peer>, cid: Cid) {
        if self
            .0
            .mailbox
            .remove(|letter| letter.is_request(peer, cid))
            .is_some()
        {
            peer.request_taken();
        }
    }
}

/// The cell as a link's intake.
pub(crate) struct Shared<A: Actor>(pub(crate) Arc<ActorCell<A>>);

impl<A: Actor> std::fmt::Debug for ActorCell<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActorCell")
            .field("id", self.hosted.id())
            .finish_non_exhaustive()
    }
}
