//! Two ends in one process, for tests and the simulator: bounded pipes that behave as sockets do.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{PeerCredentials, ReadHalf, Transport, WriteHalf};
use crate::addr::Addr;

/// One end of a connection inside this process.
#[derive(Debug)]
pub struct MemoryTransport {
    incoming: PipeReader,
    outgoing: PipeWriter,
}

/// Two connected ends; each direction holds up to `capacity` bytes that have not been read.
pub fn pair(capacity: usize) -> (MemoryTransport, MemoryTransport) {
    let (a_out, b_in) = pipe(capacity);
    let (b_out, a_in) = pipe(capacity);
    let end = |incoming, outgoing| MemoryTransport { incoming, outgoing };
    (end(a_in, a_out), end(b_in, b_out))
}

impl Transport for MemoryTransport {
    fn split(self: Box<Self>) -> (ReadHalf, WriteHalf) {
        (Box::new(self.incoming), Box::new(self.outgoing))
    }

    fn addr(&self) -> Addr {
        Addr::Memory
    }

    fn peer(&self) -> Option<PeerCredentials> {
        None
    }
}

fn pipe(capacity: usize) -> (PipeWriter, PipeReader) {
    assert!(capacity > 0, "a pipe without room never moves a byte");
    let pipe = Arc::new(Mutex::new(Pipe {
        bytes: VecDeque::new(),
        capacity,
        ended: false,
        abandoned: false,
        reader: None,
        writer: None,
    }));
    (PipeWriter(pipe.clone()), PipeReader(pipe))
}

struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// Nothing more will be written.
    ended: bool,
    /// Nothing more will be read.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

struct PipeReader(Arc<Mutex<Pipe>>);

struct PipeWriter(Arc<Mutex<Pipe>>);

impl AsyncRead for PipeReader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut pipe = lock(&self.0);
        if pipe.bytes.is_empty() && !pipe.ended && buf.remaining() > 0 {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (front, back) = pipe.bytes.as_slices();
        let mut read = 0;
        for piece in [front, back] {
            let count = piece.len().min(buf.remaining());
            buf.put_slice(&piece[..count]);
            read += count;
        }
        pipe.bytes.drain(..read);
        wake(pipe.writer.take());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PipeWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = lock(&self.0);
        if pipe.abandoned || pipe.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = buf.len().min(pipe.capacity - pipe.bytes.len());
        if count == 0 && !buf.is_empty() {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.bytes.extend(&buf[..count]);
        wake(pipe.reader.take());
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = lock(&self.0);
        pipe.ended = true;
        wake(pipe.reader.take());
        Poll::Ready(Ok(()))
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        let mut pipe = lock(&self.0);
        pipe.abandoned = true;
        pipe.bytes = VecDeque::new();
        wake(pipe.writer.take());
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        let mut pipe = lock(&self.0);
        pipe.ended = true;
        wake(pipe.reader.take());
    }
}

impl fmt::Debug for PipeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PipeReader")
    }
}

impl fmt::Debug for PipeWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PipeWriter")
    }
}

/// The lock of a pipe; a holder that panicked left it whole, as every update is one assignment.
fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
