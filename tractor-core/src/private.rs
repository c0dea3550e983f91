//! What generated code names. No part of the interface: it changes with the macros.

pub use linkme;
pub use serde;

pub use crate::actor::portal::{Call, CastCall, ContextCall, Portal, StreamCall};
pub use crate::actor::{
    ACTORS, Actor, ActorEntry, CastError, Exposed, Flow, LoopEnd, Me, Method, MethodKind, OnError,
    SharedActor, Spec, Turns, misrouted, run_exclusive, run_phased, run_shared,
};
pub use crate::boot::entry::DIVERTING_MAIN;
pub use crate::boot::{Flavor, MainOptions, TestOptions, main, test};
pub use crate::context::{Context, ContextFn, FnContext, serve_context};
pub use crate::message::{AppError, IsResult, Message, Never};
pub use crate::node::{Opening, ServedTask};
pub use crate::rpc::checked::{
    Checked, Pick, can_leave, handlers_must_be_send, is_error, shared_methods_need_sync, travels,
};
pub use crate::rpc::shape::{MESSAGES, MessageEntry};
pub use crate::rpc::{
    Expose, FUNCTIONS, FnCall, FunctionEntry, Reply, RpcFn, StreamReply, WireReply, expose_entry,
};
