//! Types with a wire name and a version of their own, as `#[derive(Message)]` registers them.

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::OnceLock;

use linkme::distributed_slice;

/// Every type of this image with `#[derive(Message)]`.
#[distributed_slice]
pub static MESSAGES: [MessageEntry];

/// A type whose wire name and version are fixed by its author.
///
/// In a shape they stand in the place of the type's own name, so that the Rust type may be renamed, and a new version
/// is a new shape. At the top of a shape the type is known by its [`TypeId`]. Inside another type only the *name* of the
/// type a visitor makes is to be seen, and it is recognised by that: a registered type that is read as another one
/// (`try_from`, `from`, a field's `with`) is written as what is read, and of two types of one full name (one crate
/// linked in two versions) neither is recognised. The `Deserialize` of an opaque type does not run at the top, and does
/// inside another type, which could not be made without it.
#[derive(Clone, Copy, Debug)]
pub struct MessageEntry {
    /// The type.
    pub type_id: fn() -> TypeId,
    /// Its full name in this image.
    pub type_name: fn() -> &'static str,
    /// Its wire name.
    pub name: &'static str,
    /// Its version.
    pub version: u32,
    /// Its structure is not to be looked at: name and version alone stand for it.
    pub opaque: bool,
}

impl MessageEntry {
    /// The entry of `T`.
    pub const fn of<T: 'static>(name: &'static str, version: u32, opaque: bool) -> Self {
        Self {
            type_id: TypeId::of::<T>,
            type_name: type_name::<T>,
            name,
            version,
            opaque,
        }
    }
}

/// A registered type as shapes write it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Wire {
    /// `name#v2`.
    pub(super) label: String,
    /// Whether that is all there is to write.
    pub(super) opaque: bool,
}

/// What is registered for this type.
pub(super) fn of_type(id: TypeId) -> Option<&'static Wire> {
    registry().by_type.get(&id)
}

/// What is registered for the one type of this full name.
pub(super) fn of_name(type_name: &str) -> Option<&'static Wire> {
    let id = registry().by_name.get(type_name)?;
    id.and_then(of_type)
}

#[derive(Default)]
struct Registry {
    by_type: HashMap<TypeId, Wire>,
    /// `None` where two types have one name.
    by_name: HashMap<&'static str, Option<TypeId>>,
}

fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| build(&MESSAGES))
}

fn build(entries: &[MessageEntry]) -> Registry {
    let mut registry = Registry::default();
    for entry in entries {
        let id = (entry.type_id)();
        let label = format!("{}#v{}", entry.name, entry.version);
        let opaque = entry.opaque;
        registry.by_type.insert(id, Wire { label, opaque });
        registry
            .by_name
            .entry((entry.type_name)())
            .and_modify(|known| *known = known.filter(|known| *known == id))
            .or_insert(Some(id));
    }
    registry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_types_of_one_name_are_known_by_their_id_alone() {
        let first = MessageEntry::of::<u8>("first", 1, false);
        let second = MessageEntry {
            type_name: first.type_name,
            ..MessageEntry::of::<u16>("second", 2, true)
        };
        let registry = build(&[first, second]);
        assert_eq!(registry.by_type[&TypeId::of::<u8>()].label, "first#v1");
        assert_eq!(registry.by_type[&TypeId::of::<u16>()].label, "second#v2");
        assert_eq!(registry.by_name["u8"], None);
        assert_eq!(
            build(&[first, first]).by_name["u8"],
            Some(TypeId::of::<u8>())
        );
    }
}
