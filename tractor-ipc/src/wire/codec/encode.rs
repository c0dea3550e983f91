//! Messages to frames.

use postcard::ser_flavors::Flavor;
use serde::Serialize;

use super::bounds::check_bounds;
use super::{name, takes_payload};
use crate::limits::{FRAME_HEADER_MAX, FRAME_PAYLOAD_MAX, HEAD_MAX, PAYLOAD_SHARED_MIN};
use crate::msg::Msg;
use crate::wire::BoundError;
use crate::wire::frame::{Frame, Part};

/// Why a message cannot be sent; nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Head and payload together are over the limit.
    #[error("a message of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// The message's size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// A field is past its bound: the peer would end the link over it.
    #[error("a message with {0}")]
    Bound(#[from] BoundError),
}

/// Writes messages as frames.
#[derive(Debug)]
pub struct Encoder {
    message_max: usize,
    parts: bool,
    next_number: u32,
}

impl Encoder {
    /// An encoder for messages of up to `message_max` bytes; `parts` says whether the peer takes messages in parts.
    pub fn new(message_max: usize, parts: bool) -> Self {
        Self {
            message_max,
            parts,
            next_number: 0,
        }
    }

    /// Changes the limit for the messages that follow.
    pub fn set_message_max(&mut self, message_max: usize) {
        self.message_max = message_max;
    }

    /// Appends a message to `out` and says in how many frames.
    ///
    /// # Errors
    ///
    /// [`EncodeError`]; `out` is then as it was.
    pub fn encode(
        &mut self,
        out: &mut Vec<u8>,
        msg: &Msg,
        payload: &[u8],
    ) -> Result<u32, EncodeError> {
        debug_assert!(
            payload.is_empty() || takes_payload(msg),
            "{} has no payload",
            name(msg)
        );
        check_bounds(msg)?;
        let whole = payload.len() <= FRAME_PAYLOAD_MAX;
        if !whole && (!self.parts || payload.len() > self.message_max) {
            return Err(self.too_large(payload.len()));
        }
        let rollback = out.len();
        let (part, first) = if whole {
            (Part::Whole, payload)
        } else {
            (Part::First(self.next_number), &payload[..FRAME_PAYLOAD_MAX])
        };
        if first.len() >= PAYLOAD_SHARED_MIN {
            let frames = payload.len() / FRAME_PAYLOAD_MAX + 1;
            out.reserve(payload.len() + frames * FRAME_HEADER_MAX + HEAD_ROOM);
        }
        let start = Frame::begin(out, part);
        let head = out.len();
        encode_into(out, msg);
        let head = out.len() - head;
        if head > HEAD_MAX || head + payload.len() > self.message_max {
            out.truncate(rollback);
            return Err(self.too_large(head + payload.len()));
        }
        out.extend_from_slice(first);
        Frame::end(out, start);
        if whole {
            return Ok(1);
        }
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        let mut rest = payload[FRAME_PAYLOAD_MAX..]
            .chunks(FRAME_PAYLOAD_MAX)
            .peekable();
        let mut frames = 1;
        while let Some(piece) = rest.next() {
            let part = match rest.peek() {
                Some(_) => Part::Next(number),
                None => Part::Last(number),
            };
            let start = Frame::begin(out, part);
            out.extend_from_slice(piece);
            Frame::end(out, start);
            frames += 1;
        }
        Ok(frames)
    }

    fn too_large(&self, size: usize) -> EncodeError {
        let limit = match self.parts {
            true => self.message_max,
            false => self.message_max.min(FRAME_PAYLOAD_MAX),
        };
        EncodeError::TooLarge { size, limit }
    }
}

pub(super) fn encode_into<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    append(out, value)
        .expect("messages have only fields postcard can carry, and memory does not fill up");
}

/// Appends a value to a buffer.
///
/// # Errors
///
/// What postcard cannot carry; a part of the value may have been appended.
pub fn append<T: Serialize>(out: &mut Vec<u8>, value: &T) -> postcard::Result<()> {
    postcard::serialize_with_flavor(value, Appended(out))
}

/// Appends to a buffer that is not ours, which postcard's own flavours cannot.
struct Appended<'a>(&'a mut Vec<u8>);

impl Flavor for Appended<'_> {
    type Output = ();

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Room reserved for a head beside a large payload, so that the buffer grows once for both.
const HEAD_ROOM: usize = 256;
