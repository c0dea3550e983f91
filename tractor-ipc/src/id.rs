//! Names of things on the wire: actors, trees, dialogs, and actors of one link.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::limits::NAME_MAX;

/// The name of an actor as its parent chose it: 1 to 64 bytes of letters, digits and `- _ . : @ # +`.
///
/// Names need not be unique; [`ActorId`] is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorName(Arc<str>);

/// Why a text is not an actor's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    #[error("an actor's name is empty; give it 1 to {NAME_MAX} bytes")]
    Empty,
    /// The name is too long.
    #[error("the actor name {name:?}… has {len} bytes; at most {NAME_MAX} are allowed")]
    TooLong {
        /// Its first characters.
        name: String,
        /// Its length in bytes.
        len: usize,
    },
    /// The name holds a character that has no place in a process title, a socket's file name or a log line.
    #[error("the actor name {name:?} holds {found:?}; use letters, digits and - _ . : @ # +")]
    BadCharacter {
        /// The name.
        name: String,
        /// The first character refused.
        found: char,
    },
}

impl ActorName {
    /// Checks and takes a name.
    ///
    /// # Errors
    ///
    /// [`NameError`] says what is wrong with it.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > NAME_MAX {
            let head = name.chars().take(16).collect();
            return Err(NameError::TooLong {
                name: head,
                len: name.len(),
            });
        }
        let allowed = |c: char| c.is_alphanumeric() || "-_.:@#+".contains(c);
        match name.chars().find(|&c| !allowed(c)) {
            Some(found) => Err(NameError::BadCharacter {
                name: name.to_owned(),
                found,
            }),
            None => Ok(Self(name.into())),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ActorName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl fmt::Display for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for ActorName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ActorName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::new(&name).map_err(de::Error::custom)
    }
}

/// Who an actor is: its name and a number of its own. Pid, host and spawn method are facts about it, not its identity.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActorId {
    name: ActorName,
    uuid: Uuid,
}

impl ActorId {
    /// A new identity under this name.
    pub fn new(name: ActorName) -> Self {
        Self {
            name,
            uuid: Uuid::new_v4(),
        }
    }

    /// The identity with these two parts, as read from a peer.
    pub fn from_parts(name: ActorName, uuid: Uuid) -> Self {
        Self { name, uuid }
    }

    /// The name its parent gave it.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The number that makes it unique.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }
}

/// `name@` and the first eight digits of the uuid: enough to tell two actors of one name apart in a log.
impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, ..) = self.uuid.as_fields();
        write!(f, "{}@{high:08x}", self.name)
    }
}

impl fmt::Debug for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One run of one tree: every process of it carries this, and no other run does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TreeId(Uuid);

impl TreeId {
    /// A new tree.
    #[expect(clippy::new_without_default, reason = "every call gives another tree")]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// The tree with this number.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Its number.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_simple())
    }
}

impl fmt::Debug for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which end of a link opened a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkSide {
    /// The end that dialled (a child, a client).
    Dialler,
    /// The end that was there first (a parent, a listener).
    Acceptor,
}

impl LinkSide {
    /// The other end.
    #[must_use]
    pub fn flip(self) -> Self {
        match self {
            Self::Dialler => Self::Acceptor,
            Self::Acceptor => Self::Dialler,
        }
    }
}

/// A dialog of one link: the opener's side (1 bit), its slot there (31 bits) and the slot's generation (32 bits).
///
/// The opener allocates it. A late frame of an old generation is dropped and counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cid(u64);

impl Cid {
    const SIDE: u64 = 1 << 63;
    /// Highest slot number.
    pub const SLOT_MAX: u32 = (1 << 31) - 1;

    /// The dialog in `slot`, used for the `generation`th time, opened by `side`.
    ///
    /// # Panics
    ///
    /// If `slot` is above [`Cid::SLOT_MAX`]; tables are bounded far below it.
    pub const fn new(side: LinkSide, slot: u32, generation: u32) -> Self {
        assert!(slot <= Self::SLOT_MAX, "slot tables are bounded below 2^31");
        let side = match side {
            LinkSide::Dialler => 0,
            LinkSide::Acceptor => Self::SIDE,
        };
        Self(side | (slot as u64) << 32 | generation as u64)
    }

    /// Who opened it.
    pub fn opener(self) -> LinkSide {
        if self.0 & Self::SIDE == 0 {
            LinkSide::Dialler
        } else {
            LinkSide::Acceptor
        }
    }

    /// Its slot at the opener.
    pub fn slot(self) -> u32 {
        (self.0 >> 32) as u32 & Self::SLOT_MAX
    }

    /// Which use of the slot it is.
    pub fn generation(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.opener() {
            LinkSide::Dialler => 'd',
            LinkSide::Acceptor => 'a',
        };
        write!(f, "{side}{}.{}", self.slot(), self.generation())
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An actor as one end of a link names it to the other: a slot and its generation, given at `SpawnSpec` or first
/// reference; the full [`ActorId`] travels once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActorSlot {
    slot: u32,
    generation: NonZeroU32,
}

impl ActorSlot {
    /// The actor a link was made for: the child at the parent's end, the parent at the child's.
    pub const MAIN: Self = Self {
        slot: 0,
        generation: NonZeroU32::MIN,
    };

    /// The actor in `slot`, used for the `generation`th time.
    pub fn new(slot: u32, generation: NonZeroU32) -> Self {
        Self { slot, generation }
    }

    /// Its slot.
    pub fn slot(self) -> u32 {
        self.slot
    }

    /// Which use of the slot it is.
    pub fn generation(self) -> u32 {
        self.generation.get()
    }
}

impl fmt::Display for ActorSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

impl fmt::Debug for ActorSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_the_fault_is_named() {
        for good in ["a", "worker_3", "db-1.eu:7@x#+", "zähler"] {
            assert_eq!(ActorName::new(good).unwrap().as_str(), good);
        }
        assert_eq!(ActorName::new(""), Err(NameError::Empty));
        for (bad, found) in [
            ("a b", ' '),
            ("../x", '/'),
            ("nul\0", '\0'),
            ("tab\t", '\t'),
        ] {
            assert!(
                matches!(ActorName::new(bad), Err(NameError::BadCharacter { found: f, .. }) if f == found)
            );
        }
        let long = "x".repeat(NAME_MAX + 1);
        assert!(matches!(
            ActorName::new(&long),
            Err(NameError::TooLong { len: 65, .. })
        ));
    }

    #[test]
    fn a_bad_name_from_a_peer_does_not_decode() {
        let bytes = postcard::to_allocvec("a/b").unwrap();
        assert!(postcard::from_bytes::<ActorName>(&bytes).is_err());
    }

    #[test]
    fn cid_keeps_its_three_parts() {
        for side in [LinkSide::Dialler, LinkSide::Acceptor] {
            let cid = Cid::new(side, Cid::SLOT_MAX, u32::MAX);
            assert_eq!(
                (cid.opener(), cid.slot(), cid.generation()),
                (side, Cid::SLOT_MAX, u32::MAX)
            );
        }
        assert_eq!(Cid::new(LinkSide::Acceptor, 3, 9).to_string(), "a3.9");
    }
}
