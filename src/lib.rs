//! Distributed structured concurrency: the facade. For now it hands out the macros.

pub use tractor_macros::*;

/// Stands for the runtime's type until it is here.
#[derive(Debug)]
pub struct Context<S, I, O>(std::marker::PhantomData<fn() -> (S, I, O)>);

/// Stands for the runtime's type until it is here.
#[derive(Debug)]
pub struct Me<A>(std::marker::PhantomData<fn() -> A>);
