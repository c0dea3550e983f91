//! An actor as data: what is sent to where it shall live.

use std::any::TypeId;
use std::future::Future;
use std::marker::PhantomData;

use bytes::Bytes;
use tractor_ipc::msg::ActorPlan;

use super::{Actor, Flow, LoopEnd, Method, Portal, Turns, misrouted, run_exclusive};
use crate::message::{AnyError, Never};
use crate::rpc::{Expose, WireReply};

/// An actor to be started: its type, the arguments of its `#[init]`, and functions it exposes beside its methods.
#[derive(Debug)]
#[must_use = "a spec does nothing until an actor is started from it"]
pub struct Spec<A: Actor> {
    init: Result<Bytes, AnyError>,
    exposed: Vec<&'static str>,
    actor: PhantomData<fn() -> A>,
}

impl<A: Actor> Spec<A> {
    /// The actor these arguments make.
    pub fn new(init: A::Init) -> Self {
        let init = postcard::to_allocvec(&init)
            .map(Bytes::from)
            .map_err(AnyError::from);
        Self {
            init,
            exposed: Vec::new(),
            actor: PhantomData,
        }
    }

    /// Lets the actor serve these free functions beside its methods.
    pub fn expose(mut self, functions: Exposed) -> Self {
        self.exposed.extend(functions.names);
        self
    }

    /// What travels of it.
    pub(crate) fn plan(self) -> Result<(ActorPlan, Vec<Box<str>>), AnyError> {
        let exposed = self.exposed.into_iter().map(Into::into).collect();
        if TypeId::of::<A>() == TypeId::of::<Service>() {
            return Ok((ActorPlan::Service, exposed));
        }
        let type_name = A::type_name().into();
        Ok((
            ActorPlan::Stateful {
                type_name,
                init: self.init?,
            },
            exposed,
        ))
    }
}

/// Free functions an actor serves; made by `expose![…]`. By itself it is the spec of a service actor.
#[derive(Debug, Clone, Default)]
#[must_use = "exposed functions do nothing until an actor is started with them"]
pub struct Exposed {
    names: Vec<&'static str>,
}

impl Exposed {
    /// The functions of these names.
    pub fn new(names: Vec<&'static str>) -> Self {
        Self { names }
    }

    /// One function alone.
    pub fn one<F: Expose>() -> Self {
        Self {
            names: vec![F::NAME],
        }
    }

    pub(crate) fn names(&self) -> &[&'static str] {
        &self.names
    }
}

/// What an actor can be started from.
pub trait IntoSpec {
    /// The actor's type.
    type Actor: Actor;

    /// The spec.
    fn into_spec(self) -> Spec<Self::Actor>;
}

impl<A: Actor> IntoSpec for Spec<A> {
    type Actor = A;

    fn into_spec(self) -> Self {
        self
    }
}

impl IntoSpec for Exposed {
    type Actor = Service;

    fn into_spec(self) -> Spec<Service> {
        Spec::new(()).expose(self)
    }
}

/// The actor without state or methods of its own: it serves the functions it exposes.
#[derive(Debug)]
#[non_exhaustive]
pub struct Service;

/// A service has no methods, so no message to it can exist.
impl Actor for Service {
    type Msg = Never;
    type Portal = Portal<Self>;
    type Init = ();
    type InitError = Never;

    fn methods() -> &'static [Method] {
        &[]
    }

    async fn init((): ()) -> Result<Self, Never> {
        Ok(Self)
    }

    fn decode(index: u16, _args: &[u8], reply: WireReply) -> Option<Never> {
        reply.unknown_method(index);
        None
    }

    async fn handle_mut(&mut self, msg: Never) -> Flow {
        misrouted(msg)
    }

    fn run(self, turns: Turns<Self>) -> impl Future<Output = LoopEnd> + Send {
        run_exclusive(self, turns)
    }
}
