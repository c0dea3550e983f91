//! An actor that keeps the rules, or the parts of one that do: what the expansion is made from.
//!
//! Nothing in these types can be wrong any more; whatever the expansion needs to know is here, so that it never looks
//! at a user's signature again.

use proc_macro2::Ident;
use syn::{Attribute, Generics, ItemImpl, Type, Visibility};

use crate::context::CtxTypes;
use crate::paths::Paths;
use crate::signature::{Argument, Carried};
use crate::types::Output;

/// An `#[actor]` block.
pub(super) struct Actor {
    pub(super) paths: Paths,
    /// The user's block without our attributes; a `#[stream]` in it has its `use<..>`.
    pub(super) block: ItemImpl,
    /// The actor's type as written: `Worker<T>`.
    pub(super) ty: Type,
    /// The last name of that type: `Worker`.
    pub(super) ident: Ident,
    /// The parameters of the `impl` block.
    pub(super) generics: Generics,
    /// There is always one, unless it broke a rule.
    pub(super) init: Option<Init>,
    /// In the order of the block, which is the order of the method table.
    pub(super) methods: Vec<Method>,
    pub(super) hooks: Hooks,
    pub(super) sharing: Sharing,
}

/// The function that makes the state.
pub(super) struct Init {
    pub(super) ident: Ident,
    pub(super) visibility: Visibility,
    pub(super) carried: Carried,
    pub(super) is_async: bool,
    pub(super) arguments: Vec<Argument>,
    pub(super) output: Output,
}

/// A method that is reached through a portal.
pub(super) struct Method {
    pub(super) ident: Ident,
    pub(super) visibility: Visibility,
    pub(super) carried: Carried,
    pub(super) arguments: Vec<Argument>,
    pub(super) role: Role,
}

/// What a method is.
pub(super) enum Role {
    /// Request and result.
    Call {
        access: Access,
        runs: Runs,
        output: Output,
    },
    /// One way.
    Cast {
        access: Access,
        runs: Runs,
        output: Output,
    },
    /// Builds a stream that owns what it gives.
    Stream { access: Access, item: Type },
    /// A pair of linked tasks.
    Context {
        state: ContextState,
        ctx: Box<CtxTypes>,
        output: Output,
        drain: bool,
    },
}

/// How a handler holds the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// `&self`: beside others of its kind.
    Shared,
    /// `&mut self`: alone.
    Exclusive,
}

/// How a handler's body is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// `async fn`; with `&mut self` to its end, whoever leaves.
    Async,
    /// `async fn` with `#[cancel_safe]`: dropped when its caller leaves.
    CancelSafe,
    /// A plain `fn`, in the actor's task.
    InPlace,
    /// A plain `fn` on the blocking pool.
    Blocking,
}

/// How a context reaches the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContextState {
    /// `&self`, of an actor nobody changes.
    Shared,
    /// `me: Me<Self>`, through the mailbox.
    Me,
}

/// How the actor as a whole is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Only `&mut self` handlers: a plain loop, `Send` is enough.
    Exclusive,
    /// Both kinds: phases, which need `Sync`.
    Phased,
    /// No `&mut self` handler: contexts may hold the state too.
    Shared,
}

/// The hooks an actor has.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) on_start: Option<Hook>,
    pub(super) on_stop: Option<Hook>,
    pub(super) on_error: Option<Hook>,
}

/// One hook.
pub(super) struct Hook {
    pub(super) ident: Ident,
    pub(super) is_async: bool,
    pub(super) cfgs: Vec<Attribute>,
}
