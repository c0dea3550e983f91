//! Panics of the user's code, caught where a task of ours would end by them.
//!
//! A handler's reply is dropped while its panic unwinds, before anybody has the panic's text. So it is kept aside until
//! the unwinding is caught, and answered then.

use std::cell::RefCell;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tractor_ipc::ActorId;

use crate::fault::{RemoteError, RemoteErrorKind, panic_text};
use crate::scope::{Cancellation, Scope};

/// How a reply that was dropped in a panic is answered.
type Answer = Box<dyn FnOnce(&RemoteError)>;

thread_local! {
    static UNANSWERED: RefCell<Vec<Answer>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` of `actor`; a panic in it becomes a failure, which every reply it still owed is answered by.
pub(crate) async fn catch<F: Future>(work: F, actor: &ActorId) -> Result<F::Output, RemoteError> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .map_err(|panic| panicked(&*panic, actor))
}

/// Runs `work` of `actor` in a scope; a panic in it is a failure, also where it comes only as the work is dropped.
pub(crate) async fn catch_in<F: Future>(
    scope: &Scope,
    work: F,
    actor: &ActorId,
) -> Result<Result<F::Output, RemoteError>, Cancellation> {
    match catch(scope.run(work), actor).await {
        Ok(Ok(output)) => Ok(Ok(output)),
        Ok(Err(cancel)) => Err(cancel),
        Err(panic) => Ok(Err(panic)),
    }
}

/// The same for code that does not wait.
pub(crate) fn catch_now<T>(work: impl FnOnce() -> T, actor: &ActorId) -> Result<T, RemoteError> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panicked(&*panic, actor))
}

/// Keeps `answer` until the panic that unwinds is caught.
pub(crate) fn answer_after_unwinding(answer: impl FnOnce(&RemoteError) + 'static) {
    UNANSWERED.with_borrow_mut(|waiting| waiting.push(Box::new(answer)));
}

fn panicked(panic: &(dyn std::any::Any + Send), actor: &ActorId) -> RemoteError {
    let error = RemoteError::new(RemoteErrorKind::Panic, actor.clone(), panic_text(panic));
    let waiting = UNANSWERED.with_borrow_mut(std::mem::take);
    waiting.into_iter().for_each(|answer| answer(&error));
    error
}
