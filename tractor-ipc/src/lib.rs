//! Bytes and messages between two peers of a tractor tree.
//!
//! This crate knows frames, messages, handshakes and links; it knows no actor, no task and no process. Layers, imports
//! pointing down only: `time limits id ← addr ← msg ← wire ← transport ← channel`.

pub mod addr;
pub mod id;
pub mod limits;
pub mod msg;
pub mod time;

pub use addr::{ActorRef, Addr};
pub use id::{ActorId, ActorName, ActorSlot, Cid, LinkSide, NameError, TreeId};
pub use time::Instant;
