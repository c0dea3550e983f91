//! Contexts: two linked tasks, one in each of two actors, with a first value, a stream each way and a result.
//!
//! `caller` is the side that opens, with the block that outlives nothing of it; `callee` the side that serves; `stream`
//! is the flow between them, the same on both sides.
//!
//! - CTX-1: a block does not end before the far task has ended or the link is lost; one that was cancelled ends in
//!   bounded time.
//! - CTX-2: what does not fit the context's phase does not compile: each step consumes the one before.

mod callee;
mod caller;
mod function;
mod open;
mod stream;

pub(crate) use callee::serve_context_fn;
/// Values over time, as `#[stream]` methods return them.
pub use futures_util::Stream;

pub use callee::{Callee, Context, NotStarted, Open, serve_context};
pub use caller::{OneWay, Opened, OpenedContext};
pub use function::{ContextFn, FnContext};
pub(crate) use open::{Dialog, open_block, open_stream_block};
pub use stream::MsgStream;
pub(crate) use stream::send_value;
