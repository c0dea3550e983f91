//! **tractor: distributed structured concurrency for Rust.** A program is a tree of actors; a parent opens a nursery,
//! starts actors in it, calls them through portals, and streams with them through contexts. The block that opened the
//! nursery does not end before everything in it has ended and been reaped.

#![forbid(unsafe_code)]

pub mod prelude;

#[doc(hidden)]
pub use tractor_core::private as __private;

pub use tractor_core::actor::Portal;
pub use tractor_core::actor::{Actor, CastError};
pub use tractor_core::actor::{Exposed, IntoSpec, Me, OnError, Service, Spec};
pub use tractor_core::boot::init;
pub use tractor_core::context::{Callee, Context, MsgStream, OneWay, Open, Opened, OpenedContext};
pub use tractor_core::error::{
    CallError, Error, OpenError, RecvError, Result, SendError, SpawnError,
};
pub use tractor_core::fault::{RemoteError, RemoteErrorKind};
pub use tractor_core::message::{AnyError, AppError, Message, Never};
pub use tractor_core::node::Statistics;
pub use tractor_core::nursery::{
    ActorNursery, OneShot, Root, RootBuilder, RunError, current_actor, current_parent,
    current_tree, is_root, open_nursery, root, statistics,
};
pub use tractor_core::scope::{Cancellation, inherit};
pub use tractor_core::spawn::{SpawnMethodKey, StderrTo, StdioTo};
pub use tractor_ipc::msg::CancelReason;
pub use tractor_ipc::{ActorId, TreeId};

pub use tractor_macros::{Message, actor, context, expose, main, register, rpc, test};
