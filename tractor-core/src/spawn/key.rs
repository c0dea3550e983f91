//! [`SpawnMethodKey`]: the one enum that decides how a child comes to be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::SpawnError;

/// How a child actor comes to be.
///
/// Parses from its own name and from the names Python's tractor gives the same thing; prints its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpawnMethodKey {
    /// A fresh process of this same image, started by the guardian.
    #[default]
    Exec,
    /// A process forked from a warm image.
    ForkServer,
    /// Any command line that ends in a tractor program.
    Command,
    /// A thread of this process with its own runtime.
    Thread,
    /// A task of this runtime.
    Task,
    /// A fork without exec from a running process: cannot work, kept so that the reason is found.
    ThreadFork,
}

impl SpawnMethodKey {
    /// Every method.
    pub const ALL: [Self; 6] = [
        Self::Exec,
        Self::ForkServer,
        Self::Command,
        Self::Thread,
        Self::Task,
        Self::ThreadFork,
    ];

    /// The environment variable that overrides the default method.
    pub const VARIABLE: &'static str = "TRACTOR_SPAWN_METHOD";

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.names()[0]
    }

    /// All names it is accepted under, its own first.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Exec => &["exec", "trio"],
            Self::ForkServer => &["forkserver", "mp_forkserver"],
            Self::Command => &["command", "mp_spawn"],
            Self::Thread => &["thread", "subint"],
            Self::Task => &["task"],
            Self::ThreadFork => &["thread_fork", "subint_fork"],
        }
    }
}

impl FromStr for SpawnMethodKey {
    type Err = SpawnError;

    fn from_str(given: &str) -> Result<Self, SpawnError> {
        let found = Self::ALL
            .into_iter()
            .find(|key| key.names().contains(&given));
        found.ok_or_else(|| {
            let known: Vec<_> = Self::ALL
                .iter()
                .map(|key| key.names().join(" or "))
                .collect();
            SpawnError::UnknownMethod {
                given: given.to_owned(),
                known: known.join(", "),
            }
        })
    }
}

impl fmt::Display for SpawnMethodKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for SpawnMethodKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for SpawnMethodKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_parses_from_each_of_its_names_and_prints_the_first() {
        for key in SpawnMethodKey::ALL {
            for name in key.names() {
                assert_eq!(name.parse::<SpawnMethodKey>().unwrap(), key);
            }
            assert_eq!(key.to_string(), key.names()[0]);
            let bytes = postcard::to_allocvec(&key).unwrap();
            assert_eq!(postcard::from_bytes::<SpawnMethodKey>(&bytes).unwrap(), key);
        }
        let names: Vec<_> = SpawnMethodKey::ALL
            .iter()
            .flat_map(|key| key.names())
            .collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), distinct.len(), "no name means two methods");
    }

    /// C1: an unknown key is refused with the list of the known ones.
    #[test]
    fn an_unknown_key_names_the_known_ones() {
        let error = "warp".parse::<SpawnMethodKey>().unwrap_err().to_string();
        assert!(error.contains("warp"), "{error}");
        for name in SpawnMethodKey::ALL.iter().flat_map(|key| key.names()) {
            assert!(error.contains(name), "{error} lacks {name}");
        }
    }
}
