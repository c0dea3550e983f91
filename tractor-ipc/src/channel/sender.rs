//! The sending end of a link, as everybody who sends holds it.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::shared::Shared;
use super::{Lane, LinkStatistics};
use crate::error::{LinkDown, PushError};
use crate::id::Cid;
use crate::msg::Msg;

/// Queues messages on a link. Never blocks; a clone costs one count. The link is closed when the last one is dropped.
#[derive(Clone, Debug)]
pub struct LinkSender {
    owned: Arc<Owned>,
}

/// Closes the link when the last sender is gone.
#[derive(Debug)]
struct Owned {
    shared: Arc<Shared>,
}

impl LinkSender {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let owned = Arc::new(Owned { shared });
        Self { owned }
    }

    /// Queues a message and has it written soon. Bounded by what its callers do: wait for
    /// [`poll_room`](Self::poll_room) before data, and send control only as often as the protocol allows.
    ///
    /// # Errors
    ///
    /// [`PushError`]; nothing is queued then.
    pub fn push(&self, lane: Lane, msg: &Msg, payload: &[u8]) -> Result<(), PushError> {
        self.owned.shared.push(lane, msg, payload)
    }

    /// Takes the `Start` of a dialog back. True: it will never be sent. False: it has been taken for writing, or never
    /// was here; a `Cancel` sent now travels behind it.
    pub fn retract(&self, cid: Cid) -> bool {
        self.owned.shared.retract(cid)
    }

    /// Ready while there is room for data. Any number of tasks may wait; all are woken when there is room again, in
    /// the order they came.
    ///
    /// # Errors
    ///
    /// [`LinkDown`] once nothing can be sent any more.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<(), LinkDown>> {
        self.owned.shared.poll_room(cx)
    }

    /// Why nothing can be sent any more, if so.
    pub fn is_down(&self) -> Option<LinkDown> {
        self.owned.shared.down()
    }

    /// Takes no more messages, writes what is queued, then shuts the writing side down: the other end reads an end of
    /// stream. What comes is still received.
    pub fn close(&self) {
        self.owned.shared.close();
    }

    /// Drops what is queued and ends both directions at once: flusher, receiver and all who wait get this cause.
    pub fn abort(&self, cause: LinkDown) {
        self.owned.shared.abort(cause);
    }

    /// What has been sent so far.
    pub fn statistics(&self) -> LinkStatistics {
        self.owned.shared.statistics()
    }

    /// Changes the limit for the messages queued from now on.
    pub fn set_message_max(&self, message_max: usize) {
        self.owned.shared.set_message_max(message_max);
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.shared.close();
    }
}
