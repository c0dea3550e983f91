//! Taking over a descriptor that was inherited as a number. The only unsafe code of this crate.

#![allow(
    unsafe_code,
    reason = "a number becomes an owned descriptor here and nowhere else"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use rustix::io::FdFlags;

/// Why a descriptor cannot be taken over.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InheritError {
    /// Standard input, output and error belong to everybody, and negative numbers to nobody.
    #[error("descriptor {0} cannot be inherited as a link")]
    Reserved(RawFd),
    /// There is no such descriptor.
    #[error("descriptor {0} is not open")]
    NotOpen(RawFd),
    /// It is no Unix stream socket.
    #[error("the descriptor is no unix stream socket")]
    NotAStreamSocket,
    /// Nothing is at its other end.
    #[error("the socket is not connected")]
    NotConnected,
    /// The operating system refused.
    #[error("the descriptor cannot be used")]
    Io(#[source] Arc<io::Error>),
}

impl From<io::Error> for InheritError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

/// Takes over the descriptor with this number, checks that it is open, and marks it to be closed by `exec`.
///
/// # Errors
///
/// [`InheritError`] if there is nothing to take.
///
/// # Safety
///
/// Nothing else in this process may own the descriptor: it was named to this process as inherited by whoever started
/// it, and is taken once.
pub unsafe fn take_inherited(number: RawFd) -> Result<OwnedFd, InheritError> {
    if number <= io::stderr().as_raw_fd() {
        return Err(InheritError::Reserved(number));
    }
    // SAFETY: borrowed for the next call alone, which is defined for every number: it says EBADF for one not open.
    let probe = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_getfd(probe).map_err(|_| InheritError::NotOpen(number))?;
    // SAFETY: it is open, as was just seen, and the caller vouches that nothing else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&fd, FdFlags::CLOEXEC).map_err(io::Error::from)?;
    Ok(fd)
}
