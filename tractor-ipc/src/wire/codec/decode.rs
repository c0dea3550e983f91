//! Frames to messages.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

use super::bounds::check_bounds;
use super::{name, oversize, takes_payload};
use crate::limits::{
    ASSEMBLIES_MAX, FRAME_PAYLOAD_MAX, HEAD_MAX, PAYLOAD_SHARED_MIN, READ_CHUNK_MAX, READ_CHUNK_MIN,
};
use crate::msg::Msg;
use crate::wire::frame::{Frame, Part};
use crate::wire::{Unit, WireError};

/// Reads messages out of a byte stream, in whatever pieces it arrives.
#[derive(Debug)]
pub struct Decoder {
    buf: BytesMut,
    /// How much of `buf` has been read.
    at: usize,
    /// Room asked for by the next read.
    chunk: usize,
    assemblies: BTreeMap<u32, Assembly>,
    message_max: usize,
    failed: Option<WireError>,
}

/// A message of which parts are still to come.
#[derive(Debug)]
struct Assembly {
    msg: Msg,
    head: usize,
    payload: BytesMut,
}

impl Decoder {
    /// A decoder that refuses messages above `message_max` bytes.
    pub fn new(message_max: usize) -> Self {
        Self {
            buf: BytesMut::new(),
            at: 0,
            chunk: READ_CHUNK_MIN,
            assemblies: BTreeMap::new(),
            message_max,
            failed: None,
        }
    }

    /// Changes the limit for the messages that follow.
    pub fn set_message_max(&mut self, message_max: usize) {
        self.message_max = message_max;
    }

    /// The next message that is completely there, with its payload; `None` asks for more bytes.
    ///
    /// # Errors
    ///
    /// [`WireError`] if the bytes are none of this protocol; the decoder then says so for ever.
    pub fn decode(&mut self) -> Result<Option<(Msg, Bytes)>, WireError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.advance().inspect_err(|error| {
            self.failed = Some(error.clone());
            self.assemblies = BTreeMap::new();
        })
    }

    /// Where the next bytes of the stream go; report how many were appended by [`Decoder::filled`].
    pub fn room(&mut self) -> &mut BytesMut {
        if self.at == self.buf.len() {
            self.buf.clear();
        } else {
            self.buf.advance(self.at);
        }
        self.at = 0;
        let wanted = match self.buf.is_empty() {
            // Nothing would have to be moved: take the room a busy link has earned.
            true => self.chunk,
            // What a frame says it needs is believed as far as the link has earned it.
            false => Frame::missing(&self.buf).clamp(ROOM_MIN, self.chunk),
        };
        if self.spare() < wanted {
            self.buf.reserve(self.chunk);
        }
        &mut self.buf
    }

    /// Takes note that a read into [`Decoder::room`] brought `count` bytes: one that filled the room asks for more the
    /// next time, so that a quiet link keeps a small buffer and a busy one makes few reads.
    pub fn filled(&mut self, count: usize) {
        if self.spare() == 0 && count > 0 {
            self.chunk = (self.chunk * 2).min(READ_CHUNK_MAX);
        }
    }

    /// Bytes received of messages that are not complete: frames not yet there to their end, and parts.
    pub fn unfinished(&self) -> usize {
        let parts: usize = self
            .assemblies
            .values()
            .map(|a| a.head + a.payload.len())
            .sum();
        self.buf.len() - self.at + parts
    }

    fn advance(&mut self) -> Result<Option<(Msg, Bytes)>, WireError> {
        while let Some(frame) = Frame::parse(&self.buf[self.at..])? {
            let content = self.at + frame.content.start..self.at + frame.content.end;
            let message = match frame.part {
                Part::Whole => {
                    let (msg, head) = self.head(&content)?;
                    self.check_size(content.len())?;
                    if content.len() > head && !takes_payload(&msg) {
                        let message = name(&msg);
                        let size = content.len() - head;
                        return Err(WireError::StrayPayload { message, size });
                    }
                    return Ok(Some((msg, self.take(content.start + head..content.end))));
                }
                Part::First(number) => {
                    self.open(number, &content)?;
                    None
                }
                Part::Next(number) => {
                    self.append(number, &content)?;
                    None
                }
                Part::Last(number) => {
                    self.append(number, &content)?;
                    self.assemblies.remove(&number)
                }
            };
            self.at = content.end;
            if let Some(Assembly { msg, payload, .. }) = message {
                return Ok(Some((msg, payload.freeze())));
            }
        }
        Ok(None)
    }

    /// The head at the start of a frame's content, and its length.
    fn head(&self, content: &Range<usize>) -> Result<(Msg, usize), WireError> {
        let content = &self.buf[content.clone()];
        let window = &content[..content.len().min(HEAD_MAX)];
        let (msg, rest) =
            postcard::take_from_bytes::<Msg>(window).map_err(|cause| WireError::Undecodable {
                what: Unit::Head,
                cause,
            })?;
        let head = window.len() - rest.len();
        if content.len() - head > FRAME_PAYLOAD_MAX {
            return Err(oversize(
                Unit::Frame,
                content.len() - head,
                FRAME_PAYLOAD_MAX,
            ));
        }
        check_bounds(&msg)?;
        Ok((msg, head))
    }

    /// Takes the payload of a whole message out of the buffer, and steps behind it.
    fn take(&mut self, payload: Range<usize>) -> Bytes {
        if payload.len() < PAYLOAD_SHARED_MIN {
            self.at = payload.end;
            return match payload.len() {
                0 => Bytes::new(),
                _ => Bytes::copy_from_slice(&self.buf[payload]),
            };
        }
        self.buf.advance(payload.start);
        self.at = 0;
        self.buf.split_to(payload.len()).freeze()
    }

    fn open(&mut self, number: u32, content: &Range<usize>) -> Result<(), WireError> {
        let (msg, head) = self.head(content)?;
        if !takes_payload(&msg) {
            let message = name(&msg);
            let size = content.len() - head;
            return Err(WireError::StrayPayload { message, size });
        }
        self.check_size(content.len())?;
        if self.assemblies.contains_key(&number) {
            return Err(WireError::RepeatedPart { number });
        }
        if self.assemblies.len() == ASSEMBLIES_MAX {
            return Err(WireError::TooManyParts {
                limit: ASSEMBLIES_MAX,
            });
        }
        let payload = BytesMut::from(&self.buf[content.start + head..content.end]);
        self.assemblies
            .insert(number, Assembly { msg, head, payload });
        Ok(())
    }

    fn append(&mut self, number: u32, content: &Range<usize>) -> Result<(), WireError> {
        if content.len() > FRAME_PAYLOAD_MAX {
            return Err(oversize(Unit::Frame, content.len(), FRAME_PAYLOAD_MAX));
        }
        let Some(assembly) = self.assemblies.get_mut(&number) else {
            return Err(WireError::UnknownPart { number });
        };
        let size = assembly.head + assembly.payload.len() + content.len();
        if size > self.message_max {
            return Err(oversize(Unit::Message, size, self.message_max));
        }
        assembly
            .payload
            .extend_from_slice(&self.buf[content.clone()]);
        Ok(())
    }

    fn check_size(&self, size: usize) -> Result<(), WireError> {
        if size > self.message_max {
            return Err(oversize(Unit::Message, size, self.message_max));
        }
        Ok(())
    }

    fn spare(&self) -> usize {
        self.buf.capacity() - self.buf.len()
    }
}

/// Least room for a read: below it a read call costs more than it brings.
const ROOM_MIN: usize = 2 << 10;
