//! One length-prefixed unit of a link's byte stream.
//!
//! ```text
//!  u32 LE length of what follows │ u8 flags │ (SPLIT) u32 LE message number │ content
//! ```
//!
//! The content of a whole message and of a first part is head and payload; that of a further part is payload alone.
//! A frame is looked at only when it is there completely; one that announces too much is refused before that.
//!
//! - WIRE-1: no length read from a peer leads to an allocation; buffers grow by what was received.

use std::ops::Range;

use super::{Unit, WireError};
use crate::limits::FRAME_MAX;

/// How a frame relates to its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The frame is the message.
    Whole,
    /// The first part of the message with this number; more follow.
    First(u32),
    /// A further part; more follow.
    Next(u32),
    /// The last part.
    Last(u32),
}

/// A complete frame at the start of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// How it relates to its message.
    pub part: Part,
    /// Where its content lies, counted from the frame's first byte; ends where the frame ends.
    pub content: Range<usize>,
}

impl Frame {
    /// The frame that begins with `bytes`, or `None` if it is not complete yet.
    ///
    /// # Errors
    ///
    /// [`WireError`] if what is there cannot become a frame, however it goes on.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, WireError> {
        let Some(body) = body_length(bytes)? else {
            return Ok(None);
        };
        let Some(frame) = bytes.get(..LENGTH + body) else {
            return Ok(None);
        };
        let flags = frame[LENGTH];
        let start = match flags {
            0 => LENGTH + 1,
            _ => LENGTH + 1 + NUMBER,
        };
        let number = || match frame.get(LENGTH + 1..start) {
            Some(&[a, b, c, d]) => Ok(u32::from_le_bytes([a, b, c, d])),
            Some(_) | None => Err(WireError::EmptyFrame),
        };
        let part = match flags {
            0 => Part::Whole,
            FIRST_PART => Part::First(number()?),
            NEXT_PART => Part::Next(number()?),
            SPLIT => Part::Last(number()?),
            other => return Err(WireError::BadFlags(other)),
        };
        if start == frame.len() {
            return Err(WireError::EmptyFrame);
        }
        Ok(Some(Self {
            part,
            content: start..frame.len(),
        }))
    }

    /// How many bytes are missing until the frame that begins with `bytes` is complete, as far as one can tell: at
    /// least one while it is not.
    pub fn missing(bytes: &[u8]) -> usize {
        match body_length(bytes) {
            Ok(Some(body)) => (LENGTH + body).saturating_sub(bytes.len()),
            Ok(None) => LENGTH - bytes.len(),
            Err(_) => 0,
        }
    }

    /// Writes the head of a frame whose content follows; [`Frame::end`] completes it.
    pub fn begin(out: &mut Vec<u8>, part: Part) -> FrameStart {
        let start = FrameStart(out.len());
        let (flags, number) = match part {
            Part::Whole => (0, None),
            Part::First(number) => (FIRST_PART, Some(number)),
            Part::Next(number) => (NEXT_PART, Some(number)),
            Part::Last(number) => (SPLIT, Some(number)),
        };
        out.extend_from_slice(&[0, 0, 0, 0, flags]);
        if let Some(number) = number {
            out.extend_from_slice(&number.to_le_bytes());
        }
        start
    }

    /// Completes the frame begun at `start`: its content is what was written since.
    pub fn end(out: &mut [u8], start: FrameStart) {
        let FrameStart(at) = start;
        let body = out.len() - at - LENGTH;
        debug_assert!(body <= FRAME_MAX, "the codec cuts messages into frames");
        out[at..at + LENGTH].copy_from_slice(&(body as u32).to_le_bytes());
    }
}

/// Where a frame was begun.
#[derive(Debug)]
pub struct FrameStart(usize);

/// Length of the body of the frame that begins with `bytes`, if its length field is there.
fn body_length(bytes: &[u8]) -> Result<Option<usize>, WireError> {
    let Some(&[a, b, c, d]) = bytes.get(..LENGTH) else {
        return Ok(None);
    };
    let body = u32::from_le_bytes([a, b, c, d]) as usize;
    if body == 0 {
        return Err(WireError::EmptyFrame);
    }
    if body > FRAME_MAX {
        return Err(WireError::Oversize {
            what: Unit::Frame,
            size: body as u64,
            limit: FRAME_MAX as u64,
        });
    }
    Ok(Some(body))
}

/// Bytes of the length field.
const LENGTH: usize = 4;
/// Bytes of a message number.
const NUMBER: usize = 4;
/// The frame is a part of a message; the message's number follows.
const SPLIT: u8 = 1;
/// More parts follow.
const MORE: u8 = 2;
/// The part begins the message.
const FIRST: u8 = 4;
const FIRST_PART: u8 = SPLIT | MORE | FIRST;
const NEXT_PART: u8 = SPLIT | MORE;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(part: Part, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let start = Frame::begin(&mut out, part);
        out.extend_from_slice(content);
        Frame::end(&mut out, start);
        out
    }

    #[test]
    fn every_part_reads_back() {
        for part in [
            Part::Whole,
            Part::First(7),
            Part::Next(7),
            Part::Last(u32::MAX),
        ] {
            let bytes = frame(part, b"content");
            for cut in 0..bytes.len() {
                assert_eq!(Frame::parse(&bytes[..cut]), Ok(None));
                let missing = Frame::missing(&bytes[..cut]);
                assert!(missing > 0 && cut + missing <= bytes.len(), "{cut}");
            }
            let read = Frame::parse(&bytes).unwrap().unwrap();
            assert_eq!(read.part, part);
            assert_eq!(&bytes[read.content], b"content");
            assert_eq!(Frame::missing(&bytes), 0);
        }
    }

    /// `WIRE-1`: refused by its length field alone.
    #[test]
    fn what_cannot_become_a_frame_is_refused() {
        let too_long = (FRAME_MAX as u32 + 1).to_le_bytes();
        assert!(matches!(
            Frame::parse(&too_long),
            Err(WireError::Oversize {
                what: Unit::Frame,
                ..
            })
        ));
        assert_eq!(Frame::parse(&[0; 4]), Err(WireError::EmptyFrame));
        assert_eq!(
            Frame::parse(&frame(Part::Whole, b"")),
            Err(WireError::EmptyFrame)
        );
        assert_eq!(
            Frame::parse(&frame(Part::Last(1), b"")),
            Err(WireError::EmptyFrame)
        );
        assert_eq!(
            Frame::parse(&[2, 0, 0, 0, SPLIT, 9]),
            Err(WireError::EmptyFrame)
        );
        for flags in (0..=255u8).filter(|f| ![0, SPLIT, NEXT_PART, FIRST_PART].contains(f)) {
            let bytes = [6, 0, 0, 0, flags, 1, 0, 0, 0, 9];
            assert_eq!(Frame::parse(&bytes), Err(WireError::BadFlags(flags)));
        }
    }
}
