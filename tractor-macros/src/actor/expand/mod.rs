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
use syn::ext::IdentExt;
use syn::{Attribute, Type};

use super::model::{Access, Actor, ContextState, Method, Role, Runs};
use crate::checks::Checks;
use crate::register;
use crate::types::{Output, generic_arguments};

/// The expansion of an actor.
pub(super) fn expand(actor: Actor) -> TokenStream {
    let names = Names::of(&actor);
    let mut checks = Checks::new(&actor.paths, &actor.generics);
    let shared_type = is_shared(&actor).then(|| checks.shared(&actor.ty));
    let init = serving::init(&actor, &names, &mut checks);
    let mut methods = Vec::with_capacity(actor.methods.len());
    for (place, method) in actor.methods.iter().enumerate() {
        methods.push(Wired::of(method, place, &mut checks));
    }
    let (block, portal_type) = (&actor.block, portal::declare(&actor, &names));
    let portal = portal::implement(&actor, &names, &methods);
    let spec = portal::spec(&actor, &names);
    let indexes = letters::indexes(&actor.methods);
    let message = letters::message(&actor, &names, &methods);
    let serving = serving::actor(&actor, &names, &methods, &init, shared_type.as_ref());
    let shared = shared_type.map(|ty| serving::shared_actor(&actor, &ty, &names, &methods));
    let checks = checks.into_items();
    let entry = if actor.generics.params.is_empty() {
        register::entry(&actor.paths, &actor.ty)
    } else {
        TokenStream::new()
    };
    quote! {
        #[allow(
            clippy::needless_pass_by_ref_mut,
            reason = "`&mut self` says that the method runs alone, whatever it does with the state"
        )]
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
            #checks
            #indexes
            #spec
            #portal
            #message
            #serving
            #shared
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

fn index(place: usize) -> Ident {
    format_ident!("__INDEX_{place}", span = Span::call_site())
}

/// A method with its types as hidden code names them: checked.
struct Wired<'a> {
    method: &'a Method,
    place: usize,
    /// The arguments as one tuple.
    arguments: TokenStream,
    /// The other types: value and error; or item; or first value, what arrives, what leaves, value and error.
    types: Vec<TokenStream>,
    /// The error of a cast.
    error: TokenStream,
}

impl<'a> Wired<'a> {
    fn of(method: &'a Method, place: usize, checks: &mut Checks<'_>) -> Self {
        let cfgs = &method.carried.cfgs;
        let arguments = checks.tuple(&method.arguments, cfgs);
        let types = match &method.role {
            Role::Call { output, .. } => pair(checks.outcome(output, cfgs)),
            Role::Cast { .. } => Vec::new(),
            Role::Stream { item, .. } => vec![checks.travels(item, cfgs)],
            Role::Context { ctx, output, .. } => {
                let mut types = ctx.checked(checks, cfgs).to_vec();
                types.extend(pair(checks.outcome(output, cfgs)));
                types
            }
        };
        let error = match &method.role {
            Role::Cast {
                output: Output::Result(ty),
                ..
            } => checks.error(ty, cfgs),
            Role::Cast { .. } | Role::Call { .. } | Role::Stream { .. } | Role::Context { .. } => {
                TokenStream::new()
            }
        };
        Self {
            method,
            place,
            arguments,
            types,
            error,
        }
    }

    /// The variant of the message enum that carries it, called by place: its own name could meet another's.
    fn variant(&self) -> Ident {
        format_ident!("M{}", self.place, span = Span::call_site())
    }

    /// The conditions it is there by.
    fn cfgs(&self) -> &[Attribute] {
        &self.method.carried.cfgs
    }

    /// The constant that is its number on the wire.
    fn index(&self) -> Ident {
        index(self.place)
    }
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

fn pair((first, second): (TokenStream, TokenStream)) -> Vec<TokenStream> {
    vec![first, second]
}

/// The type of the actor in `PhantomData`, where a parameter may not be used otherwise.
fn marker(ty: &Type) -> TokenStream {
    quote!(::core::marker::PhantomData<fn() -> #ty>)
}
