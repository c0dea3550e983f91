//! The macros of tractor. Users meet them as `tractor::actor`, `tractor::rpc` and so on.
//!
//! Owns reading what the user wrote, judging it, and writing the code the runtime needs; holds no behaviour of its own:
//! whatever happens at run time is a function of `tractor-core` that the output calls through `__private`. Every macro
//! goes the same way, one module each:
//!
//! ```text
//! tokens ── parse ──► what was written ── check ──► what is meant ── expand ──► tokens
//!             │                             │
//!             └──── mistakes, all of them ──┴──► compile_error! at the user's token + the item as it was
//! ```

use proc_macro::TokenStream;

mod actor;
mod args;
mod checks;
mod context;
mod entry;
mod errors;
mod expose;
mod function;
mod message;
mod paths;
mod register;
mod rpc;
mod signature;
mod tokens;
mod types;

/// Makes an actor of an `impl` block.
///
/// Every method with `&self` or `&mut self` can be called through the actor's portal, `CounterPortal` for `Counter`.
/// `&mut self` methods run one at a time, in the order they arrive; `&self` methods run beside one another. Arguments
/// and results travel, so they are owned and serde can carry them; the actor's own portal is a value like others. A
/// method may fail if its return type is *called* `Result`, an alias of that name included: its error is then the
/// caller's `CallError::App`.
///
/// | attribute inside the block | what the function is |
/// |---|---|
/// | `#[init]` | makes the state, where the actor runs; exactly one |
/// | `#[cast]` | one way: returns nothing, or `Result<(), E>` |
/// | `#[stream]` | returns `impl Stream<Item = T>`; borrows the state only to build it |
/// | `#[context]`, `#[context(drain)]` | a long-lived pair of tasks; takes `&self`, or `me: Me<Self>` if the actor has `&mut self` methods, then `ctx` |
/// | `#[blocking]` | a plain `fn` that runs on the blocking pool |
/// | `#[cancel_safe]` | a `&mut self` method that may be dropped when its caller leaves |
/// | `#[on_start]`, `#[on_stop]`, `#[on_error]` | called by the runtime |
///
/// Arguments: `crate = path` says where tractor is.
#[proc_macro_attribute]
pub fn actor(arguments: TokenStream, item: TokenStream) -> TokenStream {
    actor::actor(arguments.into(), item.into()).into()
}

/// Makes a free `async fn` callable in every actor that exposes it.
///
/// `is_prime(7)` is then a call as a value: `.await` runs it here, a portal runs it there. `is_prime::local(7)` is the
/// plain function.
///
/// Arguments: `name = ".."` fixes its name on the wire; `crate = path` says where tractor is.
#[proc_macro_attribute]
pub fn rpc(arguments: TokenStream, item: TokenStream) -> TokenStream {
    rpc::rpc(arguments.into(), item.into()).into()
}

/// Makes a free `async fn` a context function: one side of a pair of linked tasks.
///
/// Its first parameter is `ctx: Context<Started, In, Out>`; the others travel. `f(10)` is then what a portal opens, and
/// `f::local(ctx, 10)` is the plain function.
///
/// Arguments: `name = ".."` fixes its name on the wire; `crate = path` says where tractor is.
#[proc_macro_attribute]
pub fn context(arguments: TokenStream, item: TokenStream) -> TokenStream {
    context::context(arguments.into(), item.into()).into()
}

/// Runs `async fn main` in a runtime, after an image that was started as an actor has gone its own way.
///
/// Arguments: `flavor = "multi_thread"` (the default) or `"current_thread"`, `workers = N`, `name = ".."` for the root,
/// `crate = path`.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::main(arguments.into(), item.into()).into()
}

/// Runs an `async fn` as a test, in a runtime of its own.
///
/// Arguments: `flavor = "current_thread"` (the default) or `"multi_thread"`, `workers = N`, `crate = path`.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::test(arguments.into(), item.into()).into()
}

/// Lists functions an actor offers: `expose![is_prime, math::is_even]`.
#[proc_macro]
pub fn expose(input: TokenStream) -> TokenStream {
    expose::expose(input.into()).into()
}

/// Names one instance of a generic actor, so that another process finds it: `register!(Worker<u32>);`.
#[proc_macro]
pub fn register(input: TokenStream) -> TokenStream {
    register::register(input.into()).into()
}

/// Checks that every field of a type can travel, and fixes its name and version on the wire.
///
/// `#[message(name = "..", version = 2, opaque)]`: the name is the type's path and the version 1 where they are not
/// given; `opaque` lets name and version stand for the shape. Generic types are refused.
#[proc_macro_derive(Message, attributes(message))]
pub fn message(input: TokenStream) -> TokenStream {
    message::message(input.into()).into()
}
