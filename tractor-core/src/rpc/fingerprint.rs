//! Signatures of callables: what their values look like on the wire, as a text to read and a number to compare.
//!
//! ```text
//! (u64, str) -> u64 ! NotReady{left: u32}                          a call; without `!` it cannot fail
//! cast (str,)                                                      one way
//! (Duration{secs: u64, nanos: u32},) -> stream u64                 values one way
//! (str,) -> context(started Hello, in Ask, out Answer) -> u32      a context, as its callee sees it
//! ```
//!
//! A caller and a callee of one image have the same types and compare nothing ([`catalog_fingerprint`]). Of two images
//! each finds its own fingerprint of a callable on first use; where they differ the call fails, and nothing is decoded
//! on trust. The fingerprint guards against mistakes, not against a peer that lies about its own: FNV is no
//! cryptographic hash.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use tractor_ipc::msg::Fingerprint;

use super::shape::{ShapeError, shape};
use crate::message::{AppError, Message, Never};

pub use super::image::catalog_fingerprint;

/// The types of a callable as they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// To be read.
    pub text: String,
    /// To be compared: a hash of the text.
    pub fingerprint: Fingerprint,
    error: Option<ShapeError>,
}

impl Signature {
    /// Of what is called and answers.
    pub fn call<Args: Message, T: Message, E: AppError>() -> Self {
        let text = Writer::default().part::<Args>("");
        text.result::<T, E>().finish()
    }

    /// Of what is sent one way.
    pub fn cast<Args: Message>() -> Self {
        Writer::default().part::<Args>("cast ").finish()
    }

    /// Of what answers with a stream.
    pub fn stream<Args: Message, Item: Message>() -> Self {
        let text = Writer::default().part::<Args>("");
        text.part::<Item>(" -> stream ").finish()
    }

    /// Of a context, as its callee sees it: `In` is what it receives.
    pub fn context<Args, Started, In, Out, T, E>() -> Self
    where
        Args: Message,
        Started: Message,
        In: Message,
        Out: Message,
        T: Message,
        E: AppError,
    {
        let text = Writer::default().part::<Args>("");
        let text = text.part::<Started>(" -> context(started ");
        let text = text.part::<In>(", in ").part::<Out>(", out ").word(")");
        text.result::<T, E>().finish()
    }

    /// Why the first of its types that cannot travel does not, if one does not: no call of it will succeed.
    pub fn error(&self) -> Option<&ShapeError> {
        self.error.as_ref()
    }
}

/// The signature of one callable, found when it is first asked for, and then once for the whole image.
///
/// Has no cell of its own, so that a table of them can be a constant, of generic actors too.
#[derive(Clone, Copy, Debug)]
pub struct LazySignature {
    make: fn() -> Signature,
}

impl LazySignature {
    /// The signature that `make` makes; always the same.
    pub const fn new(make: fn() -> Signature) -> Self {
        Self { make }
    }

    /// The signature.
    pub fn get(self) -> &'static Signature {
        /// One for each callable of the image that was asked about, by its `make`. Two of one address have the same
        /// code and so the same signature.
        static KNOWN: LazyLock<RwLock<HashMap<usize, &'static Signature>>> =
            LazyLock::new(RwLock::default);

        let key = self.make as usize;
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(signature) = known.get(&key) {
            return signature;
        }
        drop(known);
        // The types' own code runs here, and may ask for signatures itself.
        let signature = (self.make)();
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(key)
            .or_insert_with(|| Box::leak(Box::new(signature)))
    }
}

/// A signature being written.
#[derive(Default)]
struct Writer {
    text: String,
    error: Option<ShapeError>,
}

impl Writer {
    fn word(mut self, word: &str) -> Self {
        self.text.push_str(word);
        self
    }

    fn part<T: Message>(mut self, before: &str) -> Self {
        self.text.push_str(before);
        match shape::<T>() {
            Ok(shape) => self.text.push_str(&shape.to_string()),
            Err(error) => {
                self.text.push_str("unsendable ");
                self.text.push_str(std::any::type_name::<T>());
                self.error.get_or_insert(error);
            }
        }
        self
    }

    fn result<T: Message, E: AppError>(self) -> Self {
        let text = self.part::<T>(" -> ");
        if TypeId::of::<E>() == TypeId::of::<Never>() {
            return text;
        }
        text.part::<E>(" ! ")
    }

    fn finish(self) -> Signature {
        Signature {
            fingerprint: Fingerprint(fnv1a(self.text.as_bytes())),
            text: self.text,
            error: self.error,
        }
    }
}

/// FNV-1a with 128 bits: the same in every version of every program, which std's hashers do not promise.
pub(super) fn fnv1a(bytes: &[u8]) -> u128 {
    bytes.iter().fold(FNV_OFFSET, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(FNV_PRIME)
    })
}

const FNV_OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::*;

    #[derive(Debug, Serialize, Deserialize, thiserror::Error)]
    #[error("not ready")]
    struct NotReady {
        left: u32,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u8),
    }

    type Call = (u64, String);

    #[test]
    fn each_kind_of_callable_reads_as_it_is_written() {
        let checks = [
            (
                Signature::call::<Call, u64, NotReady>(),
                "(u64, str) -> u64 ! NotReady{left: u32}",
            ),
            (Signature::call::<(), (), Never>(), "() -> ()"),
            (Signature::cast::<(String,)>(), "cast (str,)"),
            (
                Signature::stream::<(Duration,), Option<u8>>(),
                "(Duration{secs: u64, nanos: u32},) -> stream ?u8",
            ),
            (
                Signature::context::<(u8,), u16, u32, u64, (), NotReady>(),
                "(u8,) -> context(started u16, in u32, out u64) -> () ! NotReady{left: u32}",
            ),
        ];
        for (signature, text) in &checks {
            assert_eq!(signature.text, *text);
            assert_eq!(signature.fingerprint.0, fnv1a(text.as_bytes()));
            assert_eq!(signature.error(), None);
        }
        let other = Signature::call::<(String, u64), u64, NotReady>();
        assert_ne!(other.fingerprint, checks[0].0.fingerprint);
    }

    #[test]
    fn a_type_that_cannot_travel_is_told_before_any_call() {
        let signature = Signature::call::<(u8, Untagged), Vec<Untagged>, Never>();
        let ShapeError::NotSelfDescribing { path, .. } = signature.error().unwrap();
        assert_eq!(path, ".1");
        assert_eq!(signature.text.matches("unsendable").count(), 2);
    }

    /// The vectors of the algorithm's authors.
    #[test]
    fn fnv_is_fnv() {
        assert_eq!(fnv1a(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv1a(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(fnv1a(b"foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    /// Asks for signatures while its own is found.
    struct Curious;

    impl Serialize for Curious {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit()
        }
    }

    impl<'de> Deserialize<'de> for Curious {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            LazySignature::new(Signature::cast::<(IpAddr,)>).get();
            <()>::deserialize(deserializer).map(|()| Self)
        }
    }

    /// SHP-3: it would wait for itself for ever.
    #[test]
    fn a_signature_is_found_once_and_under_no_lock() {
        const TABLE: &[LazySignature] = &[LazySignature::new(Signature::cast::<(Curious,)>)];
        let found = TABLE[0].get();
        assert_eq!(found.text, "cast ((),)");
        let again = LazySignature::new(Signature::cast::<(Curious,)>).get();
        assert!(std::ptr::eq(found, again));
    }
}
