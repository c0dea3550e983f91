//! What an actor of this process still owes its callers.
//!
//! An actor that ends drops its replies, and its callers see that. One that is *given up* while it still runs (a thread
//! that never returns) holds them for ever: so every call it has taken is entered here, and giving the actor up
//! answers them all with the cause.
//!
//! # Invariants
//!
//! - INF-1: After [`Inflight::abandon`] no entry is left and none is taken in: each was answered with the same cause.
//!
//! Bounded by the calls of one actor that wait or run: its mailbox and its handlers. Replies are answered outside the
//! lock.

use std::fmt;
use std::sync::Arc;

use crate::scope::slots::{Key, Slots};
use crate::sync::Mutex;

/// A reply that can be answered by somebody else, with a cause.
pub trait Owed<C>: Send + Sync {
    /// Answers, unless somebody has; says whether it did.
    fn settle(&self, cause: C) -> bool;
}

/// The table of one actor.
pub struct Inflight<C>(Mutex<Table<C>>);

/// One entry, to be given back when its call is over.
#[derive(Debug)]
#[must_use = "an entry stays until it is released"]
pub struct Entry(Key);

enum Table<C> {
    Open(Slots<Arc<dyn Owed<C>>>),
    Abandoned(C),
}

impl<C: Clone> Inflight<C> {
    /// An empty table.
    pub fn new() -> Self {
        Self(Mutex::new(Table::Open(Slots::new())))
    }

    /// Enters a reply.
    ///
    /// # Errors
    ///
    /// The actor was given up, with this cause.
    pub fn register(&self, owed: Arc<dyn Owed<C>>) -> Result<Entry, C> {
        match &mut *self.0.lock() {
            Table::Open(entries) => Ok(Entry(entries.insert(owed))),
            Table::Abandoned(cause) => Err(cause.clone()),
        }
    }

    /// Takes an entry out: its call was answered, or is waited for no more.
    pub fn release(&self, entry: Entry) {
        let owed = match &mut *self.0.lock() {
            Table::Open(entries) => entries.remove(entry.0),
            Table::Abandoned(_) => None,
        };
        drop(owed);
    }

    /// Answers everything still owed with `cause`, and all that would be entered later. Says how many it answered; a
    /// second time, none.
    pub fn abandon(&self, cause: C) -> usize {
        let entries = {
            let mut table = self.0.lock();
            match &*table {
                Table::Abandoned(_) => return 0,
                Table::Open(_) => std::mem::replace(&mut *table, Table::Abandoned(cause.clone())),
            }
        };
        match entries {
            Table::Open(entries) => entries
                .values()
                .filter(|owed| owed.settle(cause.clone()))
                .count(),
            Table::Abandoned(_) => 0,
        }
    }

    /// Calls still owed an answer.
    pub fn len(&self) -> usize {
        match &*self.0.lock() {
            Table::Open(entries) => entries.len(),
            Table::Abandoned(_) => 0,
        }
    }

    /// Whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<C: Clone> Default for Inflight<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> fmt::Debug for Inflight<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflight").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::reply::{ReplyDropped, ReplyReceiver, ReplySender, slot};

    #[derive(Clone, Debug, PartialEq)]
    struct Lost(&'static str);

    type Answer = Result<u32, Lost>;

    impl From<Lost> for Answer {
        fn from(lost: Lost) -> Self {
            Err(lost)
        }
    }

    fn call(table: &Inflight<Lost>) -> (ReplySender<Answer>, ReplyReceiver<Answer>, Entry) {
        let (sender, receiver) = slot();
        let entry = table.register(sender.owed()).unwrap();
        (sender, receiver, entry)
    }

    /// `INF-1`.
    #[test]
    fn giving_an_actor_up_answers_every_call_it_owes_and_no_other() {
        let table = Inflight::new();
        let (answered, mut first, entry) = call(&table);
        assert_eq!(answered.send(Ok(1)), Ok(()));
        table.release(entry);
        let (kept, mut second, _entry) = call(&table);
        let (gone, mut third, _entry) = call(&table);
        drop(gone);
        assert_eq!(table.len(), 2);

        assert_eq!(table.abandon(Lost("stuck")), 1);
        assert_eq!(table.len(), 0);
        assert_eq!(first.try_recv(), Some(Ok(Ok(1))));
        assert_eq!(second.try_recv(), Some(Ok(Err(Lost("stuck")))));
        assert_eq!(third.try_recv(), Some(Err(ReplyDropped)));
        assert_eq!(
            kept.send(Ok(2)),
            Err(Ok(2)),
            "the late answer is given back"
        );

        let (late, _receiver) = slot::<Answer>();
        assert_eq!(table.register(late.owed()).unwrap_err(), Lost("stuck"));
        assert_eq!(table.abandon(Lost("again")), 0);
    }

    #[test]
    fn places_are_used_again_and_a_released_call_is_not_answered() {
        let table = Inflight::<Lost>::new();
        for _ in 0..1000 {
            let (sender, _receiver, entry) = call(&table);
            table.release(entry);
            drop(sender);
        }
        assert!(table.is_empty());
        let (_sender, mut receiver, entry) = call(&table);
        table.release(entry);
        assert_eq!(table.abandon(Lost("stuck")), 0);
        assert_eq!(receiver.try_recv(), None);
    }
}
