//! The future that sends: it waits in the mailbox's own order, its item with it.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Closed, Sender, Waiting, wake};

/// An item on its way into a mailbox, by [`Sender::send`] or [`Sender::send_owned`].
#[must_use = "futures do nothing unless polled"]
pub struct Sending<S: Borrow<Sender<T>>, T> {
    sender: S,
    place: Place<T>,
}

enum Place<T> {
    Unsent(T),
    /// The item waits in the mailbox, under this ticket.
    Waiting(u64),
    Done,
}

impl<S: Borrow<Sender<T>>, T> Sending<S, T> {
    pub(super) fn new(sender: S, value: T) -> Self {
        Self {
            sender,
            place: Place::Unsent(value),
        }
    }
}

/// Nothing in it is pinned.
impl<S: Borrow<Sender<T>>, T> Unpin for Sending<S, T> {}

impl<S: Borrow<Sender<T>>, T> Future for Sending<S, T> {
    type Output = Result<(), Closed<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let shared = &this.sender.borrow().0;
        match std::mem::replace(&mut this.place, Place::Done) {
            Place::Unsent(value) => {
                let mut queue = shared.queue.lock();
                if !queue.open {
                    return Poll::Ready(Err(Closed(value)));
                }
                if shared.has_room(&mut queue) {
                    let receiver = queue.put(value, true);
                    drop(queue);
                    wake(receiver);
                    return Poll::Ready(Ok(()));
                }
                let ticket = queue.next_ticket;
                queue.next_ticket += 1;
                queue.waiting.push_back(Waiting {
                    ticket,
                    value,
                    waker: cx.waker().clone(),
                });
                shared.batch.lock().promote_after(queue.step());
                drop(queue);
                this.place = Place::Waiting(ticket);
                Poll::Pending
            }
            Place::Waiting(ticket) => {
                let mut queue = shared.queue.lock();
                let Some(found) = queue.find(ticket) else {
                    return Poll::Ready(Ok(()));
                };
                if !queue.open {
                    let refused = queue.waiting.remove(found);
                    drop(queue);
                    return Poll::Ready(refused.map_or(Ok(()), |it| Err(Closed(it.value))));
                }
                let old = queue.waiting.get_mut(found).and_then(|waiting| {
                    let same = waiting.waker.will_wake(cx.waker());
                    let waker = &mut waiting.waker;
                    (!same).then(|| std::mem::replace(waker, cx.waker().clone()))
                });
                drop(queue);
                drop(old);
                this.place = Place::Waiting(ticket);
                Poll::Pending
            }
            Place::Done => Poll::Ready(Ok(())),
        }
    }
}

impl<S: Borrow<Sender<T>>, T> Drop for Sending<S, T> {
    fn drop(&mut self) {
        if let Place::Waiting(ticket) = self.place {
            let mut queue = self.sender.borrow().0.queue.lock();
            let back = queue
                .find(ticket)
                .and_then(|found| queue.waiting.remove(found));
            drop(queue);
            drop(back);
        }
    }
}

impl<S: Borrow<Sender<T>>, T> fmt::Debug for Sending<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}
