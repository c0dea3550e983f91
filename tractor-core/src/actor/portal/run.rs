//! Calls of free functions.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context as Cx, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tractor_ipc::Instant;
use tractor_ipc::msg::{CancelReason, FunctionRef};

use super::call::{Limit, WireCall, chain_error, check_expired, located};
use super::{Portal, Way};
use crate::actor::{Actor, ActorCell};
use crate::clock::Sleep;
use crate::error::CallError;
use crate::node::{catch_in, decode, surroundings};
use crate::rpc::{FnCall, RpcFn, exposed_function};
use crate::scope::{Cancellation, Checkpoint, checkpoint};

/// The call of a free function in another actor. Does nothing until it is awaited.
#[must_use = "a call does nothing until it is awaited"]
pub struct RunCall<'a, A: Actor, F: RpcFn> {
    portal: &'a Portal<A>,
    call: FnCall<F>,
    limit: Limit,
}

impl<'a, A: Actor, F: RpcFn> RunCall<'a, A, F> {
    pub(super) fn new(portal: &'a Portal<A>, call: FnCall<F>) -> Self {
        Self {
            portal,
            call,
            limit: Limit::None,
        }
    }

    /// Gives the call up at this point of the node's clock; the callee sees what is left of it.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.limit = Limit::At(at);
        self
    }

    /// Gives the call up so long after it is first polled.
    pub fn within(mut self, span: Duration) -> Self {
        self.limit = Limit::Within(span);
        self
    }
}

impl<'a, A: Actor, F: RpcFn> IntoFuture for RunCall<'a, A, F> {
    type Output = Result<F::Ok, CallError<F::Err>>;
    type IntoFuture = RunFuture<'a, A, F>;

    fn into_future(self) -> RunFuture<'a, A, F> {
        RunFuture {
            step: Step::New(self),
            timer: None,
        }
    }
}

/// The future of a [`RunCall`].
///
/// # Cancel safety
///
/// Dropped before it was sent, nothing is sent. Dropped later, the function is dropped at its next await.
#[must_use = "futures do nothing unless polled"]
pub struct RunFuture<'a, A: Actor, F: RpcFn> {
    step: Step<'a, A, F>,
    timer: Option<Sleep>,
}

type Here<F> = BoxFuture<'static, Result<<F as RpcFn>::Ok, CallError<<F as RpcFn>::Err>>>;

enum Step<'a, A: Actor, F: RpcFn> {
    New(RunCall<'a, A, F>),
    Wire(WireCall),
    Here(Here<F>),
    Done,
}

/// Nothing in it is pinned in place.
impl<A: Actor, F: RpcFn> Unpin for RunFuture<'_, A, F> {}

impl<A: Actor, F: RpcFn> Future for RunFuture<'_, A, F> {
    type Output = Result<F::Ok, CallError<F::Err>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match checkpoint() {
            Checkpoint::Clear => {}
            Checkpoint::Unwinding => return Poll::Pending,
            Checkpoint::Cancelled(cancel) => {
                this.step = Step::Done;
                return Poll::Ready(Err(CallError::Cancelled(cancel)));
            }
        }
        if let Step::New(_) = this.step
            && let Step::New(run) = std::mem::replace(&mut this.step, Step::Done)
        {
            match begin(run) {
                Ok((step, timer)) => (this.step, this.timer) = (step, timer),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let polled = match &mut this.step {
            Step::Wire(call) => call.poll(cx).map(|result| match result {
                Ok(bytes) => {
                    decode(&bytes, "the result", call.peer().id()).map_err(CallError::MsgType)
                }
                Err(error) => Err(CallError::from_remote(error)),
            }),
            Step::Here(future) => future.as_mut().poll(cx),
            Step::New(_) | Step::Done => panic!("a call was polled after it had ended"),
        };
        if polled.is_ready() {
            this.step = Step::Done;
            return polled;
        }
        let Some(timer) = &mut this.timer else {
            return Poll::Pending;
        };
        ready!(timer.as_mut().poll(cx));
        match std::mem::replace(&mut this.step, Step::Done) {
            Step::Wire(call) => {
                let canceller = call.peer().node().id().clone();
                let cancel = Cancellation {
                    canceller,
                    reason: CancelReason::Deadline,
                };
                call.give_up(&cancel);
                Poll::Ready(Err(CallError::Cancelled(cancel)))
            }
            Step::Here(_) | Step::New(_) | Step::Done => Poll::Pending,
        }
    }
}

type Begun<'a, A, F> = (Step<'a, A, F>, Option<Sleep>);

fn begin<'a, A: Actor, F: RpcFn>(
    run: RunCall<'a, A, F>,
) -> Result<Begun<'a, A, F>, CallError<F::Err>> {
    let RunCall {
        portal,
        call,
        limit,
    } = run;
    let Some(args) = call.into_args() else {
        panic!("a call that has begun to run here was handed to a portal");
    };
    let far = match located::<A, F::Err>(portal)? {
        Way::Here(cell) => return Ok((Step::Here(here::<A, F>(&cell, args, limit)?), None)),
        Way::Link(far) => far,
    };
    let function = FunctionRef::Named(F::NAME.into());
    let (wire, timer) = WireCall::begin(&far, function, &args, limit)?;
    Ok((Step::Wire(wire), timer.map(|(sleep, _)| sleep)))
}

/// Runs the function in its actor's scope, where the actor is of this process.
fn here<A: Actor, F: RpcFn>(
    cell: &ActorCell<A>,
    args: F::Args,
    limit: Limit,
) -> Result<Here<F>, CallError<F::Err>> {
    let hosted = cell.hosted().clone();
    exposed_function(&hosted, F::NAME).map_err(CallError::from_remote)?;
    if let Some(refusal) = hosted.refusal() {
        return Err(CallError::Stopping(refusal));
    }
    let clock = hosted.node().clock();
    let own = limit.deadline(clock.now());
    let around = surroundings(hosted.id(), own).map_err(chain_error)?;
    let (deadline, chain) = (around.deadline, around.chain);
    check_expired(deadline, clock.as_ref(), hosted.id())?;
    let turn = hosted.turn(deadline, chain);
    Ok(Box::pin(async move {
        match catch_in(&turn.scope, F::invoke(args), hosted.id()).await {
            Ok(Ok(output)) => F::outcome(output).map_err(|error| CallError::App {
                error,
                origin: hosted.id().clone(),
            }),
            Ok(Err(panic)) => Err(CallError::Panicked(panic)),
            Err(cancel) => Err(CallError::Cancelled(cancel)),
        }
    }))
}

impl<A: Actor, F: RpcFn> fmt::Debug for RunCall<'_, A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunCall({} in {})", F::NAME, self.portal.id())
    }
}

impl<A: Actor, F: RpcFn> fmt::Debug for RunFuture<'_, A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunFuture({})", F::NAME)
    }
}
