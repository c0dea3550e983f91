//! Bytes and messages between two peers of a tractor tree.
//!
//! This crate knows frames, messages, handshakes and links; it knows no actor, no task and no process. Layers, imports
//! pointing down only: `time limits id ← addr ← msg ← wire ← transport ← channel`.

#![deny(unsafe_code)]

pub mod addr;
pub mod channel;
pub mod error;
#[cfg(any(test, fuzzing, feature = "testing"))]
pub mod fuzzing;
pub mod id;
pub mod limits;
pub mod msg;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod transport;
pub mod wire;

pub use addr::{ActorRef, Addr};
pub use channel::{
    Flusher, Lane, Link, LinkLimits, LinkReceiver, LinkSender, LinkStatistics, PeerInfo,
    ReceiverStatistics, Room, accept, dial,
};
pub use error::{ConnectError, LinkDown, PushError, RecvError};
pub use id::{ActorId, ActorName, ActorSlot, Cid, LinkSide, NameError, TreeId};
pub use time::Instant;
pub use transport::{InheritError, PeerCredentials, Transport, UdsTransport, take_inherited};
pub use wire::handshake::{Agreed, AnswerFault, Expect, Handshake, HandshakeError, Introduction};
pub use wire::{BoundError, Unit, WireError};
