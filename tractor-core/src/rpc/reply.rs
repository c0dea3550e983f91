//! The answer a method owes its caller.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tractor_ipc::Cid;

use crate::error::CallError;
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::message::{AppError, Message, Never};
use crate::node::inflight::Entry;
use crate::node::reply::ReplySender;
use crate::node::{
    Hosted, OnPanic, Peer, WorkKind, answer_after_unwinding, decode, encode_into, encode_result,
};
use crate::scope::Scope;

/// Where a method's result goes: to a caller in this process as the value it is, elsewhere encoded.
///
/// Dropped without an answer, it answers what became of the handler: cancelled, panicked, or gone.
pub struct Reply<T: 'static, E: 'static = Never> {
    route: Route<T, E>,
}

enum Route<T: 'static, E: 'static> {
    Local(Option<LocalReply<T, E>>),
    Wire(WireReply),
}

/// The answer to a caller in this process, entered among what the actor owes.
struct LocalReply<T, E> {
    sender: ReplySender<Answer<T, E>>,
    hosted: Arc<Hosted>,
    entry: Entry,
}

/// What a caller in this process waits for.
pub(crate) struct Answer<T, E>(pub(crate) Result<T, CallError<E>>);

/// What an actor that has ended gives to everybody it still owes an answer.
impl<T, E> From<RemoteError> for Answer<T, E> {
    fn from(cause: RemoteError) -> Self {
        Self(Err(CallError::Lost(cause)))
    }
}

impl<T, E> LocalReply<T, E> {
    fn answer(self, result: Result<T, CallError<E>>) {
        let Self {
            sender,
            hosted,
            entry,
        } = self;
        hosted.owed().release(entry);
        // An abandoned call has nobody to tell.
        let _abandoned = sender.send(Answer(result));
    }
}

impl<T: Message, E: AppError> Reply<T, E> {
    /// The answer to a request from the wire.
    pub fn wire(reply: WireReply) -> Self {
        Self {
            route: Route::Wire(reply),
        }
    }

    /// The answer to a caller in this process; the error is that by which the actor has ended already.
    pub(crate) fn local(
        sender: ReplySender<Answer<T, E>>,
        hosted: Arc<Hosted>,
    ) -> Result<Self, RemoteError> {
        let entry = hosted.owed().register(sender.owed())?;
        Ok(Self {
            route: Route::Local(Some(LocalReply {
                sender,
                hosted,
                entry,
            })),
        })
    }

    /// Answers with what the method returned.
    pub fn send(mut self, result: Result<T, E>) {
        match &mut self.route {
            Route::Local(reply) => {
                if let Some(reply) = reply.take() {
                    let origin = || reply.hosted.id().clone();
                    let result = result.map_err(|error| CallError::App {
                        error,
                        origin: origin(),
                    });
                    reply.answer(result);
                }
            }
            Route::Wire(wire) => {
                let (limit, actor) = wire.encoding();
                let result = encode_result(result, limit, &actor);
                wire.finish(result);
            }
        }
    }

    /// Answers with a plain value.
    pub fn send_value(self, value: T) {
        self.send(Ok(value));
    }
}

impl<T: 'static, E: 'static> Drop for Reply<T, E> {
    fn drop(&mut self) {
        let Route::Local(reply) = &mut self.route else {
            return;
        };
        let Some(reply) = reply.take() else { return };
        if std::thread::panicking() {
            answer_after_unwinding(move |error| {
                reply.answer(Err(CallError::Panicked(error.clone())));
            });
            return;
        }
        let cancel = Scope::current().and_then(|scope| scope.cancellation());
        let error = match (reply.hosted.crashed(), cancel) {
            (None, Some(cancel)) => CallError::Cancelled(cancel),
            (_, cancel) => CallError::Lost(reply.hosted.unanswered(cancel.as_ref())),
        };
        reply.answer(Err(error));
    }
}

impl<T: 'static, E: 'static> fmt::Debug for Reply<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.route {
            Route::Local(_) => "Reply(local)",
            Route::Wire(_) => "Reply(wire)",
        })
    }
}

/// The answer owed to a request that came over a link.
#[must_use = "a request is answered exactly once"]
pub struct WireReply {
    peer: Arc<Peer>,
    hosted: Arc<Hosted>,
    cid: Option<Cid>,
}

impl WireReply {
    pub(crate) fn new(peer: Arc<Peer>, hosted: Arc<Hosted>, cid: Option<Cid>) -> Self {
        Self { peer, hosted, cid }
    }

    /// Decodes the request's arguments; `None` if they are of another type, which the caller is told.
    pub fn decode<T: Message>(mut self, args: &[u8]) -> Option<(T, Self)> {
        match decode(args, "the argument list", self.hosted.id()) {
            Ok(value) => Some((value, self)),
            Err(error) => {
                self.finish(Err(error));
                None
            }
        }
    }

    /// Answers that the actor's type has no such method.
    pub fn unknown_method(mut self, index: u16) {
        let text = format!("the actor has no method number {index}");
        let actor = self.hosted.id().clone();
        self.finish(Err(RemoteError::new(
            RemoteErrorKind::NotExposed,
            actor,
            text,
        )));
    }

    fn encoding(&self) -> (usize, tractor_ipc::ActorId) {
        (self.peer.message_max(), self.hosted.id().clone())
    }

    fn finish(&mut self, result: Result<Bytes, RemoteError>) {
        match (self.cid.take(), result) {
            (Some(cid), Ok(bytes)) => self.peer.finish(cid, bytes),
            (Some(cid), Err(error)) => self.peer.fail(cid, &error),
            (None, Ok(_)) => {}
            (None, Err(error)) => self.hosted.node().lose_cast(&error),
        }
    }
}

impl Drop for WireReply {
    fn drop(&mut self) {
        let Some(cid) = self.cid.take() else { return };
        let peer = self.peer.clone();
        if std::thread::panicking() {
            answer_after_unwinding(move |error| peer.fail(cid, error));
            return;
        }
        let cancel = Scope::current().and_then(|scope| scope.cancellation());
        peer.fail(cid, &self.hosted.unanswered(cancel.as_ref()));
    }
}

impl fmt::Debug for WireReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireReply")
            .field("cid", &self.cid)
            .finish_non_exhaustive()
    }
}

/// Where a stream method's values go.
#[derive(Debug)]
pub struct StreamReply<T> {
    wire: WireReply,
    item: std::marker::PhantomData<fn() -> T>,
}

impl<T: Message> StreamReply<T> {
    /// The stream a request from the wire asked for.
    pub fn wire(reply: WireReply) -> Self {
        Self {
            wire: reply,
            item: std::marker::PhantomData,
        }
    }

    /// Sends the stream's values as the reader has room for them, in a task of its own, until the stream ends or its
    /// reader leaves.
    pub fn stream(mut self, values: impl Stream<Item = T> + Send + 'static) {
        let Some(cid) = self.wire.cid.take() else {
            return;
        };
        let (peer, hosted) = (self.wire.peer.clone(), self.wire.hosted.clone());
        let (limit, actor) = self.wire.encoding();
        let pumping = peer.clone();
        peer.accept(cid, 0, tractor_ipc::msg::Overrun::Wait);
        let turn = hosted.turn_left_behind();
        let pump = async move {
            let mut values = std::pin::pin!(values);
            let mut encoded = Vec::new();
            while let Some(value) = values.next().await {
                encode_into(&mut encoded, &value, limit, &actor)?;
                if !crate::context::send_value(&pumping, cid, &encoded).await {
                    break;
                }
            }
            Ok(Bytes::new())
        };
        let work = (WorkKind::Dialog, OnPanic::Crash);
        hosted.spawn(work, peer, cid, turn, pump);
    }
}
