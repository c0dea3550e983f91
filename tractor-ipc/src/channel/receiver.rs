//! The receiving end of a link.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncReadExt;

use super::shared::Shared;
use crate::error::{LinkDown, RecvError};
use crate::msg::Msg;
use crate::transport::ReadHalf;
use crate::wire::codec::Decoder;

/// Hands out the messages of a link, in the order they came.
pub struct LinkReceiver {
    reader: ReadHalf,
    decoder: Decoder,
    shared: Arc<Shared>,
    phase: Phase,
    statistics: ReceiverStatistics,
}

/// What has been received on a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiverStatistics {
    /// Messages handed out.
    pub messages: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Read calls that brought something.
    pub reads: u64,
}

#[derive(Debug)]
enum Phase {
    Reading,
    /// The stream has ended; what is complete is still handed out.
    Ended,
    Failed(RecvError),
}

impl LinkReceiver {
    pub(super) fn new(reader: ReadHalf, shared: Arc<Shared>, message_max: usize) -> Self {
        Self {
            reader,
            decoder: Decoder::new(message_max),
            shared,
            phase: Phase::Reading,
            statistics: ReceiverStatistics::default(),
        }
    }

    /// The next message and its payload; `None` if the other end has shut down behind a whole message.
    ///
    /// # Errors
    ///
    /// [`RecvError`], and the same one from then on.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message is lost neither in part nor whole.
    pub async fn recv(&mut self) -> Result<Option<(Msg, Bytes)>, RecvError> {
        loop {
            if let Some(message) = self.try_recv()? {
                return Ok(Some(message));
            }
            match &self.phase {
                Phase::Reading => poll_fn(|cx| self.poll_fill(cx)).await,
                Phase::Ended => match self.decoder.unfinished() {
                    0 => return Ok(None),
                    received => self.phase = Phase::Failed(RecvError::Truncated { received }),
                },
                Phase::Failed(error) => return Err(error.clone()),
            }
        }
    }

    /// The next message that has been read already, without reading: lets a whole read be handled in one go.
    ///
    /// # Errors
    ///
    /// [`RecvError`], and the same one from then on.
    pub fn try_recv(&mut self) -> Result<Option<(Msg, Bytes)>, RecvError> {
        if let Phase::Failed(error) = &self.phase {
            return Err(error.clone());
        }
        match self.decoder.decode() {
            Ok(message) => {
                self.statistics.messages += u64::from(message.is_some());
                Ok(message)
            }
            Err(error) => {
                let error = RecvError::from(error);
                self.phase = Phase::Failed(error.clone());
                Err(error)
            }
        }
    }

    /// What has been received so far.
    pub fn statistics(&self) -> ReceiverStatistics {
        self.statistics
    }

    /// Changes the limit for the messages read from now on.
    pub fn set_message_max(&mut self, message_max: usize) {
        self.decoder.set_message_max(message_max);
    }

    /// Reads once, and notes what that came to.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let read = pin!(self.reader.read_buf(self.decoder.room()));
        match read.poll(cx) {
            Poll::Ready(Ok(0)) => self.phase = Phase::Ended,
            Poll::Ready(Ok(count)) => {
                self.decoder.filled(count);
                self.statistics.bytes += count as u64;
                self.statistics.reads += 1;
            }
            Poll::Ready(Err(error)) => self.phase = Phase::Failed(failed(error)),
            Poll::Pending => match self.shared.poll_reader_abort(cx) {
                Poll::Ready(cause) => self.phase = Phase::Failed(RecvError::Down(cause)),
                Poll::Pending => return Poll::Pending,
            },
        }
        Poll::Ready(())
    }
}

fn failed(error: io::Error) -> RecvError {
    RecvError::Down(LinkDown::from(error))
}

impl fmt::Debug for LinkReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkReceiver")
            .field("phase", &self.phase)
            .field("statistics", &self.statistics)
            .finish_non_exhaustive()
    }
}
