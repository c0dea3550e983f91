//! The side of a context that serves it.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use tractor_ipc::ActorId;
use tractor_ipc::limits::STREAM_WINDOW;
use tractor_ipc::msg::{CancelReason, Overrun};

use super::{ContextFn, Dialog, MsgStream};
use crate::error::{OpenError, Result};
use crate::message::{AnyError, AppError, Message};
use crate::node::{Hosted, Opening, ServedTask, catch_now, encode, encode_result};
use crate::scope::{Cancellation, Scope};

/// The far side of a context, as the function that serves it holds it: sends `S` first, then receives `In` and sends
/// `Out`. Each step consumes the one before, so that a stream before the first value does not compile.
pub struct Context<S, In, Out, Phase = NotStarted> {
    callee: Callee,
    types: PhantomData<fn(S, Out, Phase) -> In>,
}

/// A context whose first value has not been sent.
#[derive(Debug)]
pub enum NotStarted {}

/// A context whose first value has been sent.
#[derive(Debug)]
pub enum Open {}

/// The handle of a context on its serving side.
#[derive(Clone)]
pub struct Callee {
    dialog: Arc<Dialog>,
    hosted: Arc<Hosted>,
    scope: Option<Scope>,
}

impl<S: Message, In: Message, Out: Message> Context<S, In, Out, NotStarted> {
    /// Sends the first value: the opener's block begins with it.
    ///
    /// # Errors
    ///
    /// The value is too large or does not encode; or the context has ended meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Sent whole, or not at all.
    pub async fn started(self, value: S) -> Result<Context<S, In, Out, Open>> {
        let dialog = &self.callee.dialog;
        let bytes = encode(&value, dialog.peer().message_max(), self.callee.hosted.id())?;
        if !dialog.peer().started(dialog.cid(), bytes) {
            return Err(OpenError::Closed.into());
        }
        Ok(Context {
            callee: self.callee,
            types: PhantomData,
        })
    }
}

impl<S, In: Message, Out: Message> Context<S, In, Out, Open> {
    /// Opens the stream of the context.
    ///
    /// # Errors
    ///
    /// The context has been cancelled.
    ///
    /// # Cancel safety
    ///
    /// Safe: there is nothing to lose.
    pub async fn open_stream(self) -> Result<MsgStream<In, Out, Callee>> {
        self.callee.check()?;
        let dialog = self.callee.dialog.clone();
        Ok(MsgStream::new(self.callee, dialog))
    }
}

impl<S, In, Out, Phase> Context<S, In, Out, Phase> {
    /// The handle: to cancel the context from its serving side.
    pub fn ctx(&self) -> &Callee {
        &self.callee
    }

    /// Who opened it.
    pub fn caller(&self) -> &ActorId {
        self.callee.caller()
    }
}

impl Callee {
    /// Who opened the context.
    pub fn caller(&self) -> &ActorId {
        self.dialog.peer().id()
    }

    /// Ends this side: the task is dropped at its next await, and the opener learns that it cancelled itself.
    pub fn cancel(&self) {
        if let Some(scope) = &self.scope {
            let canceller = self.hosted.id().clone();
            scope.cancel(Cancellation {
                canceller,
                reason: CancelReason::Requested,
            });
        }
    }

    /// Waits until the actor is being stopped: it finishes its calls and takes no new ones, and cancels this context once
    /// they are done. One that drains (`#[context(drain)]`) is waited for, and ends by itself when it sees this.
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped wait changes nothing.
    pub async fn stopping(&self) {
        self.hosted.wait_stopping().await;
    }

    fn check(&self) -> Result<()> {
        match self.scope.as_ref().and_then(Scope::cancellation) {
            Some(cancel) => Err(cancel.into()),
            None => Ok(()),
        }
    }
}

impl<S, In, Out, Phase> fmt::Debug for Context<S, In, Out, Phase> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({:?})", self.callee)
    }
}

impl fmt::Debug for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Callee({} for {})", self.dialog.cid(), self.caller())
    }
}

/// Serves one context by `serve`, given the context and its arguments.
pub fn serve_context<S, In, Out, Args, T, E, F, Fut>(opening: Opening, serve: F) -> ServedTask
where
    S: Message,
    In: Message,
    Out: Message,
    Args: Message,
    T: Message,
    E: AppError,
    F: FnOnce(Context<S, In, Out>, Args) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, E>> + Send,
{
    Box::pin(async move {
        // The reading of a user's type is the user's code: where it panics, this context fails alone.
        let read = || opening.decode_args::<Args>();
        let args = catch_now(read, opening.hosted.id()).flatten()?;
        let (peer, hosted, cid) = (opening.peer, opening.hosted, opening.cid);
        peer.accept(cid, STREAM_WINDOW, Overrun::Wait);
        let dialog = Arc::new(Dialog::served(peer.clone(), cid, Scope::current()));
        let callee = Callee {
            dialog: dialog.clone(),
            hosted: hosted.clone(),
            scope: Scope::current(),
        };
        let context = Context {
            callee,
            types: PhantomData,
        };
        let result = dialog.survive(serve(context, args)).await;
        encode_result(result, peer.message_max(), hosted.id())
    })
}

/// Serves one `#[context]` function.
pub(crate) fn serve_context_fn<F: ContextFn>(opening: Opening) -> ServedTask {
    serve_context(opening, |ctx, args| F::invoke(ctx, args))
}

/// An error of ours where the user's task returned nothing.
pub(super) fn returned_early() -> AnyError {
    AnyError::message("it returned without a first value")
}
