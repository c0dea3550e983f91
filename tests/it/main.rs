//! The library as its users have it, with real processes: every tree in a case process of its own, below a harness process
//! that counts what is left of it (`tractor_core::testing`).
//!
//! One module per concept. What the functions and actors of a test do is seen by their results, and by the [`signs`] they
//! give; nothing waits for a while and hopes.

mod actors;
mod call;
mod context;
mod errors;

mod payloads;
mod signs;
mod spawn;
mod streams;
