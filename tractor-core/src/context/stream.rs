//! The flow of values inside a context, the same on both sides.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context as Cx, Poll};

use bytes::Bytes;
use tractor_ipc::Cid;

use super::Dialog;
use crate::error::{RecvError, Result, SendError};
use crate::fault::RemoteErrorKind;
use crate::message::{AnyError, Message};
use crate::node::{Peer, decode, encode_into};
use crate::proto::{Recv, SendPlace};
use crate::scope::{Checkpoint, checkpoint};

/// The stream of a context: receives `In`, sends `Out`. `C` is the handle of the side that holds it.
///
/// Values of one direction arrive in the order they were sent. A writer waits while the reader's window is used up.
/// Dropping it ends this side's direction, unless its context is being cancelled or panics, of which the reader is told
/// instead; what the far side still sends is discarded.
pub struct MsgStream<In, Out, C> {
    handle: C,
    dialog: Arc<Dialog>,
    /// The value that is being sent; the buffer is kept for the next one.
    encoded: Vec<u8>,
    items: PhantomData<fn(Out) -> In>,
}

impl<In, Out, C> MsgStream<In, Out, C> {
    pub(super) fn new(handle: C, dialog: Arc<Dialog>) -> Self {
        Self {
            handle,
            dialog,
            encoded: Vec::new(),
            items: PhantomData,
        }
    }

    /// The context's handle: to cancel it, and on the caller's side to wait for its result.
    pub fn ctx(&self) -> &C {
        &self.handle
    }

    /// Ends this side's direction: the far side's `next` gives `None` once it has read what was sent. Receiving goes on.
    pub fn stop(&mut self) {
        self.dialog.peer().stop(self.dialog.cid());
    }
}

impl<In: Message, Out: Message, C> MsgStream<In, Out, C> {
    /// The next value; `None` once the far side has ended its direction and all it sent was read.
    ///
    /// # Errors
    ///
    /// [`Error::Recv`](crate::error::Error::Recv): the far side failed, was cancelled, or went away.
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped wait loses no value.
    pub async fn next(&mut self) -> Result<Option<In>> {
        let bytes = poll_fn(|cx| self.poll_next_bytes(cx)).await?;
        let Some(bytes) = bytes else { return Ok(None) };
        let actor = self.dialog.peer().id();
        match decode::<In>(&bytes, "a streamed value", actor) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(RecvError::MsgType(AnyError::of(&error)).into()),
        }
    }

    fn poll_next_bytes(&self, cx: &Cx<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        match checkpoint() {
            Checkpoint::Clear => {}
            Checkpoint::Unwinding => return Poll::Pending,
            Checkpoint::Cancelled(cancel) => return Poll::Ready(Err(RecvError::Cancelled(cancel))),
        }
        let (peer, cid) = (self.dialog.peer(), self.dialog.cid());
        match std::task::ready!(peer.poll_recv(cid, cx)) {
            Recv::Value(bytes) => Poll::Ready(Ok(Some(bytes))),
            Recv::Stopped => Poll::Ready(Ok(None)),
            Recv::Empty => Poll::Pending,
            Recv::Ended => Poll::Ready(self.end_of_dialog()),
        }
    }

    /// What the end of the whole dialog means to its reader.
    fn end_of_dialog(&self) -> Result<Option<Bytes>, RecvError> {
        let Some(error) = self.dialog.failure() else {
            return Ok(None);
        };
        Err(match error.kind() {
            RemoteErrorKind::Cancelled { .. } => match self.dialog.cancellation_in(&error) {
                Some(cancel) => RecvError::Cancelled(cancel),
                None => RecvError::Failed(error),
            },
            RemoteErrorKind::Lost
            | RemoteErrorKind::Exited { .. }
            | RemoteErrorKind::Killed { .. } => RecvError::Lost(error),
            _ => RecvError::Failed(error),
        })
    }

    /// Sends a value, waiting while the reader's window is used up. The value is encoded at once.
    ///
    /// # Errors
    ///
    /// [`Error::Send`](crate::error::Error::Send): the reader has ended, failed or gone away, or the value is too large.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, the value is not sent. It is sent whole or not at all.
    pub async fn send(&mut self, value: Out) -> Result<()> {
        self.encode(&value)?;
        let (peer, cid) = (self.dialog.peer(), self.dialog.cid());
        let mut room = peer.room();
        let place = poll_fn(|cx| match checkpoint() {
            Checkpoint::Clear => peer.poll_send(cid, &self.encoded, &mut room, cx).map(Ok),
            Checkpoint::Unwinding => Poll::Pending,
            Checkpoint::Cancelled(cancel) => Poll::Ready(Err(SendError::Cancelled(cancel))),
        });
        Ok(self.placed(place.await?)?)
    }

    /// Sends a value if the reader has room for it now.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] if it has not; otherwise as [`send`](Self::send).
    pub fn try_send(&mut self, value: Out) -> Result<(), SendError> {
        self.encode(&value)?;
        let (peer, cid) = (self.dialog.peer(), self.dialog.cid());
        self.placed(peer.try_send(cid, &self.encoded))
    }

    fn encode(&mut self, value: &Out) -> Result<(), SendError> {
        let peer = self.dialog.peer();
        let (limit, actor) = (peer.message_max(), peer.node().id());
        encode_into(&mut self.encoded, value, limit, actor).map_err(|error| match *error.kind() {
            RemoteErrorKind::TooLarge { size, limit } => SendError::TooLarge { size, limit },
            _ => SendError::Encode(AnyError::of(&error)),
        })
    }

    fn placed(&self, place: SendPlace<()>) -> Result<(), SendError> {
        match place {
            SendPlace::Sent => Ok(()),
            SendPlace::NoCredit(()) => Err(SendError::Full),
            SendPlace::Stopped | SendPlace::NotStarted | SendPlace::Overrun => {
                Err(SendError::Closed)
            }
            SendPlace::Ended => Err(match self.dialog.failure() {
                None => SendError::Closed,
                Some(error) => match self.dialog.cancellation_in(&error) {
                    Some(cancel) => SendError::Cancelled(cancel),
                    None if *error.kind() == RemoteErrorKind::Lost => SendError::Lost(error),
                    None => SendError::Failed(error),
                },
            }),
        }
    }
}

impl<In, Out, C> Drop for MsgStream<In, Out, C> {
    fn drop(&mut self) {
        self.dialog.stream_dropped();
        self.dialog.peer().discard(self.dialog.cid());
    }
}

impl<In, Out, C> fmt::Debug for MsgStream<In, Out, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "MsgStream({} with {})",
            self.dialog.cid(),
            self.dialog.peer().id()
        )
    }
}

/// Sends one encoded value of a one-way stream; false once nobody reads it any more.
pub(crate) async fn send_value(peer: &Peer, cid: Cid, value: &[u8]) -> bool {
    let mut room = peer.room();
    let place = poll_fn(|cx| peer.poll_send(cid, value, &mut room, cx)).await;
    matches!(place, SendPlace::Sent)
}
