//! What travels: the bounds of arguments, results and errors.

use std::any::type_name;
use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tractor_ipc::limits::{FAULT_CHAIN_MAX, FAULT_TEXT_MAX};

/// A value that can travel between actors: an argument, a result, a streamed value.
///
/// Implemented for every type that serializes, owns its data and is `Send`; nothing is to be derived for it beyond
/// serde's two traits. `#[derive(tractor::Message)]` adds a check of each field at its definition and a fixed name and
/// version on the wire.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between actors",
    label = "this type is an argument, a result or a streamed value of an actor",
    note = "values that travel need `#[derive(serde::Serialize, serde::Deserialize)]`, own their data and are `Send`",
    note = "to hand over a reference, take an owned type instead: `&str` -> `String`, `&[T]` -> `Vec<T>`"
)]
pub trait Message: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Message for T {}

/// An error of the user's that can travel: it reaches its caller as the value it is, and everybody else rendered.
///
/// Implemented for every error that serializes, and for [`AnyError`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of an actor's method",
    label = "the error type of this result",
    note = "an error that travels needs `std::error::Error`, `serde::Serialize`, `serde::Deserialize` and `Send`",
    note = "for errors that do not serialize there is `tractor::AnyError`, which carries the rendered chain"
)]
pub trait AppError: Message + fmt::Debug + fmt::Display {
    /// The error rendered, with its value encoded beside it.
    fn render(&self) -> AnyError;

    /// The error as the standard library knows it, for `source()`.
    fn as_error(&self) -> Option<&(dyn std::error::Error + 'static)>;
}

impl<E: Message + std::error::Error> AppError for E {
    fn render(&self) -> AnyError {
        let mut rendered = AnyError::of(self);
        rendered.0.payload = postcard::to_allocvec(self).ok().map(Bytes::from);
        rendered
    }

    fn as_error(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self)
    }
}

impl AppError for AnyError {
    fn render(&self) -> AnyError {
        self.clone()
    }

    fn as_error(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

/// The error of what cannot fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

/// What a written return type means; the macros project through it, so that aliases of `Result` resolve.
pub trait IsResult {
    /// The value of success.
    type Ok;
    /// The error.
    type Err;
    /// The result as it is.
    ///
    /// # Errors
    ///
    /// The error it holds.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T, E> IsResult for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}

/// Any error, rendered so that it can travel: its text, the texts of its sources, and the name of its type.
///
/// `?` turns every `std::error::Error` into one; as anyhow's, it is therefore none itself. What was a value is only
/// text from here on: where a caller has to tell errors apart, give the method an error type of its own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnyError(Box<Parts>);

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "AnyError")]
struct Parts {
    type_name: Box<str>,
    message: Box<str>,
    chain: Vec<Box<str>>,
    payload: Option<Bytes>,
}

impl AnyError {
    /// An error that is only a text.
    pub fn message(text: impl AsRef<str>) -> Self {
        Self::from_parts("message", text.as_ref(), Vec::new(), None)
    }

    /// The rendered form of an error, without its value.
    pub fn of<E: std::error::Error>(error: &E) -> Self {
        let mut chain = Vec::new();
        let mut source = error.source();
        while let Some(inner) = source.filter(|_| chain.len() < FAULT_CHAIN_MAX) {
            chain.push(cut_text(&inner.to_string()));
            source = inner.source();
        }
        Self::from_parts(type_name::<E>(), &error.to_string(), chain, None)
    }

    pub(crate) fn from_parts(
        type_name: &str,
        message: &str,
        chain: Vec<Box<str>>,
        payload: Option<Bytes>,
    ) -> Self {
        Self(Box::new(Parts {
            type_name: cut_text(type_name),
            message: cut_text(message),
            chain,
            payload,
        }))
    }

    /// Name of the type the error had where it was made.
    pub fn type_name(&self) -> &str {
        &self.0.type_name
    }

    /// Its own text, without those of its sources.
    pub fn text(&self) -> &str {
        &self.0.message
    }

    /// The texts of its sources, outermost first.
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        self.0.chain.iter().map(|text| &**text)
    }

    /// The error as a value again, if it was an `E` that serializes.
    pub fn downcast<E: AppError>(&self) -> Option<E> {
        let payload = self.0.payload.as_ref();
        let payload = payload.filter(|_| *self.0.type_name == *type_name::<E>())?;
        postcard::from_bytes(payload).ok()
    }

    /// Bytes of the error as a value.
    pub(crate) fn value_len(&self) -> usize {
        self.0.payload.as_ref().map_or(0, Bytes::len)
    }

    pub(crate) fn into_parts(self) -> (Box<str>, Box<str>, Vec<Box<str>>, Option<Bytes>) {
        let parts = *self.0;
        (parts.type_name, parts.message, parts.chain, parts.payload)
    }
}

impl<E: std::error::Error> From<E> for AnyError {
    fn from(error: E) -> Self {
        Self::of(&error)
    }
}

impl fmt::Display for AnyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        self.0
            .chain
            .iter()
            .try_for_each(|source| write!(f, ": {source}"))
    }
}

impl fmt::Debug for AnyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.0.type_name)
    }
}

/// The text, cut at the limit of one fault text.
pub(crate) fn cut_text(text: &str) -> Box<str> {
    let end = text.floor_char_boundary(FAULT_TEXT_MAX);
    text[..end].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
    #[error("port {port} is taken")]
    struct Taken {
        port: u16,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("cannot listen")]
    struct Listen(#[source] Taken);

    #[test]
    fn a_rendered_error_keeps_its_value_and_its_chain() {
        let rendered = Taken { port: 7 }.render();
        assert_eq!(rendered.downcast::<Taken>(), Some(Taken { port: 7 }));
        assert_eq!(rendered.to_string(), "port 7 is taken");
        let outer = AnyError::from(Listen(Taken { port: 7 }));
        assert_eq!(outer.to_string(), "cannot listen: port 7 is taken");
        assert_eq!(outer.chain().collect::<Vec<_>>(), ["port 7 is taken"]);
        assert_eq!(outer.downcast::<Taken>(), None);
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let text = "ä".repeat(FAULT_TEXT_MAX);
        let cut = cut_text(&text);
        assert!(cut.len() <= FAULT_TEXT_MAX && text.starts_with(&*cut) && !cut.is_empty());
    }
}
