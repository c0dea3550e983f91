//! A free function that is the far side of a context.

use std::fmt;
use std::future::Future;

use super::Context;
use crate::message::{AppError, Message};

/// A free function that is the far side of a context. Implemented by `#[tractor::context]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `#[context]` function",
    note = "an `#[rpc]` function is called with `portal.run(f(..))`"
)]
pub trait ContextFn: Sized + Send + 'static {
    /// Its arguments beside the context, as a tuple.
    type Args: Message;
    /// Its first value.
    type Started: Message;
    /// What it is sent.
    type In: Message;
    /// What it sends.
    type Out: Message;
    /// Its result.
    type Ok: Message;
    /// Its error.
    type Err: AppError;
    /// Its name in the catalogue.
    const NAME: &'static str;
    /// Whether an orderly stop waits for it.
    const DRAIN: bool = false;

    /// Runs it here.
    fn invoke(
        ctx: Context<Self::Started, Self::In, Self::Out>,
        args: Self::Args,
    ) -> impl Future<Output = Result<Self::Ok, Self::Err>> + Send + 'static;
}

/// A context function with its arguments, to be opened through a portal.
#[must_use = "a context does nothing until it is opened through a portal"]
pub struct FnContext<F: ContextFn> {
    args: F::Args,
}

impl<F: ContextFn> FnContext<F> {
    /// The function with these arguments.
    pub fn new(args: F::Args) -> Self {
        Self { args }
    }

    pub(crate) fn into_args(self) -> F::Args {
        self.args
    }
}

impl<F: ContextFn> fmt::Debug for FnContext<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FnContext({})", F::NAME)
    }
}
