//! What an actor has left to be done at its end: its exit stack.
//!
//! - EXIT-1: what is on it is done once, the last one first, when everything below the actor has ended and before anybody is
//!   told that it has.
//! - EXIT-2: one that panics, or takes too long, does not keep those below it from their turn, while there is time.

use std::future::Future;

use futures_util::future::BoxFuture;
use tractor_ipc::ActorId;

use super::{Hosted, catch_in};
use crate::fault::RemoteError;
use crate::scope::{Scope, ScopeOptions};
use crate::sync::Mutex;

/// Something to be done.
pub(crate) type Cleanup = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// Open, what is to be done; `None` once all of it has been.
#[derive(Debug)]
pub(crate) struct ExitStack(Mutex<Option<Stack>>);

#[derive(Default)]
struct Stack(Vec<Cleanup>);

impl Default for ExitStack {
    fn default() -> Self {
        Self(Mutex::new(Some(Stack::default())))
    }
}

impl ExitStack {
    /// Puts one on top; false if its time is over.
    pub(crate) fn push(&self, cleanup: Cleanup) -> bool {
        match &mut *self.0.lock() {
            Some(stack) => {
                stack.0.push(cleanup);
                true
            }
            None => false,
        }
    }

    /// Does all of it in `shield`, whose deadline is the time there is. Gives the first panic.
    pub(crate) async fn close(&self, shield: &Scope, actor: &ActorId) -> Option<RemoteError> {
        let mut failure = None;
        while let Some(cleanup) = self.pop() {
            // Making the future is the user's code too.
            let work = async move { cleanup().await };
            match catch_in(shield, work, actor).await {
                Ok(Ok(())) => {}
                Ok(Err(panic)) => {
                    tracing::error!(%actor, error = %panic, "a callback of the exit stack panicked");
                    failure.get_or_insert(panic);
                }
                Err(_) => {
                    tracing::error!(%actor, "a callback of the exit stack took too long and was dropped");
                }
            }
        }
        failure
    }

    /// Drops what has not been done; nothing more is taken.
    pub(crate) fn abandon(&self, actor: &ActorId) {
        let left = self.0.lock().take();
        if let Some(Stack(left)) = left
            && !left.is_empty()
        {
            tracing::error!(%actor, callbacks = left.len(), "its exit stack was dropped");
        }
    }

    /// The topmost; the stack is closed when there is none.
    fn pop(&self) -> Option<Cleanup> {
        let mut open = self.0.lock();
        let top = open.as_mut().and_then(|stack| stack.0.pop());
        if top.is_none() {
            *open = None;
        }
        top
    }
}

/// Does what is left to be done at the end of an actor, in what is left of its time, and ends what that has left behind.
pub(crate) async fn close_exit_stack(hosted: &Hosted) -> Option<RemoteError> {
    let node = hosted.node();
    let close = async |shield: Scope| node.exit_stack().close(&shield, hosted.id()).await;
    let failure = in_time(hosted, close).await;
    node.nurseries().wait_empty().await;
    node.children().wait_empty().await;
    failure
}

/// Runs `work` of an actor's end, given a shield to do it in: the shield lasts for what is left of the actor's time, and for
/// less once there is less.
pub(crate) async fn in_time<F: Future>(
    hosted: &Hosted,
    work: impl FnOnce(Scope) -> F,
) -> F::Output {
    let node = hosted.node();
    let mut cap = node.cap();
    let now = node.clock().now();
    let end = now + node.ladder_left(now);
    let shield = hosted.scope().child_with(ScopeOptions {
        shield: true,
        deadline: Some(end),
        ambient: None,
    });
    let mut work = std::pin::pin!(work(shield.clone()));
    loop {
        tokio::select! {
            biased;
            output = &mut work => return output,
            Ok(()) = cap.changed() => {
                let sooner = cap.borrow_and_update().map_or(end, |cap| cap.min(end));
                shield.set_deadline(Some(sooner));
            }
        }
    }
}

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stack({})", self.0.len())
    }
}
