//! How children come to be.
mod key;
mod unsupported;
pub use key::SpawnMethodKey;
pub(crate) use unsupported::refusal;
