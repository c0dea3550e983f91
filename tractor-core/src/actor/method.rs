//! One line of an actor's method table.

use crate::message::{AppError, Message};
use crate::rpc::{LazySignature, Signature};

/// One method of an actor: its name, how it is run and its signature.
#[derive(Debug)]
pub struct Method {
    name: &'static str,
    kind: MethodKind,
    signature: LazySignature,
}

/// How a method is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MethodKind {
    /// `&mut self`: alone, to its end.
    Exclusive,
    /// `&mut self` and `#[cancel_safe]`: alone, dropped when its call is cancelled.
    CancelSafe,
    /// `&self`: beside other `&self` methods.
    Shared,
    /// `#[blocking]`: alone, on the blocking pool.
    Blocking,
    /// `#[context]`: a task of its own that holds no borrow of the state.
    Context {
        /// Whether an orderly stop waits for it instead of cancelling it.
        drain: bool,
    },
}

impl MethodKind {
    /// Whether it runs with nothing beside it.
    pub(crate) fn is_exclusive(self) -> bool {
        match self {
            Self::Exclusive | Self::CancelSafe | Self::Blocking => true,
            Self::Shared | Self::Context { .. } => false,
        }
    }
}

impl Method {
    /// A method that is called and answers.
    pub const fn new<Args: Message, T: Message, E: AppError>(
        name: &'static str,
        kind: MethodKind,
    ) -> Self {
        Self {
            name,
            kind,
            signature: LazySignature::new(Signature::call::<Args, T, E>),
        }
    }

    /// A one-way method.
    pub const fn cast<Args: Message>(name: &'static str, kind: MethodKind) -> Self {
        Self {
            name,
            kind,
            signature: LazySignature::new(Signature::cast::<Args>),
        }
    }

    /// A method that streams.
    pub const fn stream<Args: Message, Item: Message>(
        name: &'static str,
        kind: MethodKind,
    ) -> Self {
        Self {
            name,
            kind,
            signature: LazySignature::new(Signature::stream::<Args, Item>),
        }
    }

    /// A context method.
    pub const fn context<Args, Started, In, Out, T, E>(name: &'static str) -> Self
    where
        Args: Message,
        Started: Message,
        In: Message,
        Out: Message,
        T: Message,
        E: AppError,
    {
        let signature = LazySignature::new(Signature::context::<Args, Started, In, Out, T, E>);
        Self {
            name,
            kind: MethodKind::Context { drain: false },
            signature,
        }
    }

    /// A context method an orderly stop waits for.
    pub const fn context_drained<Args, Started, In, Out, T, E>(name: &'static str) -> Self
    where
        Args: Message,
        Started: Message,
        In: Message,
        Out: Message,
        T: Message,
        E: AppError,
    {
        let signature = LazySignature::new(Signature::context::<Args, Started, In, Out, T, E>);
        Self {
            name,
            kind: MethodKind::Context { drain: true },
            signature,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How it is run.
    pub fn kind(&self) -> MethodKind {
        self.kind
    }

    /// Its signature, traced on first use.
    pub fn signature(&self) -> &'static Signature {
        self.signature.get()
    }
}
