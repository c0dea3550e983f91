//! Entering and leaving processes: how a re-executed image learns what it is, and an actor's way in.

pub mod child;
pub mod entry;
pub mod role;
mod run;

pub use entry::init;
pub use role::ActorRole;
pub use run::{Flavor, MainOptions, TestOptions, main, test};
