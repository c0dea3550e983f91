//! The sending end of a link, as everybody who sends holds it.

use std::pin::Pin;
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
    /// [`room`](Self::room) before data, and send control only as often as the protocol allows.
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

    /// Waits for room for data. Any number may wait; all are woken when there is room again, first come first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe; nothing is reserved.
    pub fn room(&self) -> Room<'_> {
        Room {
            sender: self,
            ticket: None,
        }
    }

    /// Whether there may be no room for data: a glance, to be followed by a wait that looks closely.
    pub fn is_crowded(&self) -> bool {
        self.owned.shared.is_crowded()
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

/// Waits until there is room for data on a link; see [`LinkSender::room`].
#[derive(Debug)]
#[must_use = "nothing waits before it is polled"]
pub struct Room<'a> {
    sender: &'a LinkSender,
    ticket: Option<u64>,
}

impl Future for Room<'_> {
    type Output = Result<(), LinkDown>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let sender = self.sender;
        sender.owned.shared.poll_room(&mut self.ticket, cx)
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.sender.owned.shared.drop_ticket(ticket);
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.shared.close();
    }
}
