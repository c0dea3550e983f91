//! What an actor has left to be done at its end: its exit stack.
//!
//! - EXIT-1: what is on it is done once, the last one first, when everything below the actor has ended and before anybody is
//!   told that it has.
//! - EXIT-2: one that panics, or takes too long, does not keep those below it from their turn, while there is time.

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
                    failure.get_or_insert(panic);
                }
                Err(_) => {
                    tracing::error!(%actor, "a callback of the exit stack took too long and was dropped");
                }
            }
        }
        failure
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

/// Does what is left to be done at the end of an actor, in what is left of its time.
pub(crate) async fn close_exit_stack(hosted: &Hosted) -> Option<RemoteError> {
    let node = hosted.node();
    let now = node.clock().now();
    let shield = hosted.scope().child_with(ScopeOptions {
        shield: true,
        deadline: Some(now + node.ladder_left(now)),
        ambient: None,
    });
    node.exit_stack().close(&shield, hosted.id()).await
}

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stack({})", self.0.len())
    }
}
