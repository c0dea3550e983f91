//! The writer of a link: takes everything that is queued, writes it in one call, and again.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::outbox::{Batch, slices};
use super::shared::{Next, Shared};
use crate::error::LinkDown;
use crate::transport::WriteHalf;

/// Writes what is queued on a link. Run it as a task of its own; dropped before its end, it takes the sending side of
/// the link with it.
pub struct Flusher {
    writer: WriteHalf,
    shared: Arc<Shared>,
    batch: Batch,
    writes: u64,
}

impl Flusher {
    pub(super) fn new(writer: WriteHalf, shared: Arc<Shared>) -> Self {
        Self {
            writer,
            shared,
            batch: Batch::default(),
            writes: 0,
        }
    }

    /// Writes until the link was closed and everything queued is written.
    ///
    /// # Errors
    ///
    /// [`LinkDown`] if the socket failed or the link was aborted.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropping it in the middle of a message leaves the stream useless, so it closes it.
    pub async fn run(mut self) -> Result<(), LinkDown> {
        poll_fn(|cx| self.poll_run(cx)).await
    }

    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkDown>> {
        loop {
            match self.poll_write(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Err(self.shared.unwritable(error.into())));
                }
                Poll::Pending => return self.shared.poll_flusher_abort(cx).map(Err),
            }
            match ready!(self.shared.poll_batch(cx, &mut self.batch, self.writes)) {
                Next::Write => {}
                Next::Down(cause) => return Poll::Ready(Err(cause)),
                Next::Shut => match Pin::new(&mut self.writer).poll_shutdown(cx) {
                    Poll::Ready(result) => {
                        self.shared.unwritable(LinkDown::Closed);
                        return Poll::Ready(result.map_err(LinkDown::from));
                    }
                    Poll::Pending => return self.shared.poll_flusher_abort(cx).map(Err),
                },
            }
        }
    }

    /// Writes what is left of the batch.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.batch.is_done() {
            return Poll::Ready(Ok(()));
        }
        let mut writer = Pin::new(&mut self.writer);
        while !self.batch.is_done() {
            let written = ready!(match self.batch.rest() {
                (control, []) => writer.as_mut().poll_write(cx, control),
                ([], data) => writer.as_mut().poll_write(cx, data),
                both => writer.as_mut().poll_write_vectored(cx, &slices(both)),
            })?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.batch.advance(written);
            self.writes += 1;
        }
        writer.poll_flush(cx)
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.unwritable(LinkDown::Closed);
    }
}

impl fmt::Debug for Flusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flusher")
            .field("writes", &self.writes)
            .finish_non_exhaustive()
    }
}
