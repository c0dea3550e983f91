//! Functions that can be called from elsewhere: the catalogue of this image, calls as values, and the serving of what
//! arrives.
//!
//! `catalog` lists the image's free functions, `call` is a call as a value, `shape` and `fingerprint` know what a
//! signature looks like on the wire, `serve` runs a function for a peer, `reply` carries a method's answer back.
//!
//! - RPC-1: every request taken up is answered exactly once: by its result, its failure, its panic or its cancellation.

mod call;
mod catalog;
pub mod checked;
pub mod fingerprint;
mod image;
mod reply;
mod serve;
pub mod shape;

pub use call::{Expose, FnCall, RpcFn, expose_entry};
pub(crate) use catalog::exposed_function;
pub use catalog::{FUNCTIONS, FunctionEntry};
pub use fingerprint::{LazySignature, Signature, catalog_fingerprint};
pub(crate) use reply::Answer;
pub use reply::{Reply, StreamReply, WireReply};
pub use serve::serve_rpc;
pub(crate) use serve::{FunctionIntake, check_signature, serve_function};
pub use shape::{MESSAGES, MessageEntry, Shape, ShapeError, shape};
