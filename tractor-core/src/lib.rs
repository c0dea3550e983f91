//! The runtime of tractor: nodes, actors, portals, contexts, nurseries and the guardian.
//!
//! Users depend on the `tractor` crate, which re-exports what is theirs; this crate is its engine.

pub mod actor;
pub mod boot;
pub mod cancel;
pub mod clock;
pub mod context;
pub mod error;
pub mod fault;
#[cfg(feature = "testing")]
pub mod fuzzing;
pub mod guardian;
pub mod host;
pub mod limits;
pub mod message;
pub mod node;
pub mod nursery;
#[doc(hidden)]
pub mod private;
pub mod proto;
pub mod rpc;
pub mod scope;
pub mod spawn;
#[cfg(feature = "testing")]
pub mod testing;

mod sync;
