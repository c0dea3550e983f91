//! What bytes from outside may do, and what links promise, seen through the public interface.

mod bad_input;
mod codec;
mod corpus;
mod links;
mod strategy;
mod transports;
