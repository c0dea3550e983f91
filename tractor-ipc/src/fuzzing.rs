//! Entry points for bytes from outside: the fuzz targets and the replay of their corpus call these and nothing else.
//!
//! Each panics when an invariant does not hold, and only then.

use bytes::Bytes;

use crate::limits::{FRAME_PAYLOAD_MAX, HEAD_MAX, MESSAGE_MAX};
use crate::msg::Msg;
use crate::wire::WireError;
use crate::wire::codec::{self, Decoder, Encoder};

/// A byte stream read as frames: whole, and cut into pieces whose size the first byte says. Both must give the same
/// messages and the same end (`WIRE-2`).
pub fn frame(data: &[u8]) {
    let Some((&piece, stream)) = data.split_first() else {
        return;
    };
    let whole = read(stream.chunks(stream.len().max(1)));
    let chopped = read(stream.chunks(usize::from(piece).max(1)));
    assert_eq!(whole, chopped, "how a stream is cut changed what it says");
}

/// One message in one frame: what decodes is encoded again, and that decodes to the same.
pub fn msg(data: &[u8]) {
    if data.len() > HEAD_MAX + FRAME_PAYLOAD_MAX {
        return;
    }
    let mut stream = (data.len() as u32 + 1).to_le_bytes().to_vec();
    stream.push(0);
    stream.extend_from_slice(data);
    let (messages, _) = read([&stream[..]].into_iter());
    let Some((msg, payload)) = messages.first() else {
        return;
    };
    let mut again = Vec::new();
    Encoder::new(MESSAGE_MAX, true)
        .encode(&mut again, msg, payload)
        .expect("what could be received can be sent");
    assert_eq!(read([&again[..]].into_iter()), (messages.clone(), Ok(0)));
}

/// A frame of the handshake, length field and all.
pub fn hello(data: &[u8]) {
    let Some((length, body)) = data.split_first_chunk() else {
        return;
    };
    let Ok(length) = codec::handshake_length(u32::from_le_bytes(*length)) else {
        return;
    };
    let Some(Ok(msg)) = body.get(..length).map(codec::decode_handshake) else {
        return;
    };
    let again = codec::encode_handshake(&msg).expect("what could be received can be sent");
    assert_eq!(codec::decode_handshake(&again[4..]), Ok(msg));
}

/// The payload of a `Fail`.
pub fn fault(data: &[u8]) {
    let Ok(fault) = codec::decode_fault(data) else {
        return;
    };
    let again = codec::encode_fault(&fault);
    assert_eq!(codec::decode_fault(&again), Ok(fault));
}

/// The messages of a stream, and how it ended: with so many bytes left over, or an error.
fn read<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<(Msg, Bytes)>, Result<usize, WireError>) {
    let mut decoder = Decoder::new(MESSAGE_MAX);
    let mut messages = Vec::new();
    let mut received = 0;
    for piece in pieces {
        decoder.room().extend_from_slice(piece);
        received += piece.len();
        loop {
            match decoder.decode() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(
                        decoder.decode(),
                        Err(error.clone()),
                        "an error that goes away"
                    );
                    return (messages, Err(error));
                }
            }
        }
        assert!(
            decoder.unfinished() <= received,
            "more bytes than were received"
        );
    }
    let unfinished = decoder.unfinished();
    (messages, Ok(unfinished))
}
