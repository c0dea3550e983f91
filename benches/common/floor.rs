//! The least a tokio program does for the same: length-prefixed frames on a `UnixStream`, between this process and a
//! peer.

use std::process::Child;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::common::peer::{BUFFER, Part, frame, read_frame, start};

/// The near end of a peer.
#[derive(Debug)]
pub(crate) struct Floor {
    stream: BufReader<UnixStream>,
    child: Child,
}

impl Floor {
    /// Starts a peer that plays this part.
    pub(crate) fn new(part: Part) -> Self {
        let (child, stream) = start(part);
        Self {
            stream: BufReader::with_capacity(BUFFER, stream),
            child,
        }
    }

    /// Sends `count` frames and awaits each one's echo, with so many of them under way.
    pub(crate) async fn echo(&mut self, payload: &[u8], count: u64, in_flight: u64) {
        let frame = frame(payload);
        let mut answer = Vec::new();
        for sent in 0..count + in_flight {
            if sent >= in_flight {
                read_frame(&mut self.stream, &mut answer).await;
                assert_eq!(answer.len(), payload.len());
            }
            if sent < count {
                self.stream.write_all(&frame).await.expect("the peer reads");
            }
        }
    }

    /// Sends `count` frames, as many in one write as fit into the buffer, and awaits their count.
    pub(crate) async fn stream(&mut self, payload: &[u8], count: u64) {
        let frame = frame(payload);
        let mut batch = Vec::with_capacity(BUFFER);
        for _ in 0..count {
            if batch.len() + frame.len() > BUFFER {
                self.stream.write_all(&batch).await.expect("the peer reads");
                batch.clear();
            }
            batch.extend_from_slice(&frame);
        }
        batch.extend_from_slice(&0_u32.to_le_bytes());
        self.stream.write_all(&batch).await.expect("the peer reads");
        assert_eq!(self.stream.read_u64_le().await.ok(), Some(count));
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
