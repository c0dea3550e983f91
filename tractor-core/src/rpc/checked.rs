//! How generated code asks whether a type can travel, so that a type that cannot is reported once.
//!
//! Generated code names a user's type in many places that all want it to be [`Message`]. Asked at each of them, the
//! compiler reports one mistake a dozen times, most of them at the attribute. So each distinct type is asked once, in a
//! constant inside a type:
//!
//! ```text
//! type T0 = <Checked<{ travels::<Order>() }> as Pick<Order>>::Type;      the very same type as `Order`
//! ```
//!
//! and everywhere else `T0` is named. Where the question fails, the constant is an error, the type with it, and the
//! compiler says nothing more about either. This has to be asked in two steps, since `Serialize` and `Deserialize`
//! missing would be two reports: the second step is about a type that is an error already if the first has failed.

use crate::message::{AppError, Message};

/// A type that has been asked something.
#[derive(Debug, Clone, Copy)]
pub struct Checked<const ANSWER: bool>;

/// What has been asked, if the answer was yes.
pub trait Pick<T> {
    /// The type itself.
    type Type;
}

impl<T> Pick<T> for Checked<true> {
    type Type = T;
}

/// A value that can leave an actor: half of what a [`Message`] is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between actors",
    label = "this type is an argument, a result or a streamed value of an actor",
    note = "values that travel need `#[derive(serde::Serialize, serde::Deserialize)]`, own their data and are `Send`",
    note = "to hand over a reference, take an owned type instead: `&str` -> `String`, `&[T]` -> `Vec<T>`"
)]
pub trait Outgoing: serde::Serialize {}

impl<T: serde::Serialize> Outgoing for T {}

/// First question: can it leave an actor?
pub const fn can_leave<T: Outgoing>() -> bool {
    true
}

/// Second question: can it travel?
pub const fn travels<T: Message>() -> bool {
    true
}

/// Can it be the error of an actor's method?
pub const fn is_error<E: AppError>() -> bool {
    true
}

/// `&self` methods run beside one another, on a state that several threads may look at.
pub const fn shared_methods_need_sync<A: Sync>() -> bool {
    true
}

/// The future of a handler, which its actor's task may take to another thread.
pub fn handlers_must_be_send<F: Future + Send>(handler: F) -> F {
    handler
}
