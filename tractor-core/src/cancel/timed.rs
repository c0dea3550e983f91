//! Blocks that are given so much time.

use std::future::Future;
use std::time::Duration;

use tractor_ipc::Instant;

use super::block::{CancelScope, CancelScopeOptions, cancel_scope};
use crate::error::Error;

/// Runs `block` for so long at most: `None` if it was cut, by its time or by [`CancelScope::cancel`].
///
/// # Panics
///
/// Outside of a tokio runtime.
///
/// # Cancel safety
///
/// As [`CancelScopeOptions::run`].
pub async fn move_on_after<F, Fut>(span: Duration, block: F) -> Option<Fut::Output>
where
    F: FnOnce(CancelScope) -> Fut,
    Fut: Future,
{
    cancel_scope().within(span).run(block).await.ok()
}

/// Runs `block` until this point in time at most: `None` if it was cut.
///
/// # Panics
///
/// Outside of a tokio runtime.
///
/// # Cancel safety
///
/// As [`CancelScopeOptions::run`].
pub async fn move_on_at<F, Fut>(at: Instant, block: F) -> Option<Fut::Output>
where
    F: FnOnce(CancelScope) -> Fut,
    Fut: Future,
{
    cancel_scope().deadline(at).run(block).await.ok()
}

/// Runs `block` for so long at most, and fails if that was not enough.
///
/// # Errors
///
/// The block's own; [`Error::Cancelled`] if it was cut.
///
/// # Panics
///
/// Outside of a tokio runtime.
///
/// # Cancel safety
///
/// As [`CancelScopeOptions::run`].
pub async fn fail_after<F, Fut, T, E>(span: Duration, block: F) -> Result<T, E>
where
    F: FnOnce(CancelScope) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    fail(cancel_scope().within(span), block).await
}

/// Runs `block` until this point in time at most, and fails if that was not enough.
///
/// # Errors
///
/// The block's own; [`Error::Cancelled`] if it was cut.
///
/// # Panics
///
/// Outside of a tokio runtime.
///
/// # Cancel safety
///
/// As [`CancelScopeOptions::run`].
pub async fn fail_at<F, Fut, T, E>(at: Instant, block: F) -> Result<T, E>
where
    F: FnOnce(CancelScope) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    fail(cancel_scope().deadline(at), block).await
}

async fn fail<F, Fut, T, E>(scope: CancelScopeOptions, block: F) -> Result<T, E>
where
    F: FnOnce(CancelScope) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    match scope.run(block).await {
        Ok(result) => result,
        Err(cancel) => Err(E::from(Error::Cancelled(cancel))),
    }
}
