//! The numbers of the methods, and the enum that carries a call to its actor.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::Attribute;

use crate::tokens::{outcome, tuple_type};

use super::{Names, Wired, index, marker};
use crate::actor::model::{Actor, Method, Role};

/// The constants that are the methods' numbers: their places in the table, in which a method whose `cfg` is off has
/// none.
pub(super) fn indexes(methods: &[Method]) -> TokenStream {
    let mut unconditional = 0_u16;
    let mut conditional = TokenStream::new();
    let mut indexes = TokenStream::new();
    for (place, method) in methods.iter().enumerate() {
        let (name, before) = (index(place), Literal::u16_suffixed(unconditional));
        indexes.extend(quote!(const #name: u16 = #before #conditional;));
        match conditions(&method.carried.cfgs) {
            Some(condition) => conditional.extend(quote!(+ ::core::cfg!(#condition) as u16)),
            None => unconditional += 1,
        }
    }
    indexes
}

/// All `#[cfg(..)]`s of a method as one condition.
fn conditions(cfgs: &[Attribute]) -> Option<TokenStream> {
    let conditions = cfgs.iter().filter_map(|one| one.meta.require_list().ok());
    let conditions: Vec<_> = conditions.map(|list| &list.tokens).collect();
    (!conditions.is_empty()).then(|| quote!(all(#(#conditions),*)))
}

/// The enum: each variant holds the arguments as the tuple they travel as, and the reply that is owed.
pub(super) fn message(actor: &Actor, names: &Names, methods: &[Wired<'_>]) -> TokenStream {
    let Names {
        private,
        parameters,
        clause,
        ..
    } = names;
    let variants = methods.iter().filter_map(|wired| {
        let (cfgs, name) = (wired.cfgs(), wired.variant());
        let arguments = tuple_type(&wired.method.arguments);
        let reply = reply_type(&wired.method.role, private)?;
        Some(quote!(#(#cfgs)* #name(#arguments, #reply)))
    });
    let unused = (!actor.generics.params.is_empty()).then(|| {
        let marker = marker(&actor.ty);
        quote!(Unused(#marker, #private::Never))
    });
    quote! {
        #[doc(hidden)]
        pub enum __Message #parameters #clause {
            #(#variants,)*
            #unused
        }
    }
}

/// What a message owes its caller: nothing for a cast; a context has no message.
fn reply_type(role: &Role, private: &TokenStream) -> Option<TokenStream> {
    match role {
        Role::Call { output, .. } => {
            let (ok, err) = outcome(output, private);
            Some(quote!(#private::Reply<#ok, #err>))
        }
        Role::Cast { .. } => Some(TokenStream::new()),
        Role::Stream { item, .. } => Some(quote!(#private::StreamReply<#item>)),
        Role::Context { .. } => None,
    }
}

/// `fn decode`: from the wire to a message.
pub(super) fn decode(names: &Names, methods: &[Wired<'_>]) -> TokenStream {
    let private = &names.private;
    let arms = methods.iter().filter_map(|wired| {
        let (cfgs, index, variant) = (wired.cfgs(), wired.index(), wired.variant());
        let (arguments, types) = (&wired.arguments, &wired.types);
        let (reply, rest) = match &wired.method.role {
            Role::Call { .. } => (
                quote!(reply),
                quote!(, #private::Reply::<#(#types),*>::wire(reply)),
            ),
            Role::Stream { .. } => (
                quote!(reply),
                quote!(, #private::StreamReply::<#(#types),*>::wire(reply)),
            ),
            Role::Cast { .. } => (quote!(_), TokenStream::new()),
            Role::Context { .. } => return None,
        };
        Some(quote! {
            #(#cfgs)*
            #index => {
                let (arguments, #reply) = reply.decode::<#arguments>(bytes)?;
                ::core::option::Option::Some(__Message::#variant(arguments #rest))
            }
        })
    });
    quote! {
        fn decode(
            index: u16,
            bytes: &[u8],
            reply: #private::WireReply,
        ) -> ::core::option::Option<Self::Msg> {
            match index {
                #(#arms)*
                _ => {
                    reply.unknown_method(index);
                    ::core::option::Option::None
                }
            }
        }
    }
}
