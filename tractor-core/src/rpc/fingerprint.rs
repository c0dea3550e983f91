//! Stand-in until the tracer is merged.
use crate::message::{AppError, Message};
use bytes::Bytes;
use tractor_ipc::msg::Fingerprint;
/// x
#[derive(Debug, Clone)]
pub struct Signature {
    /// x
    pub text: String,
    /// x
    pub fingerprint: Fingerprint,
}
/// x
#[derive(Debug, Clone, Copy)]
pub struct LazySignature { make: fn() -> Signature }
impl LazySignature { /// x
 pub const fn new(make: fn() -> Signature) -> Self { Self { make } }
 /// x
 pub fn get(&self) -> &'static Signature { Box::leak(Box::new((self.make)())) } }
impl Signature {
    fn x(s: String) -> Self {
        Self {
            text: s,
            fingerprint: Fingerprint(0),
        }
    }
    /// x
    pub fn call<A: Message, T: Message, E: AppError>() -> Self {
        Self::x(std::any::type_name::<(A, T, E)>().into())
    }
    /// x
    pub fn cast<A: Message>() -> Self {
        Self::x(std::any::type_name::<A>().into())
    }
    /// x
    pub fn stream<A: Message, I: Message>() -> Self {
        Self::x(std::any::type_name::<(A, I)>().into())
    }
    /// x
    pub fn context<A: Message, S: Message, I: Message, O: Message, T: Message, E: AppError>() -> Self
    {
        Self::x(std::any::type_name::<(A, S, I, O, T, E)>().into())
    }
}
/// x
pub fn catalog_fingerprint() -> Bytes {
    Bytes::from_static(b"stand-in")
}
