//! How bytes move between two ends.
//!
//! Owns everything that touches a socket. A transport is an ordered, reliable stream of bytes in both directions; it
//! knows no frame and no message. Every implementation passes `testing::check_transport`.

mod fd;
pub mod memory;
mod stream;
mod uds;

use std::fmt;

use tokio::io::{AsyncRead, AsyncWrite};

pub use fd::{InheritError, take_inherited};
pub(crate) use stream::{read_handshake, write_handshake};
pub use uds::UdsTransport;

use crate::addr::Addr;

/// The reading half of a transport.
pub type ReadHalf = Box<dyn AsyncRead + Send + Unpin>;

/// The writing half of a transport. Shutting it down is what the other end reads as the end of the stream.
pub type WriteHalf = Box<dyn AsyncWrite + Send + Unpin>;

/// One end of a connection that has not been handshaken yet.
pub trait Transport: fmt::Debug + Send + 'static {
    /// Takes it apart into its two directions.
    fn split(self: Box<Self>) -> (ReadHalf, WriteHalf);

    /// How the other end is reached.
    fn addr(&self) -> Addr;

    /// Whose process is at the other end, as the operating system says; `None` where it does not.
    fn peer(&self) -> Option<PeerCredentials>;
}

/// Whose process is at the other end of a socket.
///
/// For a socket pair these are the facts of the process that made the pair, not of one that inherited its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerCredentials {
    /// Its process.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}
