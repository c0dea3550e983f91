//! What a runtime keeps for its actors: queues in, replies out.

pub mod inflight;
pub mod mailbox;
pub mod reply;
