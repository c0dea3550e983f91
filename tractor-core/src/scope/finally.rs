//! Work with a cleanup that a cancellation cannot skip: the pattern of every cancel-aware node.
//!
//! There is no async unwinding in Rust: in a cancelled scope, `work().await; cleanup().await` never reaches the
//! cleanup, because the future is dropped at the first of the two. [`Scope::finally`] does reach it. A nursery and a
//! context are built the same way: an [`AwareGuard`] held for the whole of it, a body that is caught, a shield with a
//! deadline for what comes after.

use std::future::Future;
use std::time::Duration;

use super::{AwareGuard, Cancellation, Scope, ScopeOptions};

impl Scope {
    /// Counts a cancel-aware node: while the guard lives, neither this scope nor any around it drops its future.
    ///
    /// Whoever holds it waits only under a shield with a deadline, or for a [`Run::catching`]: in a cancelled scope
    /// anything else stays silent for good, and so would the scope.
    ///
    /// [`Run::catching`]: super::Run::catching
    pub fn aware(&self) -> AwareGuard {
        AwareGuard::new(self.0.clone())
    }

    /// Runs `body` in a child of this scope, then `cleanup` under a shield, `within` that time.
    ///
    /// `cleanup` is given what the body returned, or nothing if it was cut by a cancellation. It runs however the body
    /// ended, once this future was polled at all, and no scope around it lets go before it is through.
    ///
    /// # Errors
    ///
    /// The cleanup itself was cut, by its deadline.
    ///
    /// # Cancel safety
    ///
    /// Dropped by a scope of ours, never before the cleanup is through. Dropped from outside (a raw `select!`, an
    /// aborted task), neither the rest of the body nor the cleanup runs.
    pub async fn finally<B, C>(
        &self,
        body: B,
        cleanup: impl FnOnce(Option<B::Output>) -> C,
        within: Duration,
    ) -> Result<C::Output, Cancellation>
    where
        B: Future,
        C: Future,
    {
        let _waited_for = self.aware();
        let output = self.child().run(body).catching().await.ok();
        self.shield_until(within).run(cleanup(output)).await
    }

    /// Runs `future` where no cancellation from outside reaches it, for at most `within`.
    ///
    /// # Errors
    ///
    /// It was cut by that deadline.
    ///
    /// # Cancel safety
    ///
    /// Dropped by a scope of ours, never before the future is through or its time is up. Dropped from outside, the
    /// future is dropped.
    pub async fn shielded<F: Future>(
        &self,
        within: Duration,
        future: F,
    ) -> Result<F::Output, Cancellation> {
        self.shield_until(within).run(future).await
    }

    fn shield_until(&self, within: Duration) -> Self {
        let deadline = Some(self.clock().now() + within);
        self.child_with(ScopeOptions {
            shield: true,
            deadline,
            ..ScopeOptions::default()
        })
    }
}
