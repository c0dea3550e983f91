//! A call as a value: awaited, it runs here; handed to a portal, there.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Cx, Poll};

use futures_util::future::BoxFuture;

use crate::message::{AppError, Message};

/// A free function other actors can call. Implemented by `#[tractor::rpc]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an `#[rpc]` function",
    note = "a `#[context]` function is opened with `portal.open_context(f(..), async |ctx, first| ..)`"
)]
pub trait RpcFn: Sized + Send + 'static {
    /// Its arguments as a tuple.
    type Args: Message;
    /// What it returns, as it is written.
    type Output: Send + 'static;
    /// What it returns when all is well.
    type Ok: Message;
    /// Its error.
    type Err: AppError;
    /// Its name in the catalogue.
    const NAME: &'static str;

    /// Runs it here.
    fn invoke(args: Self::Args) -> impl Future<Output = Self::Output> + Send + 'static;

    /// What it returned, as a result.
    ///
    /// # Errors
    ///
    /// The function's own.
    fn outcome(output: Self::Output) -> Result<Self::Ok, Self::Err>;
}

/// A function that `expose![…]` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be exposed",
    note = "`expose![…]` takes `#[tractor::rpc]` and `#[tractor::context]` functions"
)]
pub trait Expose {
    /// Its name in the catalogue.
    const NAME: &'static str;
}

/// The name by which `F` is exposed.
pub const fn expose_entry<F: Expose>() -> &'static str {
    F::NAME
}

/// A call of a free function. Awaited, it runs in this task; `portal.run(…)` runs it in another actor.
///
/// # Cancel safety
///
/// Dropping it drops the function's own future.
#[must_use = "a call does nothing until it is awaited or handed to a portal"]
pub struct FnCall<F: RpcFn> {
    step: Step<F>,
}

enum Step<F: RpcFn> {
    Idle(F::Args),
    Running(BoxFuture<'static, F::Output>),
    Done,
}

impl<F: RpcFn> FnCall<F> {
    /// The call with these arguments.
    pub fn new(args: F::Args) -> Self {
        Self {
            step: Step::Idle(args),
        }
    }

    /// The arguments, if it has not begun to run here.
    pub(crate) fn into_args(self) -> Option<F::Args> {
        match self.step {
            Step::Idle(args) => Some(args),
            Step::Running(_) | Step::Done => None,
        }
    }
}

/// Nothing in it is pinned in place: the function's future has a box of its own.
impl<F: RpcFn> Unpin for FnCall<F> {}

impl<F: RpcFn> Future for FnCall<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<F::Output> {
        if let Step::Idle(_) = self.step
            && let Step::Idle(args) = std::mem::replace(&mut self.step, Step::Done)
        {
            self.step = Step::Running(Box::pin(F::invoke(args)));
        }
        let Step::Running(future) = &mut self.step else {
            panic!("a call was polled after it had ended");
        };
        let output = std::task::ready!(future.as_mut().poll(cx));
        self.step = Step::Done;
        Poll::Ready(output)
    }
}

impl<F: RpcFn> fmt::Debug for FnCall<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FnCall({})", F::NAME)
    }
}
