//! Writes the code of an actor.
//!
//! ```text
//! impl Counter { .. }            the user's block, without our attributes
//! pub struct CounterPortal(..)   `portal`: beside the block, for users to name
//! const _: () = {                everything nobody names
//!     impl CounterPortal { .. }  `portal`: a method for each of the actor's
//!     pub enum __Message { .. }  `letters`: a variant for each but contexts; decoding
//!     impl Actor for Counter     `serving`: method table, init, handlers, hooks, contexts
//!     impl SharedActor           `serving`: the `&self` handlers
//!     fn bounds()                what only the compiler can tell of the types
//!     static ENTRY               the catalogue's line
//! };
//! ```

mod letters;
mod portal;
mod serving;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Type;
use syn::ext::IdentExt;

use super::model::{Access, Actor, ContextState, Method, Role, Runs};
use crate::bounds::Bounds;
use crate::register;
use crate::types::generic_arguments;

/// The expansion of an actor.
pub(super) fn expand(actor: Actor) -> TokenStream {
    let names = Names::of(&actor);
    let (block, docs) = (&actor.block, portal::type_docs(&actor));
    let portal_type = portal::declare(&actor, &names, &docs);
    let portal = portal::implement(&actor, &names);
    let spec = portal::spec(&actor, &names);
    let indexes = letters::indexes(&actor.methods);
    let message = letters::message(&actor, &names);
    let serving = serving::actor(&actor, &names);
    let shared = serving::shared_actor(&actor, &names);
    let bounds = bounds(&actor);
    let entry = if actor.generics.params.is_empty() {
        register::entry(&actor.paths, &actor.ty)
    } else {
        TokenStream::new()
    };
    quote! {
        #block

        #portal_type

        #[allow(
            dead_code,
            deprecated,
            private_interfaces,
            unnameable_types,
            unreachable_patterns,
            unreachable_pub,
            reason = "written by `#[tractor::actor]`"
        )]
        const _: () = {
            #indexes
            #spec
            #portal
            #message
            #serving
            #shared
            #bounds
            #entry
        };
    }
}

/// What the parts of the expansion call things.
struct Names {
    /// `#krate::__private`.
    private: TokenStream,
    /// `CounterPortal`.
    portal: Ident,
    /// `CounterPortal<Counter>`, with all its parameters given.
    portal_type: TokenStream,
    /// The message enum with its parameters: `__Message<T>`.
    message_type: TokenStream,
    /// The user's parameters, after `impl`.
    parameters: TokenStream,
    /// The user's `where` clause.
    clause: TokenStream,
}

impl Names {
    fn of(actor: &Actor) -> Self {
        let (parameters, arguments, clause) = actor.generics.split_for_impl();
        let ty = &actor.ty;
        let portal = format_ident!("{}Portal", actor.ident.unraw(), span = actor.ident.span());
        let own = generic_arguments(&actor.generics);
        Self {
            private: actor.paths.private(),
            portal_type: quote!(#portal<#(#own,)* #ty>),
            portal,
            message_type: quote!(__Message #arguments),
            parameters: quote!(#parameters),
            clause: quote!(#clause),
        }
    }
}

/// The variant of the message enum that carries a method, and the constant that is its number on the wire. Both are
/// called by place: a method's own name could meet another's.
fn variant(place: usize) -> Ident {
    format_ident!("M{place}", span = Span::call_site())
}

fn index(place: usize) -> Ident {
    format_ident!("__INDEX_{place}", span = Span::call_site())
}

/// Who handles a method's message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handler {
    Exclusive,
    Shared,
    Blocking,
}

/// Who handles a method's message; nobody, if it is a context.
fn handler(method: &Method) -> Option<Handler> {
    match &method.role {
        Role::Call { access, runs, .. } | Role::Cast { access, runs, .. } => Some(match runs {
            Runs::Blocking => Handler::Blocking,
            Runs::Async | Runs::CancelSafe | Runs::InPlace => by_access(*access),
        }),
        Role::Stream { access, .. } => Some(by_access(*access)),
        Role::Context { .. } => None,
    }
}

fn by_access(access: Access) -> Handler {
    match access {
        Access::Shared => Handler::Shared,
        Access::Exclusive => Handler::Exclusive,
    }
}

/// Whether handlers or contexts hold `&self` beside one another.
fn is_shared(actor: &Actor) -> bool {
    actor.methods.iter().any(|method| {
        let context = matches!(
            method.role,
            Role::Context {
                state: ContextState::Shared,
                ..
            }
        );
        context || handler(method) == Some(Handler::Shared)
    })
}

fn bounds(actor: &Actor) -> TokenStream {
    let mut bounds = Bounds::new(&actor.paths);
    if is_shared(actor) {
        bounds.is_shared(&actor.ty);
    }
    if let Some(init) = &actor.init {
        bounds.arguments(&init.arguments, &[]);
    }
    for Method {
        carried,
        arguments,
        role,
        ..
    } in &actor.methods
    {
        let cfgs = &carried.cfgs;
        bounds.arguments(arguments, cfgs);
        match role {
            Role::Call { output, .. } => bounds.output(output, cfgs),
            Role::Cast { output, .. } => bounds.error(output, cfgs),
            Role::Stream { item, .. } => bounds.travels(item, cfgs),
            Role::Context { ctx, output, .. } => {
                ctx.ask(&mut bounds, cfgs);
                bounds.output(output, cfgs);
            }
        }
    }
    bounds.into_item(&actor.generics)
}

/// The type of the actor in `PhantomData`, where a parameter may not be used otherwise.
fn marker(ty: &Type) -> TokenStream {
    quote!(::core::marker::PhantomData<fn() -> #ty>)
}
