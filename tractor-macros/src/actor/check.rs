//! The rules of an actor as a whole: a named type, one `#[init]`, names that are free, contexts that starve nobody.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{GenericParam, ImplItem, ItemImpl, Type, TypePath};

use super::mark::{HookKind, Kind};
use super::model::{Access, Actor, ContextState, Hooks, Init, Method, Role, Runs, Sharing};
use super::parse::{Function, Marked, Parsed};
use super::{lifecycle, roles};
use crate::errors::Errors;
use crate::types::{text_of, unwrapped};

/// Judges the whole block; what breaks a rule is left out of the answer.
pub(super) fn check(parsed: Parsed, errors: &mut Errors) -> Option<Actor> {
    let Parsed {
        paths,
        mut block,
        functions,
    } = parsed;
    let ident = check_block(&block, errors)?;
    let ty = unwrapped(&block.self_ty).clone();
    let mut parts = Parts::default();
    for function in &functions {
        parts.add(function, &ty, errors);
    }
    if parts.init.is_none() && !parts.init_failed {
        errors.push(
            &block.self_ty,
            "an actor needs one `#[init]` function, which makes its state where it runs: \
             `#[init] async fn new(..) -> Self`",
        );
    }
    let sharing = check_sharing(&parts.methods, errors);
    check_names(&parts.methods, errors);
    if spec_is_taken(&block, errors) {
        parts.init = None;
    }
    let Parts {
        init,
        methods,
        hooks,
        ..
    } = parts;
    for function in &functions {
        roles::own_the_stream(function, &mut block);
    }
    let generics = block.generics.clone();
    Some(Actor {
        paths,
        block,
        ty,
        ident,
        generics,
        init,
        methods,
        hooks,
        sharing,
    })
}

/// What the functions of a block amount to.
#[derive(Default)]
struct Parts {
    init: Option<Init>,
    /// There is an `#[init]`, but it breaks a rule of its own.
    init_failed: bool,
    methods: Vec<Method>,
    hooks: Hooks,
}

impl Parts {
    fn add(&mut self, function: &Function, actor: &Type, errors: &mut Errors) {
        roles::check_marks(function, errors);
        let Some((kind, at)) = function.kind() else {
            if function.signature.receiver().is_some() {
                self.add_method(errors, |errors| roles::call(function, actor, errors));
            } else {
                roles::plain(function, errors);
            }
            return;
        };
        match kind {
            Kind::Init => self.add_init(function, at, actor, errors),
            Kind::Cast => self.add_method(errors, |errors| roles::cast(function, actor, errors)),
            Kind::Stream => {
                self.add_method(errors, |errors| roles::stream(function, actor, errors))
            }
            Kind::Context => {
                self.add_method(errors, |errors| roles::context(function, actor, errors))
            }
            Kind::Hook(hook) => self.add_hook(function, at, hook, errors),
        }
    }

    fn add_method(
        &mut self,
        errors: &mut Errors,
        judge: impl FnOnce(&mut Errors) -> Option<Method>,
    ) {
        self.methods.extend(errors.unless_wrong(judge));
    }

    fn add_init(&mut self, function: &Function, at: &Marked, actor: &Type, errors: &mut Errors) {
        if let Some(first) = &self.init {
            let message = format!(
                "an actor has one `#[init]`, and `{}` is it: let an argument choose how the state \
                 is made",
                first.ident
            );
            errors.push(&at.at, message);
            return;
        }
        match errors.unless_wrong(|errors| lifecycle::init(function, actor, errors)) {
            Some(init) => self.init = Some(init),
            None => self.init_failed = true,
        }
    }

    fn add_hook(&mut self, function: &Function, at: &Marked, kind: HookKind, errors: &mut Errors) {
        let slot = match kind {
            HookKind::Start => &mut self.hooks.on_start,
            HookKind::Stop => &mut self.hooks.on_stop,
            HookKind::Error => &mut self.hooks.on_error,
        };
        if let Some(first) = slot {
            let (name, first) = (kind.name(), &first.ident);
            let message =
                format!("an actor has one `#[{name}]`, and `{first}` is it: call this from there");
            errors.push(&at.at, message);
            return;
        }
        *slot = errors.unless_wrong(|errors| lifecycle::hook(function, kind, errors));
    }
}

/// The block itself: an inherent `impl` of a named type that borrows nothing.
fn check_block(block: &ItemImpl, errors: &mut Errors) -> Option<Ident> {
    if let Some((_, path, _)) = &block.trait_ {
        errors.push(
            path,
            "`#[actor]` goes on the type's own `impl` block; what a trait wants is written in a \
             block of its own",
        );
        return None;
    }
    let mut borrows = false;
    for parameter in &block.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            borrows = true;
            errors.push(
                lifetime,
                "an actor owns its state, which is made where the actor runs: it cannot have a \
                 lifetime",
            );
        }
    }
    let Type::Path(TypePath { qself: None, path }) = unwrapped(&block.self_ty) else {
        errors.push(
            &block.self_ty,
            "an actor is a type of its own: `struct Counter { .. }` and `impl Counter { .. }`",
        );
        return None;
    };
    let last = path.segments.last()?;
    (!borrows).then(|| last.ident.clone())
}

/// How the state is used follows from the methods; contexts must fit to it.
fn check_sharing(methods: &[Method], errors: &mut Errors) -> Sharing {
    let alone = methods.iter().find(|method| uses(method) == Use::Exclusive);
    let beside = methods.iter().any(|method| uses(method) == Use::Shared);
    for method in methods {
        if let Role::Context {
            state: ContextState::Shared,
            ..
        } = method.role
            && let Some(alone) = alone
        {
            errors.push(
                &method.ident,
                format!(
                    "`{}` would hold `&self` for as long as it runs, and `{}` could never start: \
                     take `me: Me<Self>` instead of `&self`, and reach the state with \
                     `me.with(|actor| ..).await`",
                    method.ident, alone.ident
                ),
            );
        }
    }
    match (alone.is_some(), beside) {
        (true, true) => Sharing::Phased,
        (false, true) => Sharing::Shared,
        (true | false, false) => Sharing::Exclusive,
    }
}

#[derive(PartialEq, Eq)]
enum Use {
    Exclusive,
    Shared,
}

/// What a method needs of the state. `Me` asks for it alone each time, as does the blocking pool.
fn uses(method: &Method) -> Use {
    match &method.role {
        Role::Call {
            runs: Runs::Blocking,
            ..
        }
        | Role::Cast {
            runs: Runs::Blocking,
            ..
        } => Use::Exclusive,
        Role::Call { access, .. } | Role::Cast { access, .. } | Role::Stream { access, .. } => {
            match access {
                Access::Shared => Use::Shared,
                Access::Exclusive => Use::Exclusive,
            }
        }
        Role::Context {
            state: ContextState::Shared,
            ..
        } => Use::Shared,
        Role::Context {
            state: ContextState::Me,
            ..
        } => Use::Exclusive,
    }
}

/// The names every portal has taken.
fn check_names(methods: &[Method], errors: &mut Errors) {
    for method in methods {
        let name = method.ident.unraw().to_string();
        if PORTAL_METHODS.contains(&name.as_str()) {
            errors.push(
                &method.ident,
                format!("every portal has a `{name}` of its own, which this would hide: rename it"),
            );
        }
    }
}

/// Whether the block has a `spec` of its own.
fn spec_is_taken(block: &ItemImpl, errors: &mut Errors) -> bool {
    let mut taken = false;
    for item in &block.items {
        let named = match item {
            ImplItem::Fn(function) => &function.sig.ident,
            ImplItem::Const(constant) => &constant.ident,
            _ => continue,
        };
        if named.unraw() == "spec" {
            taken = true;
            let ty = text_of(&block.self_ty);
            errors.push(
                named,
                format!("`{ty}::spec` is made by `#[actor]` from `#[init]`: rename this"),
            );
        }
    }
    taken
}

/// The methods every portal has: what `Portal` offers its users, and `clone`.
const PORTAL_METHODS: &[&str] = &[
    "cancel_actor",
    "clone",
    "id",
    "kill",
    "open_context",
    "run",
    "stop",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The public methods in the inherent `impl` blocks of `Portal` that are shown to users.
    fn methods_of(source: &str) -> Vec<String> {
        let file = syn::parse_file(source).expect("a source file");
        let mut names = Vec::new();
        for item in file.items {
            let syn::Item::Impl(block) = item else {
                continue;
            };
            let of_portal = text_of(&block.self_ty).starts_with("Portal<");
            if block.trait_.is_some() || !of_portal {
                continue;
            }
            for item in block.items {
                let ImplItem::Fn(function) = item else {
                    continue;
                };
                let hidden = function
                    .attrs
                    .iter()
                    .any(|one| text_of(&one.meta).contains("hidden"));
                if matches!(function.vis, syn::Visibility::Public(_)) && !hidden {
                    names.push(function.sig.ident.to_string());
                }
            }
        }
        names
    }

    #[test]
    fn the_list_of_portal_methods_is_complete() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tractor-core/src/actor/portal");
        let mut found = BTreeSet::from(["clone".to_owned()]);
        for entry in fs::read_dir(folder).expect("the portal's folder") {
            let path = entry.expect("an entry").path();
            found.extend(methods_of(
                &fs::read_to_string(path).expect("a source file"),
            ));
        }
        let listed: BTreeSet<_> = PORTAL_METHODS
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        assert_eq!(found, listed);
    }
}
