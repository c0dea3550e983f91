//! What a re-executed image is told to be: the text of one environment variable.

use std::os::fd::OwnedFd;
use std::str::FromStr;

use tractor_ipc::{ActorId, ActorName, TreeId};
use uuid::Uuid;

/// What a process of this image was started as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nanny and guardian of the root with this pid; the root's connection is standard input.
    Guardian {
        /// The expected parent.
        root: u32,
    },
    /// An actor below the guardian with this pid.
    Actor {
        /// The expected parent.
        guardian: u32,
    },
}

impl FromStr for Role {
    type Err = BadRole;

    fn from_str(text: &str) -> Result<Self, BadRole> {
        let (kind, pid) = text.split_once(':').ok_or(BadRole)?;
        let pid = pid.parse().map_err(|_| BadRole)?;
        match kind {
            "g" => Ok(Self::Guardian { root: pid }),
            "a" => Ok(Self::Actor { guardian: pid }),
            _ => Err(BadRole),
        }
    }
}

/// The text is not a role of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role of tractor's")]
pub struct BadRole;

/// Everything an actor's process is born with.
#[derive(Debug)]
#[non_exhaustive]
pub struct ActorRole {
    /// Its end of the data link to its parent.
    pub link: OwnedFd,
    /// Its own connection to the guardian.
    pub guardian: OwnedFd,
    /// Ends when its parent is gone.
    pub lifeline: OwnedFd,
    /// Who it is.
    pub actor: ActorId,
    /// The tree it belongs to.
    pub tree: TreeId,
}

/// Reads `<tree>:<name>@<uuid>`, the tag of an actor's process. A name may hold `:` and `@` itself.
pub fn parse_tag(tag: &str) -> Option<(TreeId, ActorId)> {
    let (tree, actor) = tag.split_once(':')?;
    let (name, uuid) = actor.rsplit_once('@')?;
    let tree = TreeId::from_uuid(Uuid::parse_str(tree).ok()?);
    let name = ActorName::new(name).ok()?;
    let actor = ActorId::from_parts(name, Uuid::parse_str(uuid).ok()?);
    Some((tree, actor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_parse_and_nothing_else_does() {
        assert_eq!("g:12".parse(), Ok(Role::Guardian { root: 12 }));
        assert_eq!("a:7".parse(), Ok(Role::Actor { guardian: 7 }));
        for bad in ["", "g", "g:", "x:1", "a:-1", "a:1:2", "a: 1"] {
            assert_eq!(bad.parse::<Role>(), Err(BadRole), "{bad:?}");
        }
    }

    #[test]
    fn a_tag_gives_back_tree_and_actor() {
        let tree = TreeId::new();
        let actor = ActorId::new(ActorName::new("a:b@c").unwrap());
        let tag = format!("{tree}:{}@{}", actor.name(), actor.uuid());
        assert_eq!(parse_tag(&tag), Some((tree, actor)));
        assert_eq!(parse_tag("x:y"), None);
    }
}
