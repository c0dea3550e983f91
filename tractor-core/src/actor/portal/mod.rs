//! Portals: typed handles to submit work into one actor.
//!
//! An enum from the first day: an actor of this process is reached through its mailbox, by value; one elsewhere through
//! its link, encoded. `call` and `cast` are the futures behind methods, `run` those of free functions, `open` contexts and
//! streams, `end` the ways to end the actor, `address` how a portal travels.
//!
//! - PRT-1: nothing is sent before the first poll.
//! - PRT-2: a call that is dropped or cancelled is taken back if it has not left, and cancelled at the callee if it has.

mod address;
mod call;
mod cast;
mod end;
mod open;
mod run;

use std::fmt;
use std::sync::Arc;

use tractor_ipc::msg::{CallKind, FunctionRef, Overrun};
use tractor_ipc::{ActorId, ActorRef, ActorSlot, Instant};

pub(super) use call::chain_error;
pub use call::{Call, CallFuture};
pub use cast::CastCall;
use open::FnContextCall;
pub use open::{ContextCall, StreamCall};
pub use run::{RunCall, RunFuture};

use crate::actor::{Actor, ActorCell};
use crate::context::{ContextFn, FnContext, OpenedContext};
use crate::error::{Error, OpenError};
use crate::message::{AppError, Message};
use crate::node::{ChainError, Peer, surroundings};
use crate::proto;
use crate::rpc::{FnCall, Reply, RpcFn};

/// A handle to one actor. Cheap to clone; it can be sent to other actors.
///
/// It does not keep the actor alive: a portal to an actor that has ended answers that it is gone.
pub struct Portal<A: Actor> {
    route: Route<A>,
}

pub(crate) enum Route<A: Actor> {
    /// In this process.
    Local(Arc<ActorCell<A>>),
    /// At the far end of a link.
    Link(Arc<Far>),
    /// Arrived in a message; found at first use.
    Unresolved(Arc<ActorRef>),
}

/// The way to an actor.
pub(crate) enum Way<A: Actor> {
    /// Through its mailbox.
    Here(Arc<ActorCell<A>>),
    /// Over its link.
    Link(Arc<Far>),
}

/// An actor at the far end of a link.
#[derive(Debug)]
pub(crate) struct Far {
    pub(crate) peer: Arc<Peer>,
    pub(crate) slot: ActorSlot,
}

impl<A: Actor> Portal<A> {
    pub(crate) fn local(cell: Arc<ActorCell<A>>) -> Self {
        Self {
            route: Route::Local(cell),
        }
    }

    /// The main actor at the far end of a link.
    pub(crate) fn far(peer: Arc<Peer>) -> Self {
        Self {
            route: Route::Link(Arc::new(Far {
                peer,
                slot: ActorSlot::MAIN,
            })),
        }
    }

    /// Who the actor is.
    pub fn id(&self) -> &ActorId {
        match &self.route {
            Route::Local(cell) => cell.hosted().id(),
            Route::Link(far) => far.peer.id(),
            Route::Unresolved(address) => &address.id,
        }
    }

    /// Runs a free function in the actor, which must expose it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call cancels the function at its next await.
    pub fn run<F: RpcFn>(&self, call: FnCall<F>) -> RunCall<'_, A, F> {
        RunCall::new(self, call)
    }

    /// Opens a context with a free function of the actor, which must expose it, and runs `block` beside it: given the
    /// context and its first value. Ends when both have ended.
    ///
    /// # Errors
    ///
    /// What `block` returns; or, as [`Error::Open`], why the context could not be opened or how its far side failed.
    ///
    /// # Cancel safety
    ///
    /// Cancelled by a scope of ours, it cancels the far task and waits for its end. Dropped from outside, it cancels the
    /// far task and cannot wait.
    pub async fn open_context<F, T, X, Fut, B>(
        &self,
        context: FnContext<F>,
        block: B,
    ) -> Result<T, X>
    where
        F: ContextFn,
        X: From<Error>,
        B: FnOnce(OpenedContext<F::Out, F::In, F::Ok, F::Err>, F::Started) -> Fut,
        Fut: Future<Output = Result<T, X>>,
    {
        let function = FunctionRef::Named(F::NAME.into());
        let call = FnContextCall::<'_, A, F>::new(self, function, context.into_args());
        call.open(block).await
    }

    /// Makes a call of one of the actor's methods; for generated code.
    #[doc(hidden)]
    pub fn call<Args: Message, T: Message, E: AppError>(
        &self,
        index: u16,
        args: Args,
        make: fn(Args, Reply<T, E>) -> A::Msg,
    ) -> Call<'_, A, Args, T, E> {
        Call::new(self, index, args, make)
    }

    /// Makes a one-way message to one of the actor's methods; for generated code.
    #[doc(hidden)]
    pub fn cast<Args: Message>(
        &self,
        index: u16,
        args: Args,
        make: fn(Args) -> A::Msg,
    ) -> CastCall<'_, A, Args> {
        CastCall::new(self, index, args, make)
    }

    /// Makes the opening of one of the actor's streams; for generated code.
    #[doc(hidden)]
    pub fn stream<Args: Message, Item: Message>(
        &self,
        index: u16,
        args: Args,
    ) -> StreamCall<'_, A, Args, Item> {
        StreamCall::new(self, index, args)
    }

    /// Makes the opening of one of the actor's contexts; for generated code.
    #[doc(hidden)]
    pub fn context<Args, S, In, Out, T, E>(
        &self,
        index: u16,
        args: Args,
    ) -> ContextCall<'_, A, Args, S, In, Out, T, E>
    where
        Args: Message,
        S: Message,
        In: Message,
        Out: Message,
        T: Message,
        E: AppError,
    {
        ContextCall::new(self, FunctionRef::Method(index), args)
    }

    pub(crate) fn route(&self) -> &Route<A> {
        &self.route
    }

    /// The way to the actor, found if the portal arrived in a message.
    pub(crate) fn resolve(&self) -> Result<Way<A>, OpenError> {
        let route = match &self.route {
            Route::Unresolved(address) => address::resolve(address)?,
            Route::Local(cell) => Route::Local(cell.clone()),
            Route::Link(far) => Route::Link(far.clone()),
        };
        match route {
            Route::Local(cell) => Ok(Way::Here(cell)),
            Route::Link(far) => Ok(Way::Link(far)),
            Route::Unresolved(address) => Err(OpenError::ToSelf {
                actor: address.id.clone(),
            }),
        }
    }
}

impl Far {
    /// The request that opens a dialog with it from here, and when the opener itself has to give up.
    pub(crate) fn open(
        &self,
        function: FunctionRef,
        kind: CallKind,
        own_deadline: Option<Instant>,
        window: u32,
    ) -> Result<(proto::Open, Option<Instant>), ChainError> {
        let around = surroundings(self.peer.id(), own_deadline)?;
        let open = proto::Open {
            actor: self.slot,
            function,
            kind,
            signature: None,
            deadline: around.deadline,
            chain: around.chain.to_vec(),
            overrun: Overrun::Wait,
            window,
            trace: None,
        };
        Ok((open, around.gives_up))
    }
}

impl<A: Actor> Clone for Portal<A> {
    fn clone(&self) -> Self {
        let route = match &self.route {
            Route::Local(cell) => Route::Local(cell.clone()),
            Route::Link(far) => Route::Link(far.clone()),
            Route::Unresolved(address) => Route::Unresolved(address.clone()),
        };
        Self { route }
    }
}

impl<A: Actor> fmt::Debug for Portal<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Portal({})", self.id())
    }
}
