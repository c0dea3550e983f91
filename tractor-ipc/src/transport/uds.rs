//! Unix sockets: so far the pair that a child inherits.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt};
use tokio::net::UnixStream;

use super::{InheritError, PeerCredentials, ReadHalf, Transport, WriteHalf};
use crate::addr::Addr;

/// A connected Unix stream socket.
#[derive(Debug)]
pub struct UdsTransport {
    stream: UnixStream,
    addr: Addr,
    peer: Option<PeerCredentials>,
}

impl UdsTransport {
    /// A new connection, and the descriptor of its other end, to be inherited by a child. Both are closed by `exec`
    /// until whoever starts the child arranges otherwise.
    ///
    /// # Errors
    ///
    /// What the operating system says: in practice that there are too many descriptors.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self::new(ours)?, theirs))
    }

    /// The connection behind an inherited descriptor.
    ///
    /// # Errors
    ///
    /// [`InheritError`] if it is no connected Unix stream socket.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled.
    pub fn from_inherited(fd: OwnedFd) -> Result<Self, InheritError> {
        let is_stream = sockopt::socket_type(&fd).is_ok_and(|kind| kind == SocketType::STREAM)
            && sockopt::socket_domain(&fd).is_ok_and(|family| family == AddressFamily::UNIX);
        if !is_stream {
            return Err(InheritError::NotAStreamSocket);
        }
        rustix::net::getpeername(&fd).map_err(|_| InheritError::NotConnected)?;
        Self::new(fd).map_err(InheritError::from)
    }

    fn new(fd: OwnedFd) -> io::Result<Self> {
        let peer = sockopt::socket_peercred(&fd)
            .ok()
            .map(|found| PeerCredentials {
                pid: found.pid.as_raw_nonzero().get().unsigned_abs(),
                uid: found.uid.as_raw(),
                gid: found.gid.as_raw(),
            });
        let stream = StdStream::from(fd);
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: UnixStream::from_std(stream)?,
            addr: Addr::Inherited,
            peer,
        })
    }
}

impl Transport for UdsTransport {
    fn split(self: Box<Self>) -> (ReadHalf, WriteHalf) {
        let (reader, writer) = self.stream.into_split();
        (Box::new(reader), Box::new(writer))
    }

    fn addr(&self) -> Addr {
        self.addr.clone()
    }

    fn peer(&self) -> Option<PeerCredentials> {
        self.peer
    }
}
