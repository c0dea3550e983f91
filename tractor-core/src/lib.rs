//! The runtime of tractor: nodes, actors, portals, contexts, nurseries and the guardian.
//!
//! Users depend on the `tractor` crate, which re-exports what is theirs; this crate is its engine.

pub mod clock;
pub mod fault;
pub mod limits;
pub mod message;
pub mod node;
pub mod proto;
pub mod scope;

mod sync;
