//! Serving what a peer asks of an actor's functions.

use std::sync::Arc;

use tractor_ipc::msg::{CallKind, Fingerprint, FunctionRef};
use tractor_ipc::{ActorId, Cid};

use super::catalog::exposed_function;
use super::{FunctionEntry, RpcFn, Signature};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::node::{
    Hosted, Incoming, Intake, OnPanic, Opening, Peer, ServedTask, WorkKind, encode_result,
};

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
        hosted.node().lose_cast(&"functions are called, and answer");
        return;
    };
    let FunctionRef::Named(name) = &request.function else {
        return;
    };
    let entry = hosted.refusal().map_or_else(
        || {
            let entry = exposed_function(hosted, name)?;
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
    hosted.spawn((kind, OnPanic::Fail), peer, cid, turn, entry.serve(opening));
}

/// An actor that has functions and nothing else, as a link's intake.
pub(crate) struct FunctionIntake(pub(crate) Arc<Hosted>);

impl Intake for FunctionIntake {
    fn accept(&self, incoming: Incoming) {
        match incoming.request.function {
            FunctionRef::Named(_) => serve_function(&self.0, incoming),
            FunctionRef::Method(index) => {
                incoming.peer.request_taken();
                let id = self.0.id();
                let text = format!("{id} has no method number {index}");
                let error = RemoteError::new(RemoteErrorKind::NotExposed, id.clone(), text);
                match incoming.request.cid {
                    Some(cid) => incoming.peer.fail(cid, &error),
                    None => self.0.node().lose_cast(&error),
                }
            }
        }
    }

    /// Nothing is ever queued here.
    fn forget(&self, _peer: &Arc<Peer>, _cid: Cid) {}
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
