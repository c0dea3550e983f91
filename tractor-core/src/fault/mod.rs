//! Failures of other actors, as values: what failed, where, by whom it was passed on, and what was inside it.
//!
//! [`RemoteError`] is the local form; [`Fault`](tractor_ipc::msg::Fault) is how it travels (`wire`).

mod wire;

use std::fmt;
use std::sync::Arc;

use tractor_ipc::ActorId;
pub use tractor_ipc::msg::FaultKind as RemoteErrorKind;

use crate::message::{AnyError, AppError, cut_text};

/// A failure in another actor, or of one. Cheap to clone: everybody who waited gets the same one.
#[derive(Clone)]
pub struct RemoteError(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: RemoteErrorKind,
    error: AnyError,
    origin: ActorId,
    relay: Vec<ActorId>,
    cause: Option<RemoteError>,
    members: Vec<RemoteError>,
    cut: u32,
}

impl RemoteError {
    /// A failure of `kind` that happened in `origin`.
    pub(crate) fn new(kind: RemoteErrorKind, origin: ActorId, message: impl AsRef<str>) -> Self {
        let error = AnyError::from_parts(kind_name(&kind), message.as_ref(), Vec::new(), None);
        Self::from_error(kind, origin, error)
    }

    /// A user's error that left `origin`.
    pub(crate) fn app<E: AppError>(error: &E, origin: ActorId) -> Self {
        Self::from_error(RemoteErrorKind::App, origin, error.render())
    }

    pub(crate) fn from_error(kind: RemoteErrorKind, origin: ActorId, error: AnyError) -> Self {
        let (relay, members) = (Vec::new(), Vec::new());
        Self(Arc::new(Inner {
            kind,
            error,
            origin,
            relay,
            cause: None,
            members,
            cut: 0,
        }))
    }

    /// Several failures as one; exactly one stays what it is.
    ///
    /// `members` must not be empty.
    pub(crate) fn group(mut members: Vec<Self>, origin: ActorId) -> Self {
        if members.len() == 1 {
            return members.remove(0);
        }
        let message = format!("{} failures", members.len());
        let group = Self::new(RemoteErrorKind::Group, origin, message);
        group.with(|inner| inner.members = members)
    }

    pub(crate) fn caused_by(self, cause: Self) -> Self {
        self.with(|inner| inner.cause = Some(cause))
    }

    /// The same failure, passed on by `actor`.
    pub(crate) fn relayed_by(self, actor: ActorId) -> Self {
        if self.0.relay.last().unwrap_or(&self.0.origin) == &actor {
            return self;
        }
        self.with(|inner| inner.relay.push(actor))
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> &RemoteErrorKind {
        &self.0.kind
    }

    /// Name of the error's type where it was made.
    pub fn type_name(&self) -> &str {
        self.0.error.type_name()
    }

    /// The error's own text.
    pub fn message(&self) -> &str {
        self.0.error.text()
    }

    /// The texts of the error's sources, outermost first.
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        self.0.error.chain()
    }

    /// The actor it happened in.
    pub fn origin(&self) -> &ActorId {
        &self.0.origin
    }

    /// The actors that passed it on, first the one nearest to its origin.
    pub fn relay(&self) -> &[ActorId] {
        &self.0.relay
    }

    /// The failure behind this one, if it is known.
    pub fn cause(&self) -> Option<&Self> {
        self.0.cause.as_ref()
    }

    /// The failures of a group; empty for a single failure.
    pub fn members(&self) -> &[Self] {
        &self.0.members
    }

    /// Every single failure in it: the members of groups at any depth, or itself.
    pub fn leaves(&self) -> Vec<&Self> {
        let (mut leaves, mut open) = (Vec::new(), vec![self]);
        while let Some(error) = open.pop() {
            match error.kind() {
                RemoteErrorKind::Group => open.extend(error.members().iter().rev()),
                _ => leaves.push(error),
            }
        }
        leaves
    }

    /// Whether it is a cancellation, or nothing but cancellations; not if some of them were left out.
    pub fn is_cancelled(&self) -> bool {
        let mut open = vec![self];
        while let Some(error) = open.pop() {
            match error.kind() {
                RemoteErrorKind::Cancelled { .. } => {}
                RemoteErrorKind::Group if error.cut() == 0 => open.extend(error.members()),
                _ => return false,
            }
        }
        true
    }

    /// How many failures were left out of it because of the limits of the wire.
    pub fn cut(&self) -> u32 {
        self.0.cut
    }

    /// Bytes of the user's error as a value.
    pub(crate) fn value_len(&self) -> usize {
        self.0.error.value_len()
    }

    /// The user's error as a value again, if it was an `E`.
    pub fn downcast<E: AppError>(&self) -> Option<E> {
        self.0.error.downcast()
    }
}

/// The root cause first, then where it happened and who passed it on; members of a group follow, indented.
impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(cause) = &inner.cause {
            write!(f, "{cause}; so ")?;
        }
        write!(f, "{} (in {}", inner.error, inner.origin)?;
        for hop in &inner.relay {
            write!(f, ", via {hop}")?;
        }
        f.write_str(")")?;
        for (index, member) in inner.members.iter().enumerate() {
            let text = member.to_string().replace('\n', "\n  ");
            write!(f, "\n  {}. {text}", index + 1)?;
        }
        match inner.cut {
            0 => Ok(()),
            cut => write!(f, "\n  and {cut} more, left out"),
        }
    }
}

impl fmt::Debug for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteError")
            .field("kind", &self.0.kind)
            .field("type_name", &self.type_name())
            .field("message", &self.message())
            .field("origin", &self.0.origin)
            .field("relay", &self.0.relay)
            .field("cause", &self.0.cause)
            .field("members", &self.0.members)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for RemoteError {}

/// What a panic said, as text.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> Box<str> {
    if let Some(text) = panic.downcast_ref::<&str>() {
        return cut_text(text);
    }
    panic
        .downcast_ref::<String>()
        .map_or_else(|| "a panic without a text".into(), |text| cut_text(text))
}

/// The type name shown for failures that are ours and not an error value of the user's.
fn kind_name(kind: &RemoteErrorKind) -> &'static str {
    match kind {
        RemoteErrorKind::App => "error",
        RemoteErrorKind::Panic => "panic",
        RemoteErrorKind::Cancelled { .. } => "cancelled",
        RemoteErrorKind::Lost => "lost",
        RemoteErrorKind::Exited { .. } => "exited",
        RemoteErrorKind::Killed { .. } => "killed",
        RemoteErrorKind::TooSlow => "too slow",
        RemoteErrorKind::MsgType { .. } => "message type",
        RemoteErrorKind::NotExposed => "not exposed",
        RemoteErrorKind::Stopping => "stopping",
        RemoteErrorKind::Deadlock => "deadlock",
        RemoteErrorKind::TooDeep => "too deep",
        RemoteErrorKind::TooLarge { .. } => "too large",
        RemoteErrorKind::Overrun => "overrun",
        RemoteErrorKind::Protocol => "protocol",
        RemoteErrorKind::Spawn => "spawn",
        RemoteErrorKind::Group => "group",
        _ => "failure",
    }
}

#[cfg(test)]
mod tests {
    use tractor_ipc::ActorName;
    use tractor_ipc::msg::CancelReason;

    use super::*;
    use crate::error::Error;

    /// L8: a group of nothing but cancels is one, at any depth; with one other failure in it, it is not.
    #[test]
    fn a_group_of_cancels_is_a_cancel() {
        let actor = ActorId::new(ActorName::new("one").unwrap());
        let cancel = || {
            let kind = RemoteErrorKind::Cancelled {
                canceller: actor.clone(),
                reason: CancelReason::Requested,
            };
            RemoteError::new(kind, actor.clone(), "cancelled")
        };
        let group = |members| RemoteError::group(members, actor.clone());
        let deep = group(vec![cancel(), group(vec![cancel(), cancel()])]);
        assert!(cancel().is_cancelled() && deep.is_cancelled());
        assert!(Error::Actor(deep.clone()).is_cancelled());
        let lost = RemoteError::new(RemoteErrorKind::Lost, actor.clone(), "lost");
        let mixed = group(vec![cancel(), group(vec![deep, lost])]);
        assert!(!mixed.is_cancelled() && !Error::Actor(mixed).is_cancelled());
    }
}
