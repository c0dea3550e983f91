//! Where an actor can be reached.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::{ActorId, TreeId};

/// An address a node listens at, or the way it is linked where there is none to dial.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Addr {
    /// A socket pair inherited at birth: cannot be dialled by anybody else.
    Inherited,
    /// Two ends in one process, for tests.
    Memory,
    /// A Unix socket with a name in the file system.
    Unix(PathBuf),
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inherited => f.write_str("inherited"),
            Self::Memory => f.write_str("memory"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An actor as one names it to a third: who it is, in which tree, and where its node listens, if it does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActorRef {
    /// Who it is.
    pub id: ActorId,
    /// The tree it belongs to; a reference into another tree does not resolve.
    pub tree: TreeId,
    /// Where its node listens, if it has a listener.
    pub address: Option<Addr>,
}
