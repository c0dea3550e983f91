//! A transport that moves as few bytes at a time as it likes, and may be cut off in the middle.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::addr::Addr;
use crate::transport::{PeerCredentials, ReadHalf, Transport, WriteHalf};

/// Wraps a transport: every read and write moves at most a few bytes, how many follows from a seed; and the writing
/// side breaks after a given number of bytes.
#[derive(Debug)]
pub struct Chopped {
    inner: Box<dyn Transport>,
    piece_max: usize,
    seed: u64,
    cut_after: u64,
}

impl Chopped {
    /// Moves between 1 and `piece_max` bytes at a time.
    pub fn new(inner: Box<dyn Transport>, piece_max: usize, seed: u64) -> Self {
        assert!(piece_max > 0, "no byte would ever move");
        Self {
            inner,
            piece_max,
            seed: seed | 1,
            cut_after: u64::MAX,
        }
    }

    /// Lets `bytes` bytes be written; then the writing side is shut down, and writing fails.
    #[must_use]
    pub fn cut_after(mut self, bytes: u64) -> Self {
        self.cut_after = bytes;
        self
    }
}

impl Transport for Chopped {
    fn split(self: Box<Self>) -> (ReadHalf, WriteHalf) {
        let (reader, writer) = self.inner.split();
        let pieces = Pieces {
            max: self.piece_max,
            state: self.seed,
        };
        let reader = ChoppedReader {
            inner: reader,
            pieces,
        };
        let writer = ChoppedWriter {
            inner: writer,
            pieces,
            left: self.cut_after,
        };
        (Box::new(reader), Box::new(writer))
    }

    fn addr(&self) -> Addr {
        self.inner.addr()
    }

    fn peer(&self) -> Option<PeerCredentials> {
        self.inner.peer()
    }
}

struct ChoppedReader {
    inner: ReadHalf,
    pieces: Pieces,
}

struct ChoppedWriter {
    inner: WriteHalf,
    pieces: Pieces,
    left: u64,
}

#[derive(Clone, Copy)]
struct Pieces {
    max: usize,
    state: u64,
}

impl Pieces {
    /// The size of the next piece (xorshift).
    fn next(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        1 + (self.state % self.max as u64) as usize
    }
}

impl AsyncRead for ChoppedReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut piece = vec![0; self.pieces.next().min(buf.remaining())];
        let mut small = ReadBuf::new(&mut piece);
        let read = Pin::new(&mut self.inner).poll_read(cx, &mut small);
        buf.put_slice(small.filled());
        read
    }
}

impl AsyncWrite for ChoppedWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let piece = self.pieces.next().min(buf.len()).min(left);
        if piece == 0 && !buf.is_empty() {
            return Pin::new(&mut self.inner)
                .poll_shutdown(cx)
                .map(|_| Err(io::ErrorKind::BrokenPipe.into()));
        }
        let written = Pin::new(&mut self.inner).poll_write(cx, &buf[..piece]);
        if let Poll::Ready(Ok(count)) = written {
            self.left -= count as u64;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
