//! Bytes to messages and back, and the handshake: all of it pure.
//!
//! Owns the layout of frames, the codec of [`Msg`](crate::msg::Msg) and the handshake's machine. It does no I/O, reads
//! no clock and takes no lock: the same bytes always give the same messages, in whatever pieces they arrive.
//!
//! ```text
//!   Msg + payload ── codec::Encoder ──▶ frames ──▶ bytes ──▶ frame::Frame ── codec::Decoder ──▶ Msg + Bytes
//! ```

pub mod codec;
pub mod frame;
pub mod handshake;

use crate::limits::{CHAIN_MAX, FUNCTION_NAME_MAX};

/// What a piece of the wire was that is over its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// One frame.
    Frame,
    /// One message: head and payload, its parts joined.
    Message,
    /// The head of a message.
    Head,
    /// A frame of the handshake.
    HandshakeFrame,
    /// The fingerprint of a catalogue.
    Catalog,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Message => "message",
            Self::Head => "message head",
            Self::HandshakeFrame => "handshake frame",
            Self::Catalog => "catalogue fingerprint",
        }
    }
}

/// Bytes that are no message of this protocol. Outside any dialog, so it ends the link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Something announced or grew past its limit; nothing was allocated for the excess.
    #[error("a {} of {size} bytes is over the limit of {limit}", what.as_str())]
    Oversize {
        /// What it was.
        what: Unit,
        /// Its size so far, or as announced.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// A frame without content.
    #[error("a frame without content")]
    EmptyFrame,
    /// Flags that do not go together, or that nobody knows.
    #[error("a frame with the flags {0:#04x}")]
    BadFlags(u8),
    /// A head, a handshake message or a fault that does not decode.
    #[error("an undecodable {} ({cause})", what.as_str())]
    Undecodable {
        /// What it should have been.
        what: Unit,
        /// What the decoder said.
        cause: postcard::Error,
    },
    /// A head that decodes, with a field past its bound.
    #[error("a message with {0}")]
    Bound(#[from] BoundError),
    /// Bytes behind a message that has no payload.
    #[error("{size} bytes behind a {message}, which has no payload")]
    StrayPayload {
        /// The message.
        message: &'static str,
        /// How many bytes.
        size: usize,
    },
    /// A further part of a message that was never begun or is complete.
    #[error("a part of message {number}, of which there is no first part")]
    UnknownPart {
        /// The message's number.
        number: u32,
    },
    /// The first part of a message under the number of one that is not complete.
    #[error("a second first part of message {number}")]
    RepeatedPart {
        /// The message's number.
        number: u32,
    },
    /// More messages in parts than a link may have at once.
    #[error("more than {limit} messages in parts at once")]
    TooManyParts {
        /// The limit.
        limit: usize,
    },
}

/// A field of a message past its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoundError {
    /// The name of a function is too long.
    #[error("a function name of {len} bytes (at most {FUNCTION_NAME_MAX})")]
    FunctionName {
        /// Its length.
        len: usize,
    },
    /// The exclusive chain is too long.
    #[error("an exclusive chain of {len} actors (at most {CHAIN_MAX})")]
    Chain {
        /// Its length.
        len: usize,
    },
}
