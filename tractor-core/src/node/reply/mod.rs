//! The reply slot of one call: one value, one way, one allocation.
//!
//! Either end may go first. A receiver that goes *abandons* the slot, which the sender can watch for, so that work
//! nobody waits for ends; a sender that goes unsent is an answer too. A third hand may answer for the sender
//! ([`ReplySender::owed`]): the table of what an actor still owes, when the actor is given up.
//!
//! # Invariants
//!
//! - RPL-1: The slot is answered once: of a value, a dropped sender and an answer by the table, the first stands.
//! - RPL-2: A value that was sent is received, or was given back to whoever sent it, or is dropped with the receiver.
//! - RPL-3: Nobody waits on a slot whose other end is gone: each end registers and asks under one lock.
//!
//! No waker is woken and no value dropped under the lock.

#[cfg(all(test, tractor_loom))]
mod models;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::inflight::Owed;
use crate::sync::Mutex;

/// The end that answers.
#[must_use = "a sender that is dropped answers with `ReplyDropped`"]
pub struct ReplySender<T>(Option<Arc<Slot<T>>>);

/// The end that waits. It is a future.
#[must_use = "a receiver that is dropped abandons the call"]
pub struct ReplyReceiver<T>(Option<Arc<Slot<T>>>);

/// The other end went without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply's sender was dropped without an answer")]
pub struct ReplyDropped;

struct Slot<T>(Mutex<Phase<T>>);

enum Phase<T> {
    /// Nothing yet; each end may wait for the other.
    Open {
        receiver: Option<Waker>,
        sender: Option<Waker>,
    },
    /// Answered, not yet received.
    Answered(T),
    /// The sender went without an answer.
    Dropped,
    /// The receiver went first, or has had its answer.
    Over,
}

/// A slot for one reply.
pub fn slot<T>() -> (ReplySender<T>, ReplyReceiver<T>) {
    let slot = Arc::new(Slot(Mutex::new(Phase::Open {
        receiver: None,
        sender: None,
    })));
    (ReplySender(Some(slot.clone())), ReplyReceiver(Some(slot)))
}

impl<T> ReplySender<T> {
    /// Answers.
    ///
    /// # Errors
    ///
    /// Nobody waits any more, or somebody answered before; the value is given back.
    pub fn send(mut self, value: T) -> Result<(), T> {
        // Taken out, so that the drop of `self` has nothing left to lock.
        match self.0.take() {
            Some(slot) => slot.answer(value),
            None => Err(value),
        }
    }

    /// Whether nobody waits for an answer any more.
    pub fn is_abandoned(&self) -> bool {
        !matches!(&*self.slot().0.lock(), Phase::Open { .. })
    }

    /// Ready once nobody waits for an answer any more.
    pub fn poll_abandoned(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut phase = self.slot().0.lock();
        match &mut *phase {
            Phase::Open { sender, .. } => {
                let old = place(sender, cx.waker());
                drop(phase);
                drop(old);
                Poll::Pending
            }
            Phase::Answered(_) | Phase::Dropped | Phase::Over => Poll::Ready(()),
        }
    }

    /// Ends once nobody waits for an answer any more.
    ///
    /// # Cancel safety
    ///
    /// Dropping it forgets the wait.
    pub async fn abandoned(&mut self) {
        std::future::poll_fn(|cx| self.poll_abandoned(cx)).await;
    }

    fn slot(&self) -> &Arc<Slot<T>> {
        self.0
            .as_ref()
            .expect("only `send` takes the slot out, and it takes the sender with it")
    }
}

impl<T: Send + 'static> ReplySender<T> {
    /// A second way to answer, for the table of what an actor owes.
    pub fn owed<C>(&self) -> Arc<dyn Owed<C>>
    where
        T: From<C>,
    {
        self.slot().clone()
    }
}

impl<T> Drop for ReplySender<T> {
    fn drop(&mut self) {
        let Some(slot) = &self.0 else { return };
        let mut phase = slot.0.lock();
        if !matches!(&*phase, Phase::Open { .. }) {
            return;
        }
        let open = std::mem::replace(&mut *phase, Phase::Dropped);
        drop(phase);
        if let Phase::Open { receiver, .. } = open {
            wake(receiver);
        }
    }
}

impl<T> ReplyReceiver<T> {
    /// The answer, if it is there: the value, or that the sender has gone. A second time the latter.
    pub fn try_recv(&mut self) -> Option<Result<T, ReplyDropped>> {
        self.take(None)
    }

    /// As [`ReplyReceiver::try_recv`]; if it is not there, has `waker` woken when it is.
    fn take(&mut self, waker: Option<&Waker>) -> Option<Result<T, ReplyDropped>> {
        let Some(slot) = &self.0 else {
            return Some(Err(ReplyDropped));
        };
        let mut phase = slot.0.lock();
        if let Phase::Open { receiver, .. } = &mut *phase {
            let old = waker.and_then(|waker| place(receiver, waker));
            drop(phase);
            drop(old);
            return None;
        }
        let ended = std::mem::replace(&mut *phase, Phase::Over);
        drop(phase);
        self.0 = None;
        Some(match ended {
            Phase::Answered(value) => Ok(value),
            Phase::Open { .. } | Phase::Dropped | Phase::Over => Err(ReplyDropped),
        })
    }
}

impl<T> Future for ReplyReceiver<T> {
    type Output = Result<T, ReplyDropped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.take(Some(cx.waker()))
            .map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T> Drop for ReplyReceiver<T> {
    fn drop(&mut self) {
        let Some(slot) = &self.0 else { return };
        let old = std::mem::replace(&mut *slot.0.lock(), Phase::Over);
        if let Phase::Open { sender, .. } = old {
            wake(sender);
        }
    }
}

impl<T> Slot<T> {
    fn answer(&self, value: T) -> Result<(), T> {
        let old = {
            let mut phase = self.0.lock();
            match &*phase {
                Phase::Open { .. } => std::mem::replace(&mut *phase, Phase::Answered(value)),
                Phase::Answered(_) | Phase::Dropped | Phase::Over => return Err(value),
            }
        };
        if let Phase::Open { receiver, sender } = old {
            wake(receiver);
            wake(sender);
        }
        Ok(())
    }
}

impl<T: Send + From<C>, C> Owed<C> for Slot<T> {
    fn settle(&self, cause: C) -> bool {
        self.answer(T::from(cause)).is_ok()
    }
}

/// Puts `waker` into its place and gives back another one that stood there.
fn place(place: &mut Option<Waker>, waker: &Waker) -> Option<Waker> {
    match place {
        Some(known) if known.will_wake(waker) => None,
        Some(_) | None => place.replace(waker.clone()),
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl<T> fmt::Debug for ReplySender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplySender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ReplyReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyReceiver").finish_non_exhaustive()
    }
}
