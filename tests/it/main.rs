//! The library as its users have it, with real processes: every tree in a case process of its own, below a harness process
//! that counts what is left of it (`tractor_core::testing`).
//!
//! One module per concept. What the functions and actors of a test do is seen by their results, and by the [`signs`] they
//! give; nothing waits for a while and hopes.

#![allow(
    clippy::needless_pass_by_ref_mut,
    reason = "`&mut self` says of a method that it runs alone"
)]

mod actors;
mod bad_input;
mod call;
mod cancelling;
mod chain;
mod containment;
mod context;
mod entry;
mod errors;
mod exits;
mod faults;
mod interrupts;
mod limits;
mod odd;
mod payloads;
mod rules;
mod scopes;
mod signs;
mod spawn;
mod streams;
mod teardown;
mod waits;
