//! A handshaken link: messages in, messages out.
//!
//! ```text
//!   LinkSender::push ─▶ Outbox (control │ data) ─ swap ─▶ Batch ─ Flusher, one write ─▶ socket
//!   socket ─ one read ─▶ Decoder ─▶ LinkReceiver::recv, try_recv
//! ```
//!
//! Owns the two lanes, the order in which bytes leave, and how everybody learns that a link is gone. It never spawns:
//! whoever made the link runs its [`Flusher`] and drives its [`LinkReceiver`]. It never decides what a message means.
//!
//! - CHAN-1: a message is queued whole or not at all, and what is queued on one lane leaves in that order.
//! - CHAN-2: control bytes of a batch are written before its data bytes, and a batch is written whole before the
//!   next is taken. So a `Cancel` passes data that is queued, and never the `Start` of its own dialog once that was
//!   taken into a batch; one that was not can be retracted.
//! - CHAN-3: a link that cannot be written is still read to its end: the last words of a peer that has gone are not
//!   lost. Only an abort stops both.
//! - CHAN-4: every waiter of a link that is gone gets the same cause.

mod flusher;
mod outbox;
mod receiver;
mod sender;
mod shared;

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;

pub use flusher::Flusher;
pub use receiver::{LinkReceiver, ReceiverStatistics};
pub use sender::{LinkSender, Room};

use crate::addr::Addr;
use crate::error::ConnectError;
use crate::id::{ActorId, LinkSide, TreeId};
use crate::limits::{MESSAGE_MAX, WRITE_HIGH_WATER};
use crate::msg::{Features, Hello, Role};
use crate::transport::{PeerCredentials, Transport, read_handshake, write_handshake};
use crate::wire::handshake::{Agreed, Expect, Handshake};

/// Which of the two queues of a link a message leaves by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Short messages that pass queued data.
    Control,
    /// Everything whose order counts.
    Data,
}

/// What a link is bounded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLimits {
    /// Longest message sent and accepted.
    pub message_max: usize,
    /// Queued bytes of data above which senders should wait.
    pub write_high_water: usize,
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self {
            message_max: MESSAGE_MAX,
            write_high_water: WRITE_HIGH_WATER,
        }
    }
}

/// Who is at the other end of a link, and what both agreed on.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    /// Who it is.
    pub identity: ActorId,
    /// What it is to us.
    pub role: Role,
    /// The tree it belongs to.
    pub tree: TreeId,
    /// Which life of that identity.
    pub epoch: u64,
    /// The protocol version in force.
    pub version: u16,
    /// The features in force.
    pub features: Features,
    /// Its catalogue's fingerprint.
    pub catalog: Bytes,
    /// How it is reached.
    pub addr: Addr,
    /// Whose process it is, where the transport knows.
    pub credentials: Option<PeerCredentials>,
}

/// What has been queued and written on a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkStatistics {
    /// Messages queued, those retracted not counted.
    pub messages: u64,
    /// Frames they made.
    pub frames: u64,
    /// Bytes they made.
    pub bytes: u64,
    /// Messages retracted.
    pub retracted: u64,
    /// Write calls so far, as of the batch taken last.
    pub writes: u64,
    /// Bytes queued and not yet taken by the flusher.
    pub queued: usize,
}

/// A handshaken link, in its parts.
#[derive(Debug)]
pub struct Link {
    /// Queues messages; any number of clones.
    pub sender: LinkSender,
    /// Hands out the messages that come.
    pub receiver: LinkReceiver,
    /// Writes what was queued; to be run as a task.
    pub flusher: Flusher,
    /// Who is at the other end.
    pub peer: PeerInfo,
    /// Which end this is.
    pub side: LinkSide,
}

/// Makes a link as the side that dials.
///
/// # Errors
///
/// [`ConnectError`] if there is no agreement; the connection is then closed.
///
/// # Cancel safety
///
/// Not cancel safe: dropping the future closes the connection. Race it against a deadline, and start over.
pub async fn dial(
    transport: Box<dyn Transport>,
    hello: Hello,
    limits: LinkLimits,
) -> Result<Link, ConnectError> {
    connect(transport, Handshake::dial(hello), LinkSide::Dialler, limits).await
}

/// Makes a link as the side that was there first. A dialler that is not as expected is told why, and refused.
///
/// # Errors
///
/// [`ConnectError`] if there is no agreement; the connection is then closed.
///
/// # Cancel safety
///
/// Not cancel safe: dropping the future closes the connection. Race it against a deadline, and start over.
pub async fn accept(
    transport: Box<dyn Transport>,
    expect: Expect,
    limits: LinkLimits,
) -> Result<Link, ConnectError> {
    let uid = transport.peer().map(|peer| peer.uid);
    connect(
        transport,
        Handshake::accept(expect, uid),
        LinkSide::Acceptor,
        limits,
    )
    .await
}

async fn connect(
    transport: Box<dyn Transport>,
    mut machine: Handshake,
    side: LinkSide,
    limits: LinkLimits,
) -> Result<Link, ConnectError> {
    let (addr, credentials) = (transport.addr(), transport.peer());
    let (mut reader, mut writer) = transport.split();
    loop {
        while let Some(msg) = machine.poll_send() {
            write_handshake(&mut writer, &msg).await?;
        }
        let agreed = match machine.outcome() {
            None => {
                machine.handle(read_handshake(&mut reader).await?);
                continue;
            }
            Some(Err(error)) => {
                let error = error.clone();
                // The other end may have gone already; the handshake's own error is the one to tell.
                drop(writer.shutdown().await);
                return Err(error.into());
            }
            Some(Ok(agreed)) => agreed.clone(),
        };
        let parts = agreed.features.contains(Features::PARTS);
        let shared = Arc::new(shared::Shared::new(limits, parts));
        return Ok(Link {
            sender: LinkSender::new(shared.clone()),
            receiver: LinkReceiver::new(reader, shared.clone(), limits.message_max),
            flusher: Flusher::new(writer, shared),
            peer: PeerInfo::new(agreed, addr, credentials),
            side,
        });
    }
}

impl PeerInfo {
    fn new(agreed: Agreed, addr: Addr, credentials: Option<PeerCredentials>) -> Self {
        let Agreed {
            identity,
            role,
            tree,
            epoch,
            version,
            features,
            catalog,
        } = agreed;
        Self {
            identity,
            role,
            tree,
            epoch,
            version,
            features,
            catalog,
            addr,
            credentials,
        }
    }
}
