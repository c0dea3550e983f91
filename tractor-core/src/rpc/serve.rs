//! Serving what a peer asks of an actor's functions.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tractor_ipc::msg::{CallKind, Fingerprint, FunctionRef};
use tractor_ipc::{ActorId, Cid};

use super::{FunctionEntry, Hosted, RpcFn, Signature, WorkKind, decode, encode_result};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::node::{Incoming, Peer};

/// The serving of one request: what is to be sent back.
pub type ServedTask = BoxFuture<'static, Result<Bytes, RemoteError>>;

/// A request for a function or a context, on its way to its task.
#[derive(Debug)]
pub struct Opening {
    pub(crate) peer: Arc<Peer>,
    pub(crate) hosted: Arc<Hosted>,
    pub(crate) cid: Cid,
    pub(crate) args: Bytes,
}

impl Opening {
    pub(crate) fn decode_args<T: crate::message::Message>(&self) -> Result<T, RemoteError> {
        decode(&self.args, "the argument list", self.hosted.id())
    }
}

/// Serves one `#[rpc]` function.
pub fn serve_rpc<F: RpcFn>(opening: Opening) -> ServedTask {
    Box::pin(async move {
        let args = opening.decode_args::<F::Args>()?;
        let result = F::outcome(F::invoke(args).await);
        encode_result(result, opening.peer.message_max(), opening.hosted.id())
    })
}

/// Serves a request for one of the actor's exposed functions.
pub(crate) fn serve_function(hosted: &Arc<Hosted>, incoming: Incoming) {
    let Incoming { peer, request } = incoming;
    peer.request_taken();
    let Some(cid) = request.cid else {
        tracing::error!(actor = %hosted.id(), "a one-way message to a free function");
        return;
    };
    let FunctionRef::Named(name) = &request.function else {
        return;
    };
    let entry = hosted.refusal().map_or_else(
        || {
            let entry = hosted.function(name)?;
            check_kind(entry, request.kind, hosted.id())?;
            check_signature(|| entry.signature(), request.signature, hosted.id())?;
            Ok(entry)
        },
        Err,
    );
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return peer.fail(cid, &error),
    };
    let kind = match entry.kind() {
        CallKind::Unary => WorkKind::Call,
        CallKind::Context | CallKind::Stream if entry.drains() => WorkKind::Call,
        CallKind::Context | CallKind::Stream => WorkKind::Dialog,
    };
    let turn = hosted.turn(request.deadline, request.chain.into());
    let opening = Opening {
        peer: peer.clone(),
        hosted: hosted.clone(),
        cid,
        args: request.args,
    };
    hosted.spawn(kind, peer, cid, turn, entry.serve(opening));
}

/// Refuses a request whose caller built the signature otherwise.
pub(crate) fn check_signature(
    ours: impl Fn() -> &'static Signature,
    theirs: Option<Fingerprint>,
    actor: &ActorId,
) -> Result<(), RemoteError> {
    let Some(got) = theirs else { return Ok(()) };
    let expected = ours();
    if expected.fingerprint == got {
        return Ok(());
    }
    let text = format!(
        "{actor} has it as `{}`; the caller has another signature",
        expected.text
    );
    let kind = RemoteErrorKind::MsgType {
        expected: Some(expected.fingerprint),
        got: Some(got),
    };
    Err(RemoteError::new(kind, actor.clone(), text))
}

fn check_kind(entry: &FunctionEntry, asked: CallKind, actor: &ActorId) -> Result<(), RemoteError> {
    if entry.kind() == asked {
        return Ok(());
    }
    let how = match entry.kind() {
        CallKind::Unary => "is called with `run`",
        CallKind::Context => "is opened with `open_context`",
        CallKind::Stream => "is opened as a stream",
    };
    let text = format!("`{}` of {actor} {how}", entry.name());
    let kind = RemoteErrorKind::MsgType {
        expected: None,
        got: None,
    };
    Err(RemoteError::new(kind, actor.clone(), text))
}
