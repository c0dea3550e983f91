//! A bare tokio program to compare with: this image again, with one end of a socket pair as its standard input.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// What a peer does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// Sends each frame back, with a write for each.
    Echo,
    /// Counts frames; says how many there were when an empty one comes.
    Sink,
    /// Sends one byte and ends.
    Reply,
}

impl Part {
    const ALL: [Self; 3] = [Self::Echo, Self::Sink, Self::Reply];

    fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Sink => "sink",
            Self::Reply => "reply",
        }
    }
}

/// In a peer: plays its part to its end, and says that it was one.
pub(crate) fn play() -> bool {
    let Ok(name) = std::env::var(PART) else {
        return false;
    };
    let part = Part::ALL.into_iter().find(|part| part.name() == name);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let stdin = std::io::stdin().as_fd().try_clone_to_owned();
        let stream = tokio_stream(StdStream::from(stdin.expect("a socket")));
        match part.expect("a part there is") {
            Part::Echo => echo(stream).await,
            Part::Sink => sink(stream).await,
            Part::Reply => reply(stream).await,
        }
    });
    true
}

/// Starts a peer.
pub(crate) fn start(part: Part) -> (Child, UnixStream) {
    let (ours, theirs) = StdStream::pair().expect("a socket pair");
    let image = std::env::current_exe().expect("this image");
    let child = Command::new(image)
        .env(PART, part.name())
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .expect("a peer");
    (child, tokio_stream(ours))
}

fn tokio_stream(stream: StdStream) -> UnixStream {
    stream.set_nonblocking(true).expect("a socket");
    UnixStream::from_std(stream).expect("a runtime")
}

async fn echo(stream: UnixStream) {
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    let mut payload = Vec::new();
    while read_frame(&mut stream, &mut payload).await {
        let frame = frame(&payload);
        if stream.write_all(&frame).await.is_err() {
            return;
        }
    }
}

async fn sink(stream: UnixStream) {
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    let mut payload = Vec::new();
    let mut count = 0_u64;
    while read_frame(&mut stream, &mut payload).await {
        if !payload.is_empty() {
            count += 1;
            continue;
        }
        if stream.write_u64_le(count).await.is_err() {
            return;
        }
        count = 0;
    }
}

async fn reply(mut stream: UnixStream) {
    stream.write_all(b"!").await.expect("its parent reads");
}

/// Reads a frame's payload; false at the end of the stream.
pub(crate) async fn read_frame(stream: &mut BufReader<UnixStream>, payload: &mut Vec<u8>) -> bool {
    // What is in the buffer already costs no future: most frames of a batch are.
    if let Some((head, rest)) = stream.buffer().split_first_chunk::<4>() {
        let size = u32::from_le_bytes(*head) as usize;
        if let Some(whole) = rest.get(..size) {
            payload.clear();
            payload.extend_from_slice(whole);
            stream.consume(4 + size);
            return true;
        }
    }
    let Ok(size) = stream.read_u32_le().await else {
        return false;
    };
    payload.resize(size as usize, 0);
    stream.read_exact(payload).await.is_ok()
}

/// A payload with its length before it.
pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).expect("a short payload");
    [&size.to_le_bytes(), payload].concat()
}

/// Names the part of a peer.
const PART: &str = "TRACTOR_BENCH_PART";

/// What is read and written at once.
pub(crate) const BUFFER: usize = 64 << 10;
