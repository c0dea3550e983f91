//! Records between a process and its guardian, and the sockets that carry them with descriptors attached.
//!
//! One message is one record of a `SOCK_SEQPACKET` socket. Both ends are the same image, so there is no version; a record
//! that does not decode ends the connection. Nothing from a peer can make this allocate more than [`RECORD_MAX`] or
//! [`BLOCK_MAX`].

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use bytes::Bytes;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{BLOCK_MAX, RECORD_MAX};
use crate::host::linux::ExecBlock;
use crate::host::{ExitStatus, OsError, ProcessId, Signal, StartStage};

/// What a process asks of the guardian.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Start a process below the connection's owner. Attached: the descriptors of [`Attached`], in its order.
    Spawn(Spawn),
    /// Send a signal to a process the connection's owner started.
    Signal {
        /// The process.
        id: ProcessId,
        /// The signal.
        signal: Signal,
    },
    /// Answer with [`Event::Pong`].
    Ping(u64),
    /// End everything and leave; only the root may ask.
    Shutdown,
}

/// One process to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spawn {
    /// The requester's number for this request; the answer carries it.
    pub token: u64,
    /// Value of `TRACTOR_ACTOR`: tree and actor.
    pub tag: String,
    /// Its umask.
    pub umask: u32,
    /// How many of the strings are arguments.
    pub argc: u32,
    /// Arguments and environment, each ended by NUL; `None` if they are in an attached memory file.
    pub strings: Option<Bytes>,
}

/// What the guardian tells a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The guardian is up. Attached: a pidfd of it, where there are such.
    Hello {
        /// Its pid.
        guardian: u32,
    },
    /// The process runs this image.
    Spawned {
        /// The request.
        token: u64,
        /// The process.
        id: ProcessId,
        /// Its pid.
        pid: u32,
    },
    /// There is no such process, and none was left.
    Refused {
        /// The request.
        token: u64,
        /// How far it came.
        stage: StartStage,
        /// Why it came no further.
        error: OsError,
    },
    /// A process of this owner and all below it have ended and been reaped.
    Exited {
        /// The process.
        id: ProcessId,
        /// How.
        status: ExitStatus,
    },
    /// Answer to [`Request::Ping`].
    Pong(u64),
}

/// The descriptors of a [`Request::Spawn`], as the guardian takes them.
#[derive(Debug)]
pub struct Attached {
    /// The child's end of its data link.
    pub link: OwnedFd,
    /// The child's end of its lifeline.
    pub lifeline: OwnedFd,
    /// Its working directory.
    pub cwd: OwnedFd,
    /// Its three standard streams.
    pub stdio: [OwnedFd; 3],
    /// Memory file with the strings, if they are not in the record.
    pub strings: Option<OwnedFd>,
}

impl Attached {
    /// How many descriptors travel without the memory file.
    pub const COUNT: usize = 6;

    /// The descriptors of one record; `None` if they are not what a spawn needs.
    pub fn take(fds: Vec<OwnedFd>) -> Option<Self> {
        let mut fds = fds.into_iter();
        let attached = Self {
            link: fds.next()?,
            lifeline: fds.next()?,
            cwd: fds.next()?,
            stdio: [fds.next()?, fds.next()?, fds.next()?],
            strings: fds.next(),
        };
        fds.next().is_none().then_some(attached)
    }
}

/// One record as it was received.
#[derive(Debug)]
pub enum Received<T> {
    /// A message, and what was attached.
    Message(T, Vec<OwnedFd>),
    /// The peer has closed its end.
    End,
    /// Not a message of ours; the connection is to be ended.
    Undecodable,
}

/// Receives one record without blocking.
///
/// # Errors
///
/// `AGAIN` if there is none, `MFILE` if its descriptors do not fit this process, or what `recvmsg` gives.
pub fn receive<T: DeserializeOwned>(
    socket: impl AsFd,
    buffer: &mut Vec<u8>,
) -> Result<Received<T>, Errno> {
    buffer.resize(RECORD_MAX, 0);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut control, flags)?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if received.bytes == 0 {
        return Ok(Received::End);
    }
    if received.flags.contains(ReturnFlags::TRUNC) {
        return Ok(Received::Undecodable);
    }
    if received.flags.contains(ReturnFlags::CTRUNC) {
        // The kernel closed what it could not give us; the message is answered as one without descriptors.
        fds.clear();
    }
    Ok(match postcard::from_bytes(&buffer[..received.bytes]) {
        Ok(message) => Received::Message(message, fds),
        Err(_) => Received::Undecodable,
    })
}

/// Sends one record without blocking.
///
/// # Errors
///
/// `AGAIN` if the peer's buffer is full, `PIPE` or `CONNRESET` if it is gone, or what `sendmsg` gives.
pub fn send(socket: impl AsFd, record: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::INVAL);
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    sendmsg(socket, &[IoSlice::new(record)], &mut control, flags).map(|_| ())
}

/// The bytes of a message. Ours always encode: they hold nothing postcard refuses.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    postcard::to_stdvec(message).unwrap_or_default()
}

/// Reads the strings of a spawn from their memory file.
///
/// # Errors
///
/// `TOOBIG` above [`BLOCK_MAX`], or what reading gives.
pub fn read_strings(file: &OwnedFd) -> Result<Bytes, Errno> {
    let size = rustix::fs::fstat(file)?.st_size;
    let size = usize::try_from(size).map_err(|_| Errno::INVAL)?;
    if size > BLOCK_MAX {
        return Err(Errno::TOOBIG);
    }
    let mut strings = vec![0; size];
    let mut filled = 0;
    while filled < size {
        match rustix::io::pread(file, &mut strings[filled..], filled as u64)? {
            0 => return Err(Errno::INVAL), // cut off meanwhile
            count => filled += count,
        }
    }
    Ok(strings.into())
}

/// Puts strings that are too long for a record into a memory file.
///
/// # Errors
///
/// `TOOBIG` above [`BLOCK_MAX`], or what writing gives.
pub fn write_strings(block: &ExecBlock) -> Result<OwnedFd, Errno> {
    if block.strings.len() > BLOCK_MAX {
        return Err(Errno::TOOBIG);
    }
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let file = rustix::fs::memfd_create(c"tractor-environment", flags)?;
    let mut written = 0;
    while written < block.strings.len() {
        written += rustix::io::pwrite(&file, &block.strings[written..], written as u64)?;
    }
    Ok(file)
}

/// Most descriptors one record carries.
const FDS_MAX: usize = Attached::COUNT + 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::linux::{null, record_pair};

    #[test]
    fn a_record_arrives_with_its_descriptors() {
        let (ours, theirs) = record_pair().unwrap();
        let spawn = Request::Spawn(Spawn {
            token: 7,
            tag: "t:a@b".into(),
            umask: 0o22,
            argc: 1,
            strings: Some(Bytes::from_static(b"a\0")),
        });
        let file = null().unwrap();
        send(&ours, &encode(&spawn), &[file.as_fd(); Attached::COUNT]).unwrap();
        let mut buffer = Vec::new();
        let Received::Message(got, fds) = receive::<Request>(&theirs, &mut buffer).unwrap() else {
            panic!("a message was sent");
        };
        assert_eq!(got, spawn);
        assert!(Attached::take(fds).is_some());
        assert_eq!(
            receive::<Request>(&theirs, &mut buffer).unwrap_err(),
            Errno::AGAIN
        );
        drop(ours);
        assert!(matches!(
            receive::<Request>(&theirs, &mut buffer).unwrap(),
            Received::End
        ));
    }

    #[test]
    fn garbage_is_told_apart_and_too_few_descriptors_too() {
        let (ours, theirs) = record_pair().unwrap();
        let mut buffer = Vec::new();
        for bad in [&[0xff_u8; 40][..], &[0x00, 0xff][..]] {
            send(&ours, bad, &[]).unwrap();
            let got = receive::<Request>(&theirs, &mut buffer).unwrap();
            assert!(matches!(got, Received::Undecodable), "{bad:?}");
        }
        assert!(Attached::take(vec![null().unwrap()]).is_none());
    }

    #[test]
    fn long_strings_survive_the_memory_file() {
        let block = ExecBlock {
            argc: 1,
            strings: vec![b'x'; 300_000],
        };
        let file = write_strings(&block).unwrap();
        assert_eq!(read_strings(&file).unwrap(), block.strings);
        let block = ExecBlock {
            argc: 1,
            strings: vec![b'x'; BLOCK_MAX + 1],
        };
        assert_eq!(write_strings(&block).unwrap_err(), Errno::TOOBIG);
    }
}
