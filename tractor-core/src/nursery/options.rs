//! A nursery with options of its own.

use std::future::Future;

use super::ActorNursery;
use super::driver::open;
use crate::error::Error;
use crate::proto::Ladder;

/// Describes a nursery; [`run`](NurseryOptions::run) opens it.
pub fn nursery() -> NurseryOptions {
    NurseryOptions::default()
}

/// A nursery to be opened.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a nursery is not opened until `run` is awaited"]
pub struct NurseryOptions {
    pub(super) ladder: Option<Ladder>,
}

impl NurseryOptions {
    /// The times of the ladder of every actor started in it for which nothing else is said; that of the runtime otherwise.
    pub fn ladder(mut self, ladder: Ladder) -> Self {
        self.ladder = Some(ladder);
        self
    }

    /// Opens the nursery and runs `block` in it.
    ///
    /// # Errors
    ///
    /// As [`open_nursery`](super::open_nursery).
    ///
    /// # Cancel safety
    ///
    /// As [`open_nursery`](super::open_nursery).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use tractor_core::nursery::{ActorNursery, nursery};
    /// # use tractor_core::error::Result;
    /// # use tractor_core::proto::Ladder;
    /// # async fn example() -> Result<()> {
    /// let hasty = Ladder { cap: Duration::from_millis(200), ..Ladder::default() };
    /// nursery().ladder(hasty).run(async |an: ActorNursery<'_>| Ok(an.wait().await)).await
    /// # }
    /// ```
    pub async fn run<'env, F, Fut, T, E>(self, block: F) -> Result<T, E>
    where
        F: FnOnce(ActorNursery<'env>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        open(self, block).await
    }
}
