//! What most programs name: `use tractor::prelude::*;`.

pub use crate::{
    ActorNursery, AnyError, CallError, Context, Me, Message, MsgStream, Portal, RemoteError,
    open_nursery,
};
