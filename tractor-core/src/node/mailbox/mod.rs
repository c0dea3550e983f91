//! An actor's own queue: bounded, many senders, one receiver, in order of arrival.
//!
//! The receiver swaps the whole queue out as a *batch* and takes from that, so that senders and receiver meet on the
//! queue's lock once a batch and not once a message. Nothing is allocated before the first message.
//!
//! ```text
//! try_send, Sending ─▶ queue ──swap──▶ batch ─▶ recv
//! Sending, full     ─▶ waiting ─▲ promoted when there is room
//! ```
//!
//! # Invariants
//!
//! - MBX-1: Items are received in the order of their places. A sender that waits has its place, and its item lies in
//!   it, from its first poll on; while one waits, [`Sender::try_send`] says `Full`.
//! - MBX-2: Queue and batch together hold at most `capacity` items that came in by the bounded ways.
//! - MBX-3: A sender waits only while less than a quarter is free, and a receiver only while nothing is there.
//! - MBX-4: Each item is received, removed, given back, or dropped with the receiver: once, and one of these.
//! - MBX-5: Closing refuses what has no place in the queue yet, waiting senders included, and keeps what has one.
//! - MBX-6: A receiver that never has to wait gives way to the other tasks of its thread now and then.
//!
//! # Locks
//!
//! The queue's, then the batch's: never the other way round. No waker is woken and no item dropped under either.

mod sending;

#[cfg(all(test, tractor_loom))]
mod models;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};

pub use sending::Sending;

/// The end that sends. Clones send to the same mailbox.
pub struct Sender<T>(Arc<Shared<T>>);

/// The end that receives.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// At least as many items as the batch still holds: it saves looking into an empty one.
    left: usize,
    /// Items received by [`Receiver::poll_recv`] since it last had to wait.
    streak: u32,
}

/// Why [`Sender::try_send`] did not take an item, which is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrySendError<T> {
    /// There is no room.
    #[error("the mailbox is full")]
    Full(T),
    /// No new item is taken any more.
    #[error("the mailbox is closed")]
    Closed(T),
}

/// No new item is taken any more; this one is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mailbox is closed")]
pub struct Closed<T>(pub T);

/// Why [`Receiver::try_recv`] has nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TryRecvError {
    /// Nothing is there now.
    #[error("the mailbox is empty")]
    Empty,
    /// Nothing is there and nothing will come.
    #[error("the mailbox is empty and closed")]
    Closed,
}

struct Shared<T> {
    queue: Mutex<Queue<T>>,
    batch: Mutex<Batch<T>>,
    senders: AtomicUsize,
}

struct Queue<T> {
    items: VecDeque<Item<T>>,
    /// How many of `items` are bounded.
    bounded: usize,
    /// At least as many bounded items as the batch still holds: exact when it was swapped, then lagging behind.
    taken: usize,
    waiting: VecDeque<Waiting<T>>,
    next_ticket: u64,
    receiver: Option<Waker>,
    capacity: usize,
    open: bool,
}

struct Batch<T> {
    items: VecDeque<Item<T>>,
    /// How many of `items` are bounded.
    bounded: usize,
    /// Senders wait: let some in once `bounded` is down to this.
    promote_at: Option<usize>,
}

struct Item<T> {
    value: T,
    bounded: bool,
}

struct Waiting<T> {
    ticket: u64,
    value: T,
    waker: Waker,
}

/// A mailbox with room for `capacity` items, at least one.
pub fn mailbox<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        queue: Mutex::new(Queue {
            items: VecDeque::new(),
            bounded: 0,
            taken: 0,
            waiting: VecDeque::new(),
            next_ticket: 0,
            receiver: None,
            capacity: capacity.max(1),
            open: true,
        }),
        batch: Mutex::new(Batch {
            items: VecDeque::new(),
            bounded: 0,
            promote_at: None,
        }),
        senders: AtomicUsize::new(1),
    });
    (
        Sender(shared.clone()),
        Receiver {
            shared,
            left: 0,
            streak: 0,
        },
    )
}

impl<T> Sender<T> {
    /// Sends if there is room now and nobody waits for it.
    ///
    /// # Errors
    ///
    /// There is no room, or the mailbox is closed; the item is given back.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let receiver = {
            let mut queue = self.0.queue.lock();
            if !queue.open {
                return Err(TrySendError::Closed(value));
            }
            if !self.0.has_room(&mut queue) {
                return Err(TrySendError::Full(value));
            }
            queue.put(value, true)
        };
        wake(receiver);
        Ok(())
    }

    /// Sends without regard to the bound, for items that another bound holds already (a link's request window). Such an
    /// item takes no room and passes senders that wait.
    ///
    /// # Errors
    ///
    /// The mailbox is closed; the item is given back.
    pub fn push_unbounded(&self, value: T) -> Result<(), Closed<T>> {
        let receiver = {
            let mut queue = self.0.queue.lock();
            if !queue.open {
                return Err(Closed(value));
            }
            queue.put(value, false)
        };
        wake(receiver);
        Ok(())
    }

    /// Sends, waiting for room.
    ///
    /// # Cancel safety
    ///
    /// Dropping it before it ends takes the item back: it will not be received.
    pub fn send(&self, value: T) -> Sending<&Self, T> {
        Sending::new(self, value)
    }

    /// As [`Sender::send`], for a future that lives on its own.
    pub fn send_owned(self, value: T) -> Sending<Self, T> {
        Sending::new(self, value)
    }

    /// Takes the first item out for which `is_it` says so, if it was not received yet. Items of senders that wait are
    /// theirs alone. `is_it` must not touch the mailbox.
    pub fn remove(&self, mut is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let mut queue = self.0.queue.lock();
        let mut batch = self.0.batch.lock();
        let item = match batch.items.iter().position(|item| is_it(&item.value)) {
            Some(found) => {
                let item = batch.items.remove(found)?;
                batch.bounded -= usize::from(item.bounded);
                item
            }
            None => {
                let found = queue.items.iter().position(|item| is_it(&item.value))?;
                let item = queue.items.remove(found)?;
                queue.bounded -= usize::from(item.bounded);
                item
            }
        };
        let senders = promote(&mut queue, &mut batch);
        drop(batch);
        drop(queue);
        senders.into_iter().for_each(Waker::wake);
        Some(item.value)
    }

    /// Takes no new item from now on; what is queued stays to be received.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether no new item is taken.
    pub fn is_closed(&self) -> bool {
        !self.0.queue.lock().open
    }

    /// Items not yet received, without those of senders that wait.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every item was received.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `other` sends to the same mailbox.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.close();
        }
    }
}

impl<T> Receiver<T> {
    /// The next item; none once the mailbox is closed, or every sender gone, and all was received.
    ///
    /// # Cancel safety
    ///
    /// Dropping it loses nothing.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`Receiver::recv`].
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.streak >= STREAK_MAX {
            self.streak = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.take(Some(cx.waker())) {
            Ok(value) => {
                self.streak += 1;
                Poll::Ready(Some(value))
            }
            Err(TryRecvError::Empty) => {
                self.streak = 0;
                Poll::Pending
            }
            Err(TryRecvError::Closed) => Poll::Ready(None),
        }
    }

    /// The next item, if it is there.
    ///
    /// # Errors
    ///
    /// Nothing is there: now, or for good.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.take(None)
    }

    /// Takes no new item from now on; what is queued stays to be received.
    pub fn close(&mut self) {
        self.shared.close();
    }

    /// Items not yet received, without those of senders that wait.
    pub fn len(&self) -> usize {
        self.shared.len()
    }

    /// Whether every item was received.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next item, from the batch or else from the queue. If there is none, has `waker` woken when there is.
    fn take(&mut self, waker: Option<&Waker>) -> Result<T, TryRecvError> {
        let shared = &*self.shared;
        if self.left > 0 {
            let (value, due) = {
                let mut batch = shared.batch.lock();
                (batch.pop(), batch.promotion_is_due())
            };
            match value {
                Some(value) => {
                    self.left -= 1;
                    if due {
                        shared.promote();
                    }
                    return Ok(value);
                }
                None => self.left = 0,
            }
        }
        let mut queue = shared.queue.lock();
        if queue.items.is_empty() {
            // Nobody waits either: whoever did was let in with the last batch.
            if !queue.open {
                return Err(TryRecvError::Closed);
            }
            let old = waker.and_then(|waker| place(&mut queue.receiver, waker));
            drop(queue);
            drop(old);
            return Err(TryRecvError::Empty);
        }
        if queue.items.len() == 1 && queue.waiting.is_empty() {
            // A lone item is not worth a batch.
            let item = queue.items.pop_front();
            queue.bounded = 0;
            queue.taken = 0;
            return item.map(|item| item.value).ok_or(TryRecvError::Empty);
        }
        let (value, senders) = {
            let mut batch = shared.batch.lock();
            let mut senders = promote(&mut queue, &mut batch);
            swap(&mut queue, &mut batch);
            let value = batch.pop();
            self.left = batch.items.len();
            if batch.promotion_is_due() {
                senders.extend(promote(&mut queue, &mut batch));
            }
            (value, senders)
        };
        drop(queue);
        senders.into_iter().for_each(Waker::wake);
        value.ok_or(TryRecvError::Empty)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.close();
        let queued = std::mem::take(&mut self.shared.queue.lock().items);
        let taken = std::mem::take(&mut self.shared.batch.lock().items);
        drop(taken);
        drop(queued);
    }
}

impl<T> Shared<T> {
    /// Whether a bounded item may come in now. Looks into the batch only when the queue's own count cannot tell.
    fn has_room(&self, queue: &mut Queue<T>) -> bool {
        if !queue.waiting.is_empty() {
            return false;
        }
        if queue.bounded + queue.taken >= queue.capacity {
            queue.taken = self.batch.lock().bounded;
        }
        queue.bounded + queue.taken < queue.capacity
    }

    /// Lets senders in as far as there is room.
    fn promote(&self) {
        let senders = {
            let mut queue = self.queue.lock();
            let mut batch = self.batch.lock();
            promote(&mut queue, &mut batch)
        };
        senders.into_iter().for_each(Waker::wake);
    }

    fn close(&self) {
        let (receiver, senders) = {
            let mut queue = self.queue.lock();
            queue.open = false;
            let senders: Vec<Waker> = queue.waiting.iter().map(|it| it.waker.clone()).collect();
            (queue.receiver.take(), senders)
        };
        wake(receiver);
        senders.into_iter().for_each(Waker::wake);
    }

    fn len(&self) -> usize {
        let queue = self.queue.lock();
        let batch = self.batch.lock();
        queue.items.len() + batch.items.len()
    }
}

impl<T> Queue<T> {
    /// Puts an item at the end; whoever receives is to be woken.
    fn put(&mut self, value: T, bounded: bool) -> Option<Waker> {
        self.items.push_back(Item { value, bounded });
        self.bounded += usize::from(bounded);
        self.receiver.take()
    }

    /// Tickets rise along the queue of those that wait.
    fn find(&self, ticket: u64) -> Option<usize> {
        self.waiting
            .binary_search_by_key(&ticket, |waiting| waiting.ticket)
            .ok()
    }

    /// Places that must be free before senders that wait are woken.
    fn step(&self) -> usize {
        (self.capacity / PROMOTE_PARTS).max(1)
    }
}

impl<T> Batch<T> {
    fn pop(&mut self) -> Option<T> {
        let item = self.items.pop_front()?;
        self.bounded -= usize::from(item.bounded);
        Some(item.value)
    }

    /// Whether senders wait that are to be let in now.
    fn promotion_is_due(&self) -> bool {
        self.promote_at.is_some_and(|at| self.bounded <= at)
    }

    /// A sender has begun to wait: let it in after `step` more items, unless that is settled already.
    fn promote_after(&mut self, step: usize) {
        self.promote_at
            .get_or_insert_with(|| self.bounded.saturating_sub(step));
    }
}

/// Lets senders in as far as there is room, in order, and gives back whom to wake.
fn promote<T>(queue: &mut Queue<T>, batch: &mut Batch<T>) -> Vec<Waker> {
    batch.promote_at = None;
    if !queue.open || queue.waiting.is_empty() {
        return Vec::new();
    }
    let room = queue.capacity.saturating_sub(queue.bounded + batch.bounded);
    let let_in = room.min(queue.waiting.len());
    let mut woken = Vec::with_capacity(let_in);
    for Waiting { value, waker, .. } in queue.waiting.drain(..let_in) {
        queue.items.push_back(Item {
            value,
            bounded: true,
        });
        woken.push(waker);
    }
    queue.bounded += let_in;
    if !queue.waiting.is_empty() {
        batch.promote_after(queue.step());
    }
    woken
}

/// Makes the queue the next batch; the last one is used up.
fn swap<T>(queue: &mut Queue<T>, batch: &mut Batch<T>) {
    std::mem::swap(&mut queue.items, &mut batch.items);
    batch.bounded = std::mem::take(&mut queue.bounded);
    queue.taken = batch.bounded;
    if !queue.waiting.is_empty() {
        batch.promote_at = None;
        batch.promote_after(queue.step());
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

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A sender that waits is let in when a quarter of the mailbox is free, not at every item: one wake for many.
const PROMOTE_PARTS: usize = 4;

/// Items received in a row before the receiver gives way: as many as tokio lets a task have (its budget is 128).
const STREAK_MAX: u32 = 128;
