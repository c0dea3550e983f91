//! For tests of this crate and of those above it: what every transport must do, links ready made, unkind transports.

mod chopped;
mod conformance;

use bytes::Bytes;

pub use chopped::Chopped;
pub use conformance::check_transport;

use crate::channel::{Link, LinkLimits, accept, dial};
use crate::error::ConnectError;
use crate::id::{ActorId, ActorName, TreeId};
use crate::msg::{Credential, Features, Hello, PROTOCOL, Role};
use crate::transport::{Transport, memory};
use crate::wire::handshake::Expect;

/// The greeting of a child and what its parent expects, in agreement.
pub fn greeting() -> (Hello, Expect) {
    let name = |name| ActorId::new(ActorName::new(name).expect("a good name"));
    let (tree, parent, child) = (TreeId::new(), name("parent"), name("child"));
    let catalog = Bytes::from_static(b"build");
    let hello = Hello {
        versions: PROTOCOL,
        features: Features::SUPPORTED,
        identity: child.clone(),
        role: Role::Child,
        tree,
        epoch: 0,
        catalog: catalog.clone(),
        credential: Credential::Inherited,
    };
    (hello, Expect::child(tree, child, parent, catalog))
}

/// Handshakes two ends: the dialler's link, then the acceptor's.
///
/// # Errors
///
/// What each end says, if one of them finds no agreement.
///
/// # Cancel safety
///
/// Not cancel safe: both ends are closed when it is dropped.
pub async fn connect(
    ends: (Box<dyn Transport>, Box<dyn Transport>),
    greeting: (Hello, Expect),
    limits: LinkLimits,
) -> (Result<Link, ConnectError>, Result<Link, ConnectError>) {
    let (hello, expect) = greeting;
    tokio::join!(dial(ends.0, hello, limits), accept(ends.1, expect, limits))
}

/// Two ends of a handshaken link in memory: the child's, then the parent's. Each direction holds `capacity` bytes.
///
/// # Cancel safety
///
/// Cancel safe: nothing outlives it.
pub async fn memory_links(capacity: usize) -> (Link, Link) {
    let (a, b) = memory::pair(capacity);
    let ends: (Box<dyn Transport>, Box<dyn Transport>) = (Box::new(a), Box::new(b));
    let (child, parent) = connect(ends, greeting(), LinkLimits::default()).await;
    (
        child.expect("a child in order"),
        parent.expect("a parent in order"),
    )
}
