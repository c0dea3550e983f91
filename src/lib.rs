//! **tractor: distributed structured concurrency for Rust.** A program is a tree of actors; a parent opens a nursery,
//! starts actors in it, calls them through portals, and streams with them through contexts. The block that opened the
//! nursery does not end before everything in it has ended and been reaped.

#![forbid(unsafe_code)]

pub mod prelude;

#[doc(hidden)]
pub use tractor_core::private as __private;

pub use tractor_core::actor::portal::{
    Call, CallFuture, CastCall, ContextCall, RunCall, RunFuture, StreamCall,
};
pub use tractor_core::actor::{
    Actor, CastError, Exposed, IntoSpec, Me, OnError, Portal, Service, Spec,
};
pub use tractor_core::boot::init;
pub use tractor_core::cancel::{
    CancelScope, CancelScopeOptions, Cleaned, cancel_scope, checkpoint, current_deadline,
    fail_after, fail_at, finally, finally_within, move_on_after, move_on_at, sleep, sleep_until,
};
pub use tractor_core::clock::{Clock, TokioClock};
pub use tractor_core::context::FnContext;
pub use tractor_core::context::{
    Callee, Context, MsgStream, NotStarted, OneWay, Open, Opened, OpenedContext, Stream,
};
pub use tractor_core::error::{
    CallError, EndError, Error, OpenError, RecvError, Result, SendError, SpawnError,
};
pub use tractor_core::fault::{RemoteError, RemoteErrorKind};
pub use tractor_core::message::{AnyError, AppError, Message, Never};
pub use tractor_core::node::Statistics;
pub use tractor_core::nursery::{
    ActorNursery, NurseryOptions, OneShot, Root, RootBuilder, RunError, RunInActor, StartActor,
    current_actor, current_parent, current_tree, is_root, now, nursery, on_exit, open_nursery,
    root, statistics,
};
pub use tractor_core::proto::Ladder;
pub use tractor_core::rpc::FnCall;
pub use tractor_core::scope::{Cancellation, inherit};
pub use tractor_core::spawn::{SpawnMethodKey, StderrTo, StdioTo};
pub use tractor_ipc::msg::CancelReason;
pub use tractor_ipc::{ActorId, ActorName, Instant, NameError, TreeId};

pub use tractor_macros::{Message, actor, context, expose, main, register, rpc, test};
