//! What an actor is to the runtime: the trait `#[tractor::actor]` implements, its method table, and how it is run.
//!
//! `spec` is an actor as data, `cell` what its loop, portals and link share, `letter` what waits in its mailbox,
//! `phases` the loops, `me` the way from a context to the state, `life` the span from `#[init]` to the last word.
//!
//! - ACT-1: `&mut self` handlers run one at a time, `&self` handlers never beside one; starts are in arrival order.
//! - ACT-2: a started `&mut self` handler runs to its end unless the actor itself is torn down.

mod cell;
mod hooks;
mod letter;
mod life;
mod me;
mod method;
mod phases;
pub mod portal;
mod spec;

use std::future::Future;

pub(crate) use cell::ActorCell;
pub use hooks::{CastError, Flow, OnError, misrouted};
pub(crate) use letter::{Binding, Letter, Ticket};
pub(crate) use life::run_actor;
pub use life::{ACTORS, ActorEntry, BootPlan, Ending};
pub use me::Me;
pub use method::{Method, MethodKind};
pub use phases::{LoopEnd, Turns, run_exclusive, run_phased, run_shared};
pub use portal::Portal;
pub use spec::{Exposed, IntoSpec, Service, Spec};

use crate::message::{AppError, Message};
use crate::node::{Opening, ServedTask};
use crate::rpc::WireReply;

/// An actor's type. Implemented by `#[tractor::actor]`, not by hand.
pub trait Actor: Sized + Send + 'static {
    /// One variant for each method that is called through the mailbox.
    type Msg: Send + 'static;
    /// The portal with a method for each of the actor's.
    type Portal: From<Portal<Self>> + Clone + Send + Sync + 'static;
    /// The arguments of its `#[init]`, as a tuple.
    type Init: Message;
    /// The error of its `#[init]`.
    type InitError: AppError;

    /// Its name in the catalogue.
    fn type_name() -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Its methods; a method's place is its number on the wire.
    fn methods() -> &'static [Method];

    /// Builds the state, in the process the actor lives in.
    fn init(args: Self::Init) -> impl Future<Output = Result<Self, Self::InitError>> + Send;

    /// Turns a request from the wire into a message; `None` if it was refused, which the caller has been told.
    fn decode(index: u16, args: &[u8], reply: WireReply) -> Option<Self::Msg>;

    /// Runs one `&mut self` method.
    fn handle_mut(&mut self, msg: Self::Msg) -> impl Future<Output = Flow> + Send;

    /// Runs one `#[blocking]` method, on the blocking pool.
    fn handle_blocking(&mut self, msg: Self::Msg) -> Flow {
        misrouted(msg)
    }

    /// The loop that fits the methods' receivers.
    fn run(self, turns: Turns<Self>) -> impl Future<Output = LoopEnd> + Send;

    /// Serves a context method; `None` if there is none of that number.
    fn open_context(_index: u16, _me: Me<Self>, _opening: Opening) -> Option<ServedTask> {
        None
    }

    /// Runs before the first request.
    fn on_start(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Runs after the last request, on every orderly way out, within the time that is left.
    fn on_stop(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Decides what the failure of a one-way message means, which has no caller to go to.
    fn on_error(&self, _error: CastError) -> OnError {
        OnError::Crash
    }

    /// What follows from a failed one-way message.
    fn cast_failed(&self, error: CastError) -> Flow {
        hooks::cast_failed(self, error)
    }
}

/// An actor with `&self` methods, which run beside one another.
pub trait SharedActor: Actor + Sync {
    /// Runs one `&self` method.
    fn handle_ref(&self, msg: Self::Msg) -> impl Future<Output = Flow> + Send;
}
