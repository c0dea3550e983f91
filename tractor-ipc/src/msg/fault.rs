//! Failures on the wire: a tree, flattened so that nothing from outside can make a decoder recurse.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::ActorId;
use crate::limits::{FAULT_CHAIN_MAX, FAULT_DEPTH_MAX, FAULT_NODES_MAX, FAULT_RELAY_MAX};
use crate::msg::{CancelReason, Fingerprint};

/// What kind of failure a node of a fault is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FaultKind {
    /// An error of the user's own.
    App,
    /// A panic in the user's code.
    Panic,
    /// Work ended because it was cancelled.
    Cancelled {
        /// Who asked.
        canceller: ActorId,
        /// Why.
        reason: CancelReason,
    },
    /// The link to the actor, or the actor itself, went away.
    Lost,
    /// The process ended with this exit code without saying why.
    Exited {
        /// The exit code.
        code: i32,
    },
    /// The process was ended by this signal.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// It did not end within its time.
    TooSlow,
    /// Arguments or result do not have the type the other end expects.
    MsgType {
        /// The fingerprint the failing end has.
        expected: Option<Fingerprint>,
        /// The one it was given.
        got: Option<Fingerprint>,
    },
    /// The function is not exposed by the actor.
    NotExposed,
    /// The actor is ending and takes no new work.
    Stopping,
    /// The call would have waited for itself: the actors of the cycle are the node's relay path.
    Deadlock,
    /// The exclusive chain is too long.
    TooDeep,
    /// A message above the limit was to be sent.
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A stream's reader was too slow under [`Overrun::Error`](crate::msg::Overrun::Error).
    Overrun,
    /// The peer broke the protocol.
    Protocol,
    /// A child could not be started.
    Spawn,
    /// Several failures together: its members are its children.
    Group,
}

/// How a node hangs on its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FaultLink {
    /// The root of the tree.
    Root,
    /// A member of the group at this index.
    MemberOf(u32),
    /// The cause of the failure at this index.
    CauseOf(u32),
}

/// One failure of a tree of failures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultNode {
    /// Where it hangs; always an earlier node.
    pub link: FaultLink,
    /// What kind it is.
    pub kind: FaultKind,
    /// Name of the error's type.
    pub type_name: Box<str>,
    /// Its text, at most 4 KiB.
    pub message: Box<str>,
    /// The texts of its sources, outermost first.
    pub chain: Vec<Box<str>>,
    /// Where it happened.
    pub origin: ActorId,
    /// The actors that passed it on, first the one nearest to the origin.
    pub relay: Vec<ActorId>,
    /// The encoded value of the user's error, for a caller that knows its type.
    pub payload: Option<Bytes>,
}

/// A failure as it travels: node 0 is what failed, the others hang below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Parents before children.
    pub nodes: Vec<FaultNode>,
    /// Nodes left out because of the limits.
    pub cut: u32,
}

/// Why a received fault is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultShapeError {
    /// No node at all.
    #[error("a fault without a node")]
    Empty,
    /// More nodes, levels, sources or hops than allowed.
    #[error("a fault beyond the limits")]
    TooLarge,
    /// A node that hangs on itself, on a later one, or a second root.
    #[error("a fault whose nodes do not form a tree")]
    NotATree,
}

impl Fault {
    /// Checks what a decoder cannot: that the nodes form one tree within the limits.
    ///
    /// # Errors
    ///
    /// [`FaultShapeError`] says what is wrong.
    pub fn check(&self) -> Result<(), FaultShapeError> {
        if self.nodes.is_empty() {
            return Err(FaultShapeError::Empty);
        }
        if self.nodes.len() > FAULT_NODES_MAX {
            return Err(FaultShapeError::TooLarge);
        }
        let mut depths = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            if node.chain.len() > FAULT_CHAIN_MAX || node.relay.len() > FAULT_RELAY_MAX {
                return Err(FaultShapeError::TooLarge);
            }
            let depth = match node.link {
                FaultLink::Root if index == 0 => 0,
                FaultLink::Root => return Err(FaultShapeError::NotATree),
                FaultLink::MemberOf(parent) | FaultLink::CauseOf(parent) => {
                    let above = depths
                        .get(parent as usize)
                        .ok_or(FaultShapeError::NotATree)?;
                    above + 1
                }
            };
            if depth >= FAULT_DEPTH_MAX {
                return Err(FaultShapeError::TooLarge);
            }
            depths.push(depth);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ActorName;

    fn node(link: FaultLink) -> FaultNode {
        FaultNode {
            link,
            kind: FaultKind::App,
            type_name: "E".into(),
            message: "m".into(),
            chain: Vec::new(),
            origin: ActorId::new(ActorName::new("a").unwrap()),
            relay: Vec::new(),
            payload: None,
        }
    }

    fn check(links: impl IntoIterator<Item = FaultLink>) -> Result<(), FaultShapeError> {
        Fault {
            nodes: links.into_iter().map(node).collect(),
            cut: 0,
        }
        .check()
    }

    #[test]
    fn only_one_tree_within_the_limits_passes() {
        use FaultLink::{CauseOf, MemberOf, Root};
        assert_eq!(check([Root, MemberOf(0), CauseOf(1), MemberOf(0)]), Ok(()));
        assert_eq!(check([]), Err(FaultShapeError::Empty));
        assert_eq!(check([Root, Root]), Err(FaultShapeError::NotATree));
        assert_eq!(check([MemberOf(0)]), Err(FaultShapeError::NotATree));
        assert_eq!(
            check([Root, CauseOf(2), MemberOf(0)]),
            Err(FaultShapeError::NotATree)
        );
        let wide = std::iter::once(Root).chain((1..300).map(|_| MemberOf(0)));
        assert_eq!(check(wide), Err(FaultShapeError::TooLarge));
        let deep = std::iter::once(Root).chain((0..40).map(MemberOf));
        assert_eq!(check(deep), Err(FaultShapeError::TooLarge));
    }
}
