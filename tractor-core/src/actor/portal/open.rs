//! Contexts and streams of an actor's methods.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tractor_ipc::Instant;
use tractor_ipc::limits::STREAM_WINDOW;
use tractor_ipc::msg::{CallKind, FunctionRef};

use super::call::{Limit, chain_error, check_expired, refused};
use super::{Far, Portal, Way};
use crate::actor::Actor;
use crate::context::{ContextFn, Dialog, OneWay, OpenedContext, open_block};
use crate::error::{CallError, Error, OpenError};
use crate::message::{AnyError, AppError, Message};
use crate::node::{decode, encode};

/// A context to be opened. Does nothing until [`open`](Self::open).
#[must_use = "a context does nothing until it is opened"]
pub struct ContextCall<'a, A: Actor, Args, S, In, Out, T, E> {
    portal: &'a Portal<A>,
    function: FunctionRef,
    args: Args,
    limit: Limit,
    types: Types<S, In, Out, T, E>,
}

impl<'a, A, Args, S, In, Out, T, E> ContextCall<'a, A, Args, S, In, Out, T, E>
where
    A: Actor,
    Args: Message,
    S: Message,
    In: Message,
    Out: Message,
    T: Message,
    E: AppError,
{
    pub(super) fn new(portal: &'a Portal<A>, function: FunctionRef, args: Args) -> Self {
        Self {
            portal,
            function,
            args,
            limit: Limit::None,
            types: PhantomData,
        }
    }

    /// Ends the context at this point of the node's clock: the far task, and the block.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.limit = Limit::At(at);
        self
    }

    /// Ends the context so long after it is opened: the far task, and the block.
    pub fn within(mut self, span: Duration) -> Self {
        self.limit = Limit::Within(span);
        self
    }

    /// Opens the context and runs `block` beside it: given the context and its first value. Ends when both have ended.
    ///
    /// # Errors
    ///
    /// What `block` returns; or, as [`Error::Open`], why the context could not be opened or how its far side failed:
    /// [`CallError::Cancelled`] where its own time was up.
    ///
    /// # Cancel safety
    ///
    /// Cancelled by a scope of ours, it cancels the far task and waits for its end. Dropped from outside, it cancels the
    /// far task and cannot wait.
    pub async fn open<R, X, Fut, B>(self, block: B) -> Result<R, X>
    where
        X: From<Error>,
        B: FnOnce(OpenedContext<Out, In, T, E>, S) -> Fut,
        Fut: Future<Output = Result<R, X>>,
    {
        let Self {
            portal,
            function,
            args,
            limit,
            ..
        } = self;
        let dialog = open_dialog(portal, function, CallKind::Context, &args, limit)
            .map_err(|error| X::from(Error::Open(error)))?;
        let opened = dialog.clone();
        open_block(dialog, move |first| {
            let actor = opened.peer().id();
            let first = decode::<S>(&first, "the first value", actor).map_err(|error| {
                OpenError::MsgType {
                    what: "a first value",
                    error: AnyError::of(&error),
                }
            })?;
            Ok(block(OpenedContext::new(opened), first))
        })
        .await
    }
}

/// First value, in, out, result and error of a context.
type Types<S, In, Out, T, E> = PhantomData<fn(In) -> (S, Out, T, E)>;

/// The opening of a context function.
pub(super) type FnContextCall<'a, A, F> = ContextCall<
    'a,
    A,
    <F as ContextFn>::Args,
    <F as ContextFn>::Started,
    <F as ContextFn>::In,
    <F as ContextFn>::Out,
    <F as ContextFn>::Ok,
    <F as ContextFn>::Err,
>;

/// A stream of an actor to be opened. Does nothing until [`open`](Self::open).
#[must_use = "a stream does nothing until it is opened"]
pub struct StreamCall<'a, A: Actor, Args, Item> {
    portal: &'a Portal<A>,
    index: u16,
    args: Args,
    limit: Limit,
    item: PhantomData<fn() -> Item>,
}

impl<'a, A: Actor, Args: Message, Item: Message> StreamCall<'a, A, Args, Item> {
    pub(super) fn new(portal: &'a Portal<A>, index: u16, args: Args) -> Self {
        Self {
            portal,
            index,
            args,
            limit: Limit::None,
            item: PhantomData,
        }
    }

    /// Ends the stream at this point of the node's clock, and the block with it.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.limit = Limit::At(at);
        self
    }

    /// Ends the stream so long after it is opened, and the block with it.
    pub fn within(mut self, span: Duration) -> Self {
        self.limit = Limit::Within(span);
        self
    }

    /// Opens the stream and runs `block` with it. Leaving the block cancels what is left of the stream and waits for its
    /// end.
    ///
    /// # Errors
    ///
    /// What `block` returns; or, as [`Error::Open`], why the stream could not be opened or how it failed:
    /// [`CallError::Cancelled`] where its own time was up.
    ///
    /// # Cancel safety
    ///
    /// Cancelled by a scope of ours, it cancels the stream and waits for its end. Dropped from outside, it cancels the
    /// stream and cannot wait.
    pub async fn open<R, X, Fut, B>(self, block: B) -> Result<R, X>
    where
        X: From<Error>,
        B: FnOnce(OneWay<Item>) -> Fut,
        Fut: Future<Output = Result<R, X>>,
    {
        let Self {
            portal,
            index,
            args,
            limit,
            ..
        } = self;
        let function = FunctionRef::Method(index);
        let dialog = open_dialog(portal, function, CallKind::Stream, &args, limit)
            .map_err(|error| X::from(Error::Open(error)))?;
        crate::context::open_stream_block(dialog, block).await
    }
}

fn open_dialog<A: Actor, Args: Message>(
    portal: &Portal<A>,
    function: FunctionRef,
    kind: CallKind,
    args: &Args,
    limit: Limit,
) -> Result<Arc<Dialog>, OpenError> {
    let far = match portal.resolve()? {
        Way::Link(far) => far,
        Way::Here(_) => {
            return Err(OpenError::ToSelf {
                actor: portal.id().clone(),
            });
        }
    };
    open_far(&far, function, kind, args, limit).map_err(OpenError::Call)
}

fn open_far<Args: Message>(
    far: &Far,
    function: FunctionRef,
    kind: CallKind,
    args: &Args,
    limit: Limit,
) -> Result<Arc<Dialog>, CallError<AnyError>> {
    let peer = far.peer.clone();
    let (own_id, clock) = (peer.node().id(), peer.node().clock());
    let now = clock.now();
    let open = far.open(function, kind, limit.deadline(now), STREAM_WINDOW);
    let (open, gives_up) = open.map_err(chain_error)?;
    check_expired(open.deadline, clock.as_ref(), own_id)?;
    let bytes = encode(args, peer.message_max(), own_id).map_err(CallError::from_remote)?;
    let cid = peer
        .open(open, bytes, now)
        .map_err(|error| refused(error, &peer))?;
    Ok(Arc::new(Dialog::opened(peer, cid, gives_up)))
}

impl<A: Actor, Args, S, In, Out, T, E> fmt::Debug for ContextCall<'_, A, Args, S, In, Out, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ContextCall({:?} of {})",
            self.function,
            self.portal.id()
        )
    }
}

impl<A: Actor, Args, Item> fmt::Debug for StreamCall<'_, A, Args, Item> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamCall({} of {})", self.index, self.portal.id())
    }
}
