//! The helper attributes inside an `#[actor]` block: what there is and how one is recognised.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Path};

/// A helper attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Says what the function is; a function has at most one of these.
    Is(Kind),
    /// `#[blocking]`: runs on the blocking pool.
    Blocking,
    /// `#[cancel_safe]`: may be dropped at any await.
    CancelSafe,
}

/// What a marked function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `#[init]`: makes the state.
    Init,
    /// `#[cast]`: one way.
    Cast,
    /// `#[stream]`: gives an owning stream.
    Stream,
    /// `#[context]`: a long-lived pair of tasks.
    Context,
    /// Called by the runtime.
    Hook(HookKind),
}

/// When the runtime calls a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HookKind {
    /// `#[on_start]`: before the first request.
    Start,
    /// `#[on_stop]`: after the last one.
    Stop,
    /// `#[on_error]`: when a cast has failed.
    Error,
}

impl Mark {
    /// All of them.
    pub(super) const ALL: [Self; 9] = [
        Self::Is(Kind::Init),
        Self::Is(Kind::Cast),
        Self::Is(Kind::Stream),
        Self::Is(Kind::Context),
        Self::Is(Kind::Hook(HookKind::Start)),
        Self::Is(Kind::Hook(HookKind::Stop)),
        Self::Is(Kind::Hook(HookKind::Error)),
        Self::Blocking,
        Self::CancelSafe,
    ];

    /// Its name, as the user writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Is(kind) => kind.name(),
            Self::Blocking => "blocking",
            Self::CancelSafe => "cancel_safe",
        }
    }

    /// The one an attribute's path names: `cast`, `tractor::cast`, or `cast` behind the name the crate
    /// was given.
    pub(super) fn of(path: &Path, root: &TokenStream) -> Option<Self> {
        is_ours(path, root, |name| {
            Self::ALL.into_iter().find(|mark| name == mark.name())
        })
    }
}

impl Kind {
    /// Its name, as the user writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Cast => "cast",
            Self::Stream => "stream",
            Self::Context => "context",
            Self::Hook(hook) => hook.name(),
        }
    }
}

impl HookKind {
    /// Its name, as the user writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Start => "on_start",
            Self::Stop => "on_stop",
            Self::Error => "on_error",
        }
    }
}

/// Whether an attribute is the `#[rpc]` that no method needs.
pub(super) fn is_rpc(attribute: &Attribute, root: &TokenStream) -> bool {
    is_ours(attribute.path(), root, |name| (name == "rpc").then_some(())).is_some()
}

fn is_ours<T>(
    path: &Path,
    root: &TokenStream,
    find: impl FnOnce(&Ident) -> Option<T>,
) -> Option<T> {
    let found = find(&path.segments.last()?.ident)?;
    let mut before = path.segments.iter().rev().skip(1);
    let Some(crate_name) = before.next() else {
        return path.leading_colon.is_none().then_some(found);
    };
    let ours = crate_name.ident == "tractor"
        || root_name(root).is_some_and(|name| crate_name.ident == name);
    ours.then_some(found)
}

/// The last name of the crate's path.
fn root_name(root: &TokenStream) -> Option<Ident> {
    let path: Path = syn::parse2(root.clone()).ok()?;
    Some(path.segments.last()?.ident.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse_quote;

    #[test]
    fn every_mark_is_found_by_its_name() {
        for mark in Mark::ALL {
            let name: Path = syn::parse_str(mark.name()).expect("a path");
            assert_eq!(Mark::of(&name, &quote!(::tractor)), Some(mark));
            assert_eq!(
                Mark::ALL
                    .iter()
                    .filter(|one| one.name() == mark.name())
                    .count(),
                1
            );
        }
    }

    #[test]
    fn a_mark_may_be_named_by_path() {
        let root = quote!(::renamed::actors);
        let of = |path: Path| Mark::of(&path, &root);
        assert_eq!(
            of(parse_quote!(tractor::context)),
            Some(Mark::Is(Kind::Context))
        );
        assert_eq!(
            of(parse_quote!(::tractor::context)),
            Some(Mark::Is(Kind::Context))
        );
        assert_eq!(
            of(parse_quote!(::renamed::tractor::context)),
            Some(Mark::Is(Kind::Context))
        );
        assert_eq!(of(parse_quote!(other::context)), None);
        assert_eq!(of(parse_quote!(context::other)), None);
        assert_eq!(of(parse_quote!(inline)), None);
    }
}
