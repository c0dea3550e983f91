//! Handshake frames over a byte stream. They are read to the byte, so that whatever follows stays for the link.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ReadHalf, WriteHalf};
use crate::error::ConnectError;
use crate::msg::HandshakeMsg;
use crate::wire::codec;

/// Writes one handshake message.
pub(crate) async fn write_handshake(
    writer: &mut WriteHalf,
    msg: &HandshakeMsg,
) -> Result<(), ConnectError> {
    let frame = codec::encode_handshake(msg)?;
    writer.write_all(&frame).await.map_err(failed)?;
    writer.flush().await.map_err(failed)
}

/// Reads one handshake message.
pub(crate) async fn read_handshake(reader: &mut ReadHalf) -> Result<HandshakeMsg, ConnectError> {
    let mut length = [0; 4];
    reader.read_exact(&mut length).await.map_err(failed)?;
    let length = codec::handshake_length(u32::from_le_bytes(length))?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.map_err(failed)?;
    Ok(codec::decode_handshake(&body)?)
}

fn failed(error: io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset => ConnectError::Closed,
        _ => ConnectError::Io(Arc::new(error)),
    }
}
