//! `RemoteError` to the wire's flattened tree and back, without recursion.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tractor_ipc::ActorId;
use tractor_ipc::limits::{FAULT_CHAIN_MAX, FAULT_DEPTH_MAX, FAULT_NODES_MAX, FAULT_RELAY_MAX};
use tractor_ipc::msg::{Fault, FaultLink, FaultNode, FaultShapeError};

use super::{Inner, RemoteError, RemoteErrorKind};
use crate::limits::FAULT_BYTES;
use crate::message::{AnyError, cut_text};
use std::sync::Arc;

impl RemoteError {
    /// The wire form, cut to the limits; what was left out is counted in it.
    pub(crate) fn to_fault(&self) -> Fault {
        let mut nodes: Vec<FaultNode> = Vec::new();
        let mut cut = self.0.cut;
        let mut bytes = 0;
        let mut open = VecDeque::from([(FaultLink::Root, 0, self)]);
        while let Some((link, depth, error)) = open.pop_front() {
            if nodes.len() == FAULT_NODES_MAX || depth == FAULT_DEPTH_MAX {
                cut = cut.saturating_add(1);
                continue;
            }
            let index = u32::try_from(nodes.len()).expect("bounded by FAULT_NODES_MAX");
            if depth > 0 {
                cut = cut.saturating_add(error.0.cut);
            }
            let mut node = error.node(link);
            if index > 0 {
                // The first node's value was held to the message limit when it was made.
                if bytes + size(&node) > FAULT_BYTES {
                    node.payload = None;
                }
                if bytes + size(&node) > FAULT_BYTES {
                    cut = cut.saturating_add(1);
                    continue;
                }
                bytes += size(&node);
            }
            nodes.push(node);
            let causes = error
                .0
                .cause
                .iter()
                .map(|cause| (FaultLink::CauseOf(index), cause));
            let members = error
                .0
                .members
                .iter()
                .map(|one| (FaultLink::MemberOf(index), one));
            open.extend(
                causes
                    .chain(members)
                    .map(|(link, one)| (link, depth + 1, one)),
            );
        }
        Fault { nodes, cut }
    }

    fn node(&self, link: FaultLink) -> FaultNode {
        let inner = &*self.0;
        let (type_name, message, mut chain, payload) = inner.error.clone().into_parts();
        chain.truncate(FAULT_CHAIN_MAX);
        let relay = inner.relay.iter().take(FAULT_RELAY_MAX).cloned().collect();
        let (kind, origin) = (inner.kind.clone(), inner.origin.clone());
        FaultNode {
            link,
            kind,
            type_name,
            message,
            chain,
            origin,
            relay,
            payload,
        }
    }

    /// The local form of a fault from a peer, passed on by `via` if it did not happen there.
    pub(crate) fn from_fault(fault: Fault, via: &ActorId) -> Self {
        match Self::build(fault) {
            Ok(error) => error.relayed_by(via.clone()),
            Err(error) => Self::new(RemoteErrorKind::Protocol, via.clone(), error.to_string()),
        }
    }

    fn build(fault: Fault) -> Result<Self, FaultShapeError> {
        fault.check()?;
        let mut built: Vec<Option<Inner>> = Vec::with_capacity(fault.nodes.len());
        let links: Vec<FaultLink> = fault.nodes.iter().map(|node| node.link).collect();
        built.extend(
            fault
                .nodes
                .into_iter()
                .map(|node| Some(Inner::from_node(node))),
        );
        for (index, link) in links.into_iter().enumerate().rev() {
            let Some((parent, is_member)) = parent_of(link) else {
                continue;
            };
            let Some(inner) = built[index].take() else {
                continue;
            };
            let Some(Some(above)) = built.get_mut(parent) else {
                continue;
            };
            let error = Self(Arc::new(inner));
            match is_member {
                true => above.members.insert(0, error),
                false => above.cause = Some(error),
            }
        }
        let root = built.into_iter().next().flatten();
        let mut root = root.ok_or(FaultShapeError::Empty)?;
        root.cut = fault.cut;
        Ok(Self(Arc::new(root)))
    }
}

/// As what it is to everybody it passes: the tree of failures, within the limits of the wire.
impl Serialize for RemoteError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_fault().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RemoteError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::build(Fault::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Inner {
    fn from_node(node: FaultNode) -> Self {
        let chain = node.chain.iter().map(|text| cut_text(text)).collect();
        Self {
            kind: node.kind,
            error: AnyError::from_parts(&node.type_name, &node.message, chain, node.payload),
            origin: node.origin,
            relay: node.relay,
            cause: None,
            members: Vec::new(),
            cut: 0,
        }
    }
}

/// What a node takes of a message, roughly.
fn size(node: &FaultNode) -> usize {
    let texts = node.chain.iter().map(|text| text.len()).sum::<usize>();
    let payload = node.payload.as_ref().map_or(0, Bytes::len);
    texts + payload + node.message.len() + node.type_name.len() + NODE_BYTES
}

fn parent_of(link: FaultLink) -> Option<(usize, bool)> {
    match link {
        FaultLink::Root => None,
        FaultLink::MemberOf(parent) => Some((parent as usize, true)),
        FaultLink::CauseOf(parent) => Some((parent as usize, false)),
    }
}

/// Identities, kind and lengths of one node with a full relay path: 33 actors of at most 82 bytes.
const NODE_BYTES: usize = 33 * 82 + 64;

#[cfg(test)]
mod tests {
    use super::*;
    use tractor_ipc::ActorName;

    impl RemoteError {
        /// Decodes a fault's payload; what does not decode is a failure of its own, never a panic.
        fn decode(payload: &[u8], via: &ActorId) -> Self {
            match postcard::from_bytes::<Fault>(payload) {
                Ok(fault) => Self::from_fault(fault, via),
                Err(error) => {
                    let text = format!("a failure that does not decode: {error}");
                    Self::new(RemoteErrorKind::Protocol, via.clone(), text)
                }
            }
        }

        /// The encoded wire form.
        fn encode(&self) -> Bytes {
            let fault = self.to_fault();
            Bytes::from(postcard::to_allocvec(&fault).expect("a fault is plain data"))
        }
    }

    fn actor(name: &str) -> ActorId {
        ActorId::new(ActorName::new(name).unwrap())
    }

    fn failure(text: &str, origin: &ActorId) -> RemoteError {
        RemoteError::new(RemoteErrorKind::Panic, origin.clone(), text)
    }

    /// Covers L5 in our form: a group crosses with every member's type, origin and path.
    #[test]
    fn a_group_crosses_whole() {
        let (leaf, middle, root) = (actor("leaf"), actor("middle"), actor("root"));
        let inner = RemoteError::group(
            vec![failure("a", &leaf), failure("b", &leaf)],
            middle.clone(),
        );
        let cause = failure("c", &leaf);
        let lost = RemoteError::new(RemoteErrorKind::Lost, middle.clone(), "gone").caused_by(cause);
        let group = RemoteError::group(vec![inner, lost], middle.clone());
        let back = RemoteError::decode(&group.encode(), &root);
        let texts: Vec<_> = back
            .leaves()
            .iter()
            .map(|leaf| leaf.message().to_owned())
            .collect();
        assert_eq!(texts, ["a", "b", "gone"]);
        assert_eq!(back.leaves()[0].origin(), &leaf);
        assert_eq!(back.relay(), [root]);
        assert_eq!(back.leaves()[2].cause().unwrap().message(), "c");
        assert!(back.to_string().contains("c (in leaf"));
    }

    #[test]
    fn a_huge_group_is_cut_and_says_so() {
        let leaf = actor("leaf");
        let many = (0..1000).map(|n| failure(&n.to_string(), &leaf)).collect();
        let back = RemoteError::decode(&RemoteError::group(many, leaf.clone()).encode(), &leaf);
        assert_eq!(back.members().len(), FAULT_NODES_MAX - 1);
        assert_eq!(back.cut() as usize, 1000 - (FAULT_NODES_MAX - 1));
        let deep = (0..100).fold(failure("root cause", &leaf), |inner, n| {
            failure(&n.to_string(), &leaf).caused_by(inner)
        });
        assert!(RemoteError::decode(&deep.encode(), &leaf).cut() > 0);
    }

    #[test]
    fn garbage_becomes_a_failure() {
        let error = RemoteError::decode(&[0xff; 40], &actor("x"));
        assert_eq!(error.kind(), &RemoteErrorKind::Protocol);
    }
}
