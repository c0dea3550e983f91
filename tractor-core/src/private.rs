//! What generated code names. No part of the interface: it changes with the macros.

pub use linkme;
pub use serde;

pub use crate::actor::{
    ACTORS, Actor, ActorEntry, CastError, Exposed, Flow, LoopEnd, Me, Method, MethodKind, OnError,
    SharedActor, Spec, Turns, misrouted, run_exclusive, run_phased, run_shared,
};
pub use crate::boot::entry::DIVERTING_MAIN;
pub use crate::boot::{Flavor, MainOptions, TestOptions, main, test};
pub use crate::context::{Context, serve_context};
pub use crate::message::{AppError, IsResult, Message, Never};
pub use crate::portal::{Call, CastCall, ContextCall, Portal, StreamCall};
pub use crate::rpc::{
    ContextFn, Expose, FUNCTIONS, FnCall, FnContext, FunctionEntry, Opening, Reply, RpcFn,
    ServedTask, StreamReply, WireReply, expose_entry,
};
