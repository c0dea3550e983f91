//! The structural shape of a type, found by running its own `Deserialize`.
//!
//! postcard is not self-describing: a reader that expects another type than the writer sent gets rubbish, or a value
//! that looks right and is not. So both ends describe what they would read, and compare. The description is made by
//! a tracer: a deserializer that answers every request with a sample value and writes down what was asked for: names,
//! field order, variants, leaves, exactly as postcard would see them, third-party types and serde attributes included.
//! Nothing has to be derived beyond serde's own traits.
//!
//! ```text
//!   T::deserialize ──asks──▶ tracer ──writes──▶ graph ──is printed by──▶ text ──▶ Shape
//!          ▲                   │ one pass per variant not yet seen, one per sample refused
//!          └─────samples───────┘
//! ```
//!
//! The text reads like Rust: `u8`, `str`, `?T` for options, `[T]` for sequences, `{K => V}` for maps, `(A, B)` for
//! tuples, `(T; 9)` for longer ones of equal members, `Name{field: T}`, `Name(T)`, `enum Name{Unit | Value(T)}`. What
//! is named is written out once, and is `^Name` from there on; `Name'2` is a second, different type of that name; `^2`
//! is the unnamed thing two levels up. `opaque` stands before what refused every sample, `_` where nothing was read, and
//! `<A / B>` where different things were read at one place.
//!
//! # Invariants
//!
//! - SHP-1: the text depends on structure and on serde's names alone: not on modules, addresses, the order of a hash
//!   map or on how often a type is shared. Exceptions say so in the text: an opaque type is its `type_name`.
//! - SHP-2: every trace ends, whatever the type does: passes, values, depth and refusals are bounded, and a panic of
//!   the type is a refusal.
//! - SHP-3: no lock is held while a type's code runs.
//!
//! # What it cannot see
//!
//! - Only the reading half: a `serialize_with` that does not match its `deserialize_with`, and `skip_serializing_if`
//!   (which postcard cannot carry at all), go unnoticed.
//! - What a hand-written `Deserialize` asks for only after certain *values*: it is shown samples, not all values.
//! - Registered names (see [`MessageEntry`]) of types that are read as another type (`try_from`, `from`), except at the
//!   top.
//!
//! The type's own code runs, sample values are made and dropped: a `Deserialize` or `Drop` with side effects has them.

mod de;
mod graph;
mod registry;
mod samples;
mod text;
mod tracer;

pub use registry::{MESSAGES, MessageEntry};

use std::any::{TypeId, type_name};
use std::fmt;

use serde::de::DeserializeOwned;

use tracer::{Ended, Tracer};

/// What a type looks like on the wire. Printed, it is the text that both ends compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// What the type reads.
    Traced(String),
    /// It was registered as opaque: its wire name and version, by which alone it is known.
    Named(String),
    /// It refused every sample it was shown, so that only its name is known. Not an error: such values travel, but a
    /// change of their structure goes unnoticed while the name stays.
    Opaque {
        /// Its wire name and version if it has them, or else the name of the Rust type.
        name: String,
        /// Its last refusal; not part of the text.
        reason: String,
    },
}

impl Shape {
    /// Whether the structure could not be found out.
    pub fn is_opaque(&self) -> bool {
        matches!(self, Self::Opaque { .. })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Traced(text) | Self::Named(text) => f.write_str(text),
            Self::Opaque { name, .. } => write!(f, "opaque {name}"),
        }
    }
}

/// Why a type cannot travel, found without sending anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// Something in it decides by the data what to read next, and postcard's data does not say.
    #[error(
        "`{type_name}` cannot travel: `{found}` at `{path}` needs a self-describing format (it is \
         untagged, internally tagged, flattened, or a value of any type, as `serde_json::Value` is)"
    )]
    NotSelfDescribing {
        /// The type asked about.
        type_name: &'static str,
        /// The type within it that is at fault, or the innermost one around it that is not serde's own.
        found: &'static str,
        /// Where in the type that is.
        path: String,
    },
}

/// Finds the shape of `T`. Costs some microseconds to some hundred; nothing is cached here.
///
/// # Errors
///
/// [`ShapeError::NotSelfDescribing`] if postcard cannot carry the type.
pub fn shape<T: DeserializeOwned + 'static>() -> Result<Shape, ShapeError> {
    let wire = registry::of_type(TypeId::of::<T>());
    if let Some(wire) = wire.filter(|wire| wire.opaque) {
        return Ok(Shape::Named(wire.label.clone()));
    }
    let mut tracer = Tracer::default();
    match tracer.run(&mut |tracer| T::deserialize(tracer).map(drop)) {
        Ended::Traced => Ok(Shape::Traced(text::print(tracer.graph(), wire))),
        Ended::Opaque { reason } => {
            let name = wire.map_or_else(|| type_name::<T>().to_owned(), |wire| wire.label.clone());
            Ok(Shape::Opaque { name, reason })
        }
        Ended::NotSelfDescribing { found, path } => Err(ShapeError::NotSelfDescribing {
            type_name: type_name::<T>(),
            found: found.unwrap_or_else(type_name::<T>),
            path,
        }),
    }
}

#[cfg(test)]
mod tests;
