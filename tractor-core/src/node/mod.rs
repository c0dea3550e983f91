//! What one process of a tree has once.

pub mod lifeline;
pub mod reaper;
