//! The handshake of a link, as a machine: one `Hello`, one answer.
//!
//! ```text
//!   dialler:   Greeting ── Hello ──▶ Waiting ── Welcome | Refused ──▶ Ended
//!   acceptor:  Listening ── Hello ──▶ Answering ── Welcome | Refused ──▶ Ended
//! ```
//!
//! It reads no clock: whoever drives it races it against the handshake's deadline. Its ends:
//!
//! - HS-1: a link is agreed on only by a dialler that was welcomed, and an acceptor that found everything in order.
//! - HS-2: any message in a phase that has no place for it ends the handshake as `OutOfPhase`.
//! - HS-3: the dialler believes an answer no more than the acceptor believes a greeting: version and features must
//!   be among those offered, tree and role must fit.

use bytes::Bytes;

use crate::id::{ActorId, TreeId};
use crate::limits::CATALOG_MAX;
use crate::msg::{
    Credential, Features, HandshakeMsg, Hello, PROTOCOL, Refused, RefusedReason, Role,
    VersionRange, Welcome,
};
use crate::wire::{Unit, WireError};

/// What an acceptor expects of its dialler, and what it says of itself.
#[derive(Clone, Debug)]
pub struct Expect {
    /// The versions spoken here.
    pub versions: VersionRange,
    /// What can be done here.
    pub features: Features,
    /// The tree both must belong to.
    pub tree: TreeId,
    /// What the dialler must be to us.
    pub role: Role,
    /// Who the dialler must be, if only one may.
    pub identity: Option<ActorId>,
    /// The proof it must have.
    pub credential: Credential,
    /// The user its process must belong to, where the transport knows.
    pub uid: Option<u32>,
    /// What is said of this end in the answer.
    pub us: Introduction,
}

/// What an acceptor says of itself.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// Who it is.
    pub identity: ActorId,
    /// What it is to the dialler.
    pub role: Role,
    /// Which life of that identity.
    pub epoch: u64,
    /// Its catalogue's fingerprint.
    pub catalog: Bytes,
}

impl Expect {
    /// Expects a child of `us` over a socket only it could have inherited.
    pub fn child(tree: TreeId, child: ActorId, us: ActorId, catalog: Bytes) -> Self {
        Self {
            versions: PROTOCOL,
            features: Features::SUPPORTED,
            tree,
            role: Role::Child,
            identity: Some(child),
            credential: Credential::Inherited,
            uid: None,
            us: Introduction {
                identity: us,
                role: Role::Parent,
                epoch: 0,
                catalog,
            },
        }
    }
}

/// What both ends agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Who the peer is.
    pub identity: ActorId,
    /// What it is to us.
    pub role: Role,
    /// The tree both belong to.
    pub tree: TreeId,
    /// Which life of that identity.
    pub epoch: u64,
    /// The version in force.
    pub version: u16,
    /// The features in force.
    pub features: Features,
    /// The peer's catalogue's fingerprint.
    pub catalog: Bytes,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnswerFault {
    /// A version that was not offered.
    Version,
    /// A feature that was not offered.
    Features,
    /// Another tree.
    Tree,
    /// A role that does not go with ours.
    Role,
}

/// Why a handshake made no link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The acceptor refused us.
    #[error("the other end refused the link: {0}")]
    Refused(RefusedReason),
    /// We refused the dialler.
    #[error("refused {claimed}: {reason}")]
    Rejected {
        /// Why.
        reason: RefusedReason,
        /// Who it says it is.
        claimed: ActorId,
    },
    /// A message where it has no place.
    #[error("a {got} where {expected} was expected")]
    OutOfPhase {
        /// What came.
        got: &'static str,
        /// What has a place there.
        expected: &'static str,
    },
    /// An answer that does not fit the greeting.
    #[error("an answer that does not fit the greeting ({0:?})")]
    WrongAnswer(AnswerFault),
    /// A field past its bound.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// One side of a handshake.
#[derive(Debug)]
pub struct Handshake {
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Greeting(Box<Hello>),
    Waiting(Box<Hello>),
    Listening {
        expect: Box<Expect>,
        uid: Option<u32>,
    },
    Answering {
        answer: HandshakeMsg,
        end: Result<Agreed, HandshakeError>,
    },
    Ended(Result<Agreed, HandshakeError>),
}

impl Handshake {
    /// The side that dials, with what it says of itself.
    pub fn dial(hello: Hello) -> Self {
        Self {
            phase: Phase::Greeting(Box::new(hello)),
        }
    }

    /// The side that was there first; `uid` is the user the peer's process belongs to, if the transport knows.
    pub fn accept(expect: Expect, uid: Option<u32>) -> Self {
        let expect = Box::new(expect);
        Self {
            phase: Phase::Listening { expect, uid },
        }
    }

    /// The next message for the other end, if there is one.
    pub fn poll_send(&mut self) -> Option<HandshakeMsg> {
        let (msg, next) = match self.take_phase() {
            Phase::Greeting(hello) => (
                Some(HandshakeMsg::Hello(hello.clone())),
                Phase::Waiting(hello),
            ),
            Phase::Answering { answer, end } => (Some(answer), Phase::Ended(end)),
            quiet @ (Phase::Waiting(_) | Phase::Listening { .. } | Phase::Ended(_)) => {
                (None, quiet)
            }
        };
        self.phase = next;
        msg
    }

    /// Takes a message of the other end.
    pub fn handle(&mut self, msg: HandshakeMsg) {
        self.phase = match (self.take_phase(), msg) {
            (Phase::Listening { expect, uid }, HandshakeMsg::Hello(hello)) => {
                answer(&expect, uid, *hello)
            }
            (Phase::Waiting(hello), HandshakeMsg::Welcome(welcome)) => {
                Phase::Ended(check_welcome(&hello, *welcome))
            }
            (Phase::Waiting(_), HandshakeMsg::Refused(refused)) => {
                Phase::Ended(Err(HandshakeError::Refused(refused.reason)))
            }
            (Phase::Ended(Err(first)), _) => Phase::Ended(Err(first)),
            (phase, msg) => Phase::Ended(Err(HandshakeError::OutOfPhase {
                got: name(&msg),
                expected: phase.expected(),
            })),
        };
    }

    /// How it ended, once it has.
    pub fn outcome(&self) -> Option<&Result<Agreed, HandshakeError>> {
        match &self.phase {
            Phase::Ended(end) => Some(end),
            Phase::Greeting(_)
            | Phase::Waiting(_)
            | Phase::Listening { .. }
            | Phase::Answering { .. } => None,
        }
    }

    /// The phase, leaving one in its place that is overwritten at once.
    fn take_phase(&mut self) -> Phase {
        let placeholder = HandshakeError::OutOfPhase {
            got: "",
            expected: "",
        };
        std::mem::replace(&mut self.phase, Phase::Ended(Err(placeholder)))
    }
}

impl Phase {
    fn expected(&self) -> &'static str {
        match self {
            Self::Listening { .. } => "Hello",
            Self::Waiting(_) => "Welcome or Refused",
            Self::Greeting(_) | Self::Answering { .. } | Self::Ended(_) => "nothing",
        }
    }
}

/// The acceptor's decision.
fn answer(expect: &Expect, uid: Option<u32>, hello: Hello) -> Phase {
    if let Err(error) = check_catalog(&hello.catalog) {
        return Phase::Ended(Err(error.into()));
    }
    let version = match check_hello(expect, uid, &hello) {
        Ok(version) => version,
        Err(reason) => {
            let answer = HandshakeMsg::Refused(Refused {
                reason: reason.clone(),
            });
            let claimed = hello.identity;
            return Phase::Answering {
                answer,
                end: Err(HandshakeError::Rejected { reason, claimed }),
            };
        }
    };
    let features = expect.features.common(hello.features);
    let us = expect.us.clone();
    let answer = HandshakeMsg::Welcome(Box::new(Welcome {
        version,
        features,
        identity: us.identity,
        role: us.role,
        tree: expect.tree,
        epoch: us.epoch,
        catalog: us.catalog,
    }));
    let end = Ok(Agreed {
        identity: hello.identity,
        role: hello.role,
        tree: hello.tree,
        epoch: hello.epoch,
        version,
        features,
        catalog: hello.catalog,
    });
    Phase::Answering { answer, end }
}

/// The version both speak, or why the dialler is refused. The proof is looked at before who it says it is.
fn check_hello(expect: &Expect, uid: Option<u32>, hello: &Hello) -> Result<u16, RefusedReason> {
    let Some(version) = expect.versions.common(hello.versions) else {
        let spoken = expect.versions;
        return Err(RefusedReason::Version { spoken });
    };
    if hello.tree != expect.tree {
        return Err(RefusedReason::WrongTree);
    }
    let foreign = matches!((expect.uid, uid), (Some(wanted), Some(found)) if wanted != found);
    if foreign || !proves(&expect.credential, &hello.credential) {
        return Err(RefusedReason::BadCredential);
    }
    if hello.role != expect.role {
        return Err(RefusedReason::WrongRole);
    }
    if expect
        .identity
        .as_ref()
        .is_some_and(|only| *only != hello.identity)
    {
        return Err(RefusedReason::WrongIdentity);
    }
    Ok(version)
}

/// Whether a proof holds. How long this takes says nothing about where two tokens differ.
fn proves(expected: &Credential, given: &Credential) -> bool {
    match (expected, given) {
        (Credential::Inherited, Credential::Inherited) => true,
        (Credential::Token(expected), Credential::Token(given)) => {
            let different = expected
                .iter()
                .zip(given)
                .fold(0, |sum, (a, b)| sum | (a ^ b));
            std::hint::black_box(different) == 0
        }
        (Credential::Inherited, Credential::Token(_))
        | (Credential::Token(_), Credential::Inherited) => false,
    }
}

/// The dialler's check of its welcome.
fn check_welcome(hello: &Hello, welcome: Welcome) -> Result<Agreed, HandshakeError> {
    check_catalog(&welcome.catalog)?;
    let offered = hello.versions.min..=hello.versions.max;
    let fault = if !offered.contains(&welcome.version) {
        Some(AnswerFault::Version)
    } else if !hello.features.contains(welcome.features) {
        Some(AnswerFault::Features)
    } else if hello.tree != welcome.tree {
        Some(AnswerFault::Tree)
    } else if !goes_with(hello.role, welcome.role) {
        Some(AnswerFault::Role)
    } else {
        None
    };
    match fault {
        Some(fault) => Err(HandshakeError::WrongAnswer(fault)),
        None => Ok(Agreed {
            identity: welcome.identity,
            role: welcome.role,
            tree: welcome.tree,
            epoch: welcome.epoch,
            version: welcome.version,
            features: welcome.features,
            catalog: welcome.catalog,
        }),
    }
}

/// Whether an acceptor may be `theirs` to a dialler that is `ours` to it.
fn goes_with(ours: Role, theirs: Role) -> bool {
    match ours {
        Role::Child => theirs == Role::Parent,
        Role::Parent => theirs == Role::Child,
        Role::Sibling => theirs == Role::Sibling,
        Role::Client => matches!(theirs, Role::Sibling | Role::Client),
    }
}

fn check_catalog(catalog: &Bytes) -> Result<(), WireError> {
    match catalog.len() {
        0..=CATALOG_MAX => Ok(()),
        size => Err(WireError::Oversize {
            what: Unit::Catalog,
            size: size as u64,
            limit: CATALOG_MAX as u64,
        }),
    }
}

fn name(msg: &HandshakeMsg) -> &'static str {
    match msg {
        HandshakeMsg::Hello(_) => "Hello",
        HandshakeMsg::Welcome(_) => "Welcome",
        HandshakeMsg::Refused(_) => "Refused",
    }
}

#[cfg(test)]
mod tests;
