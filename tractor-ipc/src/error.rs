//! What can go wrong with a link: one enum per operation, all of them cheap to clone.

use std::io;
use std::sync::Arc;

use crate::wire::codec::EncodeError;
use crate::wire::handshake::HandshakeError;
use crate::wire::{BoundError, WireError};

/// Why a link is gone. Everybody who waited on it gets the same one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LinkDown {
    /// It was closed here: nothing more can be sent.
    #[error("the link was closed at this end")]
    Closed,
    /// The operating system failed it; mostly that nobody is at the other end.
    #[error("the link failed: {0}")]
    Io(#[source] Arc<io::Error>),
    /// What came was no message, or one that had no place.
    #[error("the other end broke the protocol: {0}")]
    Protocol(Arc<str>),
    /// It was given up here, for this reason.
    #[error("the link was given up: {0}")]
    Aborted(Arc<str>),
}

impl From<io::Error> for LinkDown {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl From<RecvError> for LinkDown {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Down(down) => down,
            RecvError::Wire(_) | RecvError::Truncated { .. } => {
                Self::Protocol(error.to_string().into())
            }
        }
    }
}

/// Why a message was not queued. Nothing of it will be sent.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PushError {
    /// The link is gone.
    #[error(transparent)]
    Down(#[from] LinkDown),
    /// The message is over the limit.
    #[error("a message of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its size, head and payload.
        size: usize,
        /// The limit of this link.
        limit: usize,
    },
    /// A field of the message is past its bound.
    #[error("a message with {0}")]
    Bound(#[from] BoundError),
}

impl From<EncodeError> for PushError {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            EncodeError::Bound(bound) => Self::Bound(bound),
        }
    }
}

/// Why there is no next message. The same for every later attempt.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecvError {
    /// The bytes are no messages of this protocol.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The stream ended inside a message.
    #[error("the stream ended {received} bytes into a message")]
    Truncated {
        /// Bytes received of messages that are not complete.
        received: usize,
    },
    /// The link is gone.
    #[error(transparent)]
    Down(#[from] LinkDown),
}

/// Why no link was made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectError {
    /// The other end went away before the handshake was done.
    #[error("the other end went away before the handshake was done")]
    Closed,
    /// The handshake ended without agreement.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// What came was no handshake message.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The operating system failed the connection.
    #[error("the connection failed")]
    Io(#[source] Arc<io::Error>),
}
