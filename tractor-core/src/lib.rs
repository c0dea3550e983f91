//! The runtime of tractor: nodes, actors, portals, contexts, nurseries and the guardian.
//!
//! Users depend on the `tractor` crate, which re-exports what is theirs; this crate is its engine.

pub mod boot;
pub mod fault;
pub mod guardian;
pub mod host;
pub mod limits;
pub mod message;
pub mod node;
