//! The side of a context that opens it.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use tractor_ipc::ActorId;
use tractor_ipc::msg::CancelReason;

use super::{Dialog, MsgStream};
use crate::error::{CallError, OpenError, Result};
use crate::fault::RemoteError;
use crate::message::{AppError, Message, Never};
use crate::node::decode;
use crate::scope::Cancellation;

/// An open context, as the block that opened it holds it: receives `In`, sends `Out`, and the far task ends in `T` or
/// in `E`.
pub struct OpenedContext<In, Out, T, E> {
    handle: Opened<T, E>,
    types: PhantomData<fn(Out) -> In>,
}

/// The handle of a context on its opening side.
pub struct Opened<T, E> {
    dialog: Arc<Dialog>,
    types: PhantomData<fn() -> (T, E)>,
}

impl<In, Out, T, E> OpenedContext<In, Out, T, E> {
    pub(crate) fn new(dialog: Arc<Dialog>) -> Self {
        Self {
            handle: Opened {
                dialog,
                types: PhantomData,
            },
            types: PhantomData,
        }
    }

    /// The handle: to cancel the context, and to wait for its result.
    pub fn ctx(&self) -> &Opened<T, E> {
        &self.handle
    }
}

impl<In: Message, Out: Message, T, E> OpenedContext<In, Out, T, E> {
    /// Opens the stream of the context.
    ///
    /// # Errors
    ///
    /// The context has been cancelled, or its far side has failed.
    ///
    /// # Cancel safety
    ///
    /// Safe: there is nothing to lose.
    pub async fn open_stream(self) -> Result<MsgStream<In, Out, Opened<T, E>>> {
        if let Some(error) = self.handle.dialog.failure() {
            return Err(OpenError::Call(CallError::from_remote(error)).into());
        }
        Ok(self.into_stream())
    }
}

/// The stream of a stream method: receives only.
pub type OneWay<Item> = MsgStream<Item, Never, Opened<(), Never>>;

impl<In, Out, T, E> OpenedContext<In, Out, T, E> {
    /// The stream, whatever has become of the far side: it tells when it is read.
    pub(super) fn into_stream(self) -> MsgStream<In, Out, Opened<T, E>> {
        let dialog = self.handle.dialog.clone();
        MsgStream::new(self.handle, dialog)
    }
}

/// The result and the cancellation of a context are reached through its handle.
impl<In, Out, T, E> std::ops::Deref for OpenedContext<In, Out, T, E> {
    type Target = Opened<T, E>;

    fn deref(&self) -> &Opened<T, E> {
        &self.handle
    }
}

impl<T, E> Opened<T, E> {
    /// The actor at the far side.
    pub fn callee(&self) -> &ActorId {
        self.dialog.peer().id()
    }

    /// Asks the far task to end and returns when it has. The end it comes to by that is no failure of the block.
    ///
    /// # Errors
    ///
    /// [`OpenError::TooSlow`] if it has not accepted within 0.5 s, or not ended in the time it then said.
    ///
    /// # Cancel safety
    ///
    /// The request is sent at the first poll and stands; dropping only stops the wait.
    pub async fn cancel(&self) -> Result<(), OpenError> {
        let node = self.dialog.peer().node();
        let (canceller, reason) = (node.id().clone(), CancelReason::Requested);
        self.dialog.cancel(Cancellation { canceller, reason });
        self.dialog.ended_in_time().await.map(drop)
    }

    /// Whether this side has asked the far task to end.
    pub fn cancel_called(&self) -> bool {
        self.dialog.is_asked()
    }

    /// Who has cancelled the far task: as its end tells it, or this actor, which has asked.
    pub fn canceller(&self) -> Option<ActorId> {
        match self.dialog.end() {
            Some(Err(error)) => {
                let cancel = self.dialog.cancellation_in(&error)?;
                Some(cancel.canceller)
            }
            Some(Ok(_)) => None,
            None => self.dialog.asked_by(),
        }
    }

    /// Whether the far task has ended.
    pub fn has_ended(&self) -> bool {
        self.dialog.end().is_some()
    }
}

impl<T: Message, E: AppError> Opened<T, E> {
    /// Waits for the far task's result; any number of times.
    ///
    /// # Errors
    ///
    /// As a call: its own error, or why there is none.
    ///
    /// # Cancel safety
    ///
    /// Safe: the result is kept.
    pub async fn result(&self) -> Result<T, CallError<E>> {
        self.read(self.dialog.ended().await)
    }

    /// The far task's result, if it has ended.
    pub fn outcome(&self) -> Option<Result<T, CallError<E>>> {
        self.dialog.end().map(|end| self.read(end))
    }

    fn read(&self, end: Result<Bytes, RemoteError>) -> Result<T, CallError<E>> {
        match end {
            Ok(bytes) => decode(&bytes, "the result", self.callee()).map_err(CallError::MsgType),
            Err(error) => Err(CallError::from_remote(error)),
        }
    }
}

impl<In, Out, T, E> fmt::Debug for OpenedContext<In, Out, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A clone is a handle to the same context; one that outlives its block finds that it has ended.
impl<T, E> Clone for Opened<T, E> {
    fn clone(&self) -> Self {
        Self {
            dialog: self.dialog.clone(),
            types: PhantomData,
        }
    }
}

impl<T, E> fmt::Debug for Opened<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({} with {})", self.dialog.cid(), self.callee())
    }
}
