//! Messages to bytes and back: postcard heads, raw payloads, long messages in parts.
//!
//! - WIRE-2: whatever the bytes and however they are cut, the decoder gives the messages that were encoded, or one
//!   error and then the same error for ever; it never panics.
//! - WIRE-3: a message in parts costs at most its limit in memory, and no more than was received of it; a link has
//!   at most [`ASSEMBLIES_MAX`](crate::limits::ASSEMBLIES_MAX) of them.
//! - WIRE-4: a message that cannot be sent leaves no byte behind in the buffer it was to be written to.

mod bounds;
mod decode;
mod encode;

use bytes::Bytes;

pub use decode::Decoder;
use encode::encode_into;
pub use encode::{EncodeError, Encoder, append};

use super::{Unit, WireError};
use crate::limits::HANDSHAKE_FRAME_MAX;
use crate::msg::{EndedHow, Fault, FaultShapeError, HandshakeMsg, Msg, PROTOCOL};

/// A handshake message as one frame.
///
/// # Errors
///
/// [`WireError::Oversize`] if it is longer than an unauthenticated peer may send.
pub fn encode_handshake(msg: &HandshakeMsg) -> Result<Vec<u8>, WireError> {
    let mut out = vec![0; 4];
    encode_into(&mut out, msg);
    let body = out.len() - 4;
    handshake_length(body as u32)?;
    out[..4].copy_from_slice(&(body as u32).to_le_bytes());
    Ok(out)
}

/// Checks the length field of a handshake frame before anything is allocated for its body.
///
/// # Errors
///
/// [`WireError`] if it is nothing, or above what an unauthenticated peer may send.
pub fn handshake_length(length: u32) -> Result<usize, WireError> {
    match length as usize {
        0 => Err(WireError::EmptyFrame),
        body if body > HANDSHAKE_FRAME_MAX => {
            Err(oversize(Unit::HandshakeFrame, body, HANDSHAKE_FRAME_MAX))
        }
        body => Ok(body),
    }
}

/// Reads the body of a handshake frame.
///
/// Bytes behind a `Hello` of a peer that speaks newer versions too are fields of those, and ignored: it must stay
/// possible to answer it.
///
/// # Errors
///
/// [`WireError::Undecodable`] if it is no handshake message.
pub fn decode_handshake(body: &[u8]) -> Result<HandshakeMsg, WireError> {
    let undecodable = |cause| WireError::Undecodable {
        what: Unit::HandshakeFrame,
        cause,
    };
    let (msg, rest) = postcard::take_from_bytes::<HandshakeMsg>(body).map_err(undecodable)?;
    let newer = matches!(&msg, HandshakeMsg::Hello(hello) if hello.versions.max > PROTOCOL.max);
    match rest.is_empty() || newer {
        true => Ok(msg),
        false => Err(undecodable(postcard::Error::DeserializeBadEncoding)),
    }
}

/// Why a payload that should be a fault is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultDecodeError {
    /// The bytes are no fault.
    #[error("an undecodable fault ({0})")]
    Undecodable(postcard::Error),
    /// The nodes are no fault.
    #[error(transparent)]
    Shape(#[from] FaultShapeError),
}

/// A fault as the payload of a `Fail` or `Ended`.
pub fn encode_fault(fault: &Fault) -> Bytes {
    let mut out = Vec::new();
    encode_into(&mut out, fault);
    out.into()
}

/// The fault in the payload of a `Fail` or `Ended`.
///
/// # Errors
///
/// [`FaultDecodeError`] if it does not decode, or is not one tree within the limits.
pub fn decode_fault(payload: &[u8]) -> Result<Fault, FaultDecodeError> {
    let (fault, rest) =
        postcard::take_from_bytes::<Fault>(payload).map_err(FaultDecodeError::Undecodable)?;
    if !rest.is_empty() {
        let cause = postcard::Error::DeserializeBadEncoding;
        return Err(FaultDecodeError::Undecodable(cause));
    }
    fault.check()?;
    Ok(fault)
}

/// What a message is called in texts.
pub fn name(msg: &Msg) -> &'static str {
    match msg {
        Msg::Start(_) => "Start",
        Msg::StartAck(_) => "StartAck",
        Msg::Started { .. } => "Started",
        Msg::Yield { .. } => "Yield",
        Msg::Credit(_) => "Credit",
        Msg::Stop { .. } => "Stop",
        Msg::Return { .. } => "Return",
        Msg::Fail { .. } => "Fail",
        Msg::Cancel(_) => "Cancel",
        Msg::CancelAck(_) => "CancelAck",
        Msg::Cast(_) => "Cast",
        Msg::SpawnSpec => "SpawnSpec",
        Msg::Ready { .. } => "Ready",
        Msg::Drain(_) => "Drain",
        Msg::Ended { .. } => "Ended",
        Msg::Ping(_) => "Ping",
        Msg::Pong(_) => "Pong",
        Msg::Bye => "Bye",
    }
}

/// Whether bytes may follow the head of this message.
pub fn takes_payload(msg: &Msg) -> bool {
    match msg {
        Msg::Start(_)
        | Msg::Started { .. }
        | Msg::Yield { .. }
        | Msg::Return { .. }
        | Msg::Fail { .. }
        | Msg::Cast(_)
        | Msg::SpawnSpec => true,
        Msg::Ended { how, .. } => *how == EndedHow::Failed,
        Msg::StartAck(_)
        | Msg::Credit(_)
        | Msg::Stop { .. }
        | Msg::Cancel(_)
        | Msg::CancelAck(_)
        | Msg::Ready { .. }
        | Msg::Drain(_)
        | Msg::Ping(_)
        | Msg::Pong(_)
        | Msg::Bye => false,
    }
}

fn oversize(what: Unit, size: usize, limit: usize) -> WireError {
    WireError::Oversize {
        what,
        size: size as u64,
        limit: limit as u64,
    }
}
