//! The way from a context, which lives for hours, to the state, which it must not borrow.

use std::fmt;
use std::sync::Arc;

use super::cell::ActorCell;
use super::letter::Letter;
use super::portal::chain_error;
use super::{Actor, Portal, SharedActor};
use crate::error::CallError;
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::message::Never;
use crate::node::reply::{self, ReplySender};
use crate::node::{Ambient, answer_after_unwinding};
use tractor_ipc::ActorId;

/// The actor itself, as one of its contexts holds it.
pub struct Me<A: Actor> {
    cell: Arc<ActorCell<A>>,
}

impl<A: Actor> Me<A> {
    pub(crate) fn new(cell: Arc<ActorCell<A>>) -> Self {
        Self { cell }
    }

    /// Who it is.
    pub fn id(&self) -> &ActorId {
        self.cell.hosted().id()
    }

    /// Runs `change` on the state, alone, when its turn has come: it takes its place in arrival order when this is
    /// first polled.
    ///
    /// # Errors
    ///
    /// [`CallError::Deadlock`] if a `&mut self` method of the actor awaits this, [`CallError::Stopping`] if the actor takes
    /// no more, [`CallError::Lost`] if it ended before, and
    /// [`CallError::Panicked`] if `change` did, by which the actor ends.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, `change` may still run.
    pub async fn with<R: Send + 'static>(
        &self,
        change: impl FnOnce(&mut A) -> R + Send + 'static,
    ) -> Result<R, CallError<Never>> {
        if let Some(ambient) = Ambient::current() {
            ambient.check_chain(self.id()).map_err(chain_error)?;
        }
        let (sender, receiver) = reply::slot();
        let asked = Asked(Some(sender));
        let letter = Letter::With(Box::new(move |state: &mut A| {
            asked.answer(|| change(state));
        }));
        if self.cell.mailbox().send(letter).await.is_err() {
            return Err(CallError::Stopping(self.gone(RemoteErrorKind::Stopping)));
        }
        match receiver.await {
            Ok(answer) => answer.map_err(CallError::Panicked),
            Err(_) => Err(CallError::Lost(self.gone(RemoteErrorKind::Lost))),
        }
    }

    /// A portal to the actor itself, for its ordinary methods.
    pub fn portal(&self) -> A::Portal {
        Portal::local(self.cell.clone()).into()
    }

    /// The state, of an actor that only has `&self` methods.
    ///
    /// # Panics
    ///
    /// If the actor has others: the macro lets only contexts of such actors ask.
    pub fn shared(&self) -> Arc<A>
    where
        A: SharedActor,
    {
        self.cell
            .shared()
            .expect("an actor of `&self` methods shares its state while it serves")
    }

    fn gone(&self, kind: RemoteErrorKind) -> RemoteError {
        RemoteError::new(kind, self.id().clone(), "the actor has stopped")
    }
}

/// Whoever asked for a change of the state, until it has been made; a panic in it is told too.
struct Asked<R: 'static>(Option<ReplySender<Result<R, RemoteError>>>);

impl<R: 'static> Asked<R> {
    fn answer(mut self, change: impl FnOnce() -> R) {
        let result = change();
        if let Some(sender) = self.0.take() {
            // Whoever asked may have left; the change counts all the same.
            let _left = sender.send(Ok(result));
        }
    }
}

impl<R: 'static> Drop for Asked<R> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(sender) = self.0.take()
        {
            answer_after_unwinding(move |error| {
                let _left = sender.send(Err(error.clone()));
            });
        }
    }
}

impl<A: Actor> Clone for Me<A> {
    fn clone(&self) -> Self {
        Self {
            cell: self.cell.clone(),
        }
    }
}

impl<A: Actor> fmt::Debug for Me<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Me({})", self.id())
    }
}
