//! The handshake's messages, and the protocol's own version.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::{ActorId, TreeId};

/// The protocol versions this build speaks.
pub const PROTOCOL: VersionRange = VersionRange { min: 1, max: 1 };

/// A range of protocol versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRange {
    /// Oldest version spoken.
    pub min: u16,
    /// Newest version spoken.
    pub max: u16,
}

impl VersionRange {
    /// The newest version both speak.
    pub fn common(self, other: Self) -> Option<u16> {
        let newest = self.max.min(other.max);
        (newest >= self.min.max(other.min)).then_some(newest)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.min, self.max)
    }
}

/// Optional abilities, one bit each; what both ends have is in force. Unknown bits are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features(pub u64);

impl Features {
    /// Messages above one frame may be sent in parts.
    pub const PARTS: Self = Self(1);
    /// What this build can do.
    pub const SUPPORTED: Self = Self::PARTS;

    /// What both have.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `wanted` is in this set.
    pub fn contains(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

/// What a peer is to the node that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// It started us.
    Parent,
    /// We started it.
    Child,
    /// Another actor of the same tree.
    Sibling,
    /// Somebody from outside the tree.
    Client,
}

/// How a peer proves who it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credential {
    /// It holds the other end of a socket only it could have inherited.
    Inherited,
    /// A one-time token.
    Token([u8; 32]),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inherited => "Inherited",
            Self::Token(_) => "Token(…)",
        })
    }
}

/// First word of the side that dials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Versions it speaks.
    pub versions: VersionRange,
    /// What it can do.
    pub features: Features,
    /// Who it is.
    pub identity: ActorId,
    /// What it is to the other end.
    pub role: Role,
    /// The tree it belongs to.
    pub tree: TreeId,
    /// Which life of that identity: grows when a peer comes back after a loss.
    pub epoch: u64,
    /// Its catalogue's fingerprint: the image's build id, at most 64 bytes.
    pub catalog: Bytes,
    /// Its proof.
    pub credential: Credential,
}

/// The answer that makes the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version in force.
    pub version: u16,
    /// The features in force.
    pub features: Features,
    /// Who answers.
    pub identity: ActorId,
    /// What it is to the dialler.
    pub role: Role,
    /// The tree it belongs to.
    pub tree: TreeId,
    /// Which life of that identity.
    pub epoch: u64,
    /// Its catalogue's fingerprint.
    pub catalog: Bytes,
}

/// Why a handshake was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RefusedReason {
    /// No protocol version in common.
    Version {
        /// What the refusing side speaks.
        spoken: VersionRange,
    },
    /// The dialler belongs to another tree.
    WrongTree,
    /// The identity is not the one expected here.
    WrongIdentity,
    /// The role is not one this link allows.
    WrongRole,
    /// The credential does not hold.
    BadCredential,
    /// The node is ending.
    Stopping,
}

impl fmt::Display for RefusedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { spoken } => {
                write!(f, "no protocol version in common; {spoken} is spoken there")
            }
            Self::WrongTree => f.write_str("the dialler belongs to another tree"),
            Self::WrongIdentity => f.write_str("another identity is expected there"),
            Self::WrongRole => f.write_str("the role is not one the link allows"),
            Self::BadCredential => f.write_str("the credential does not hold"),
            Self::Stopping => f.write_str("the node is ending"),
        }
    }
}

/// The answer that ends the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why.
    pub reason: RefusedReason,
}

/// The messages before a link is handshaken; no other frame is accepted there, and none of these after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HandshakeMsg {
    /// First word of the side that dials.
    Hello(Box<Hello>),
    /// The answer that makes the link.
    Welcome(Box<Welcome>),
    /// The answer that ends it.
    Refused(Refused),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_wins() {
        let ours = VersionRange { min: 2, max: 5 };
        assert_eq!(ours.common(VersionRange { min: 1, max: 3 }), Some(3));
        assert_eq!(ours.common(VersionRange { min: 4, max: 9 }), Some(5));
        assert_eq!(ours.common(VersionRange { min: 6, max: 9 }), None);
        assert_eq!(ours.common(VersionRange { min: 0, max: 1 }), None);
    }
}
