//! The actor's portal type, with a method for each of the actor's, and `spec`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::{Names, Wired, marker};
use crate::actor::model::{Actor, Method, Role};
use crate::function::with_docs;
use crate::tokens::{at, outcome, parameters, tuple, tuple_type};
use crate::types::text_of;

/// What the portal's type is, for its reader.
fn type_docs(actor: &Actor) -> String {
    format!(
        "Portal to a [`{}`]: calls its methods, wherever it lives. Cheap to clone; can be sent to \
         other actors.",
        actor.ident.unraw()
    )
}

/// The type itself.
///
/// The actor is a parameter of it, always given by its default: that way the portal is as visible as the actor is,
/// which the macro cannot see (a private type in the interface of a public one is error E0446, and the reverse too).
pub(super) fn declare(actor: &Actor, names: &Names) -> TokenStream {
    let Names {
        private,
        portal,
        clause,
        ..
    } = names;
    let (ty, docs) = (&actor.ty, type_docs(actor));
    let own: Vec<_> = actor.generics.params.iter().collect();
    let marker = (!own.is_empty()).then(|| marker(ty));
    quote! {
        #[doc = #docs]
        #[allow(
            dead_code,
            private_bounds,
            private_interfaces,
            unreachable_pub,
            reason = "written by `#[tractor::actor]`"
        )]
        pub struct #portal<#(#own,)* __Actor: #private::Actor = #ty>(#private::Portal<__Actor>, #marker)
        #clause;
    }
}

/// What every portal does, and what this one does.
pub(super) fn implement(actor: &Actor, names: &Names, methods: &[Wired<'_>]) -> TokenStream {
    let Names {
        private,
        portal,
        portal_type,
        parameters,
        clause,
        ..
    } = names;
    let ty = &actor.ty;
    let marker = (!actor.generics.params.is_empty()).then(|| quote!(::core::marker::PhantomData));
    let methods = methods.iter().map(|wired| method(wired, actor, names));
    let traits = serde_traits(actor, names);
    quote! {
        impl #parameters #portal_type #clause {
            #(#methods)*
        }

        #[automatically_derived]
        impl #parameters ::core::convert::From<#private::Portal<#ty>> for #portal_type #clause {
            fn from(portal: #private::Portal<#ty>) -> Self {
                #portal(portal, #marker)
            }
        }

        #[automatically_derived]
        impl #parameters ::core::ops::Deref for #portal_type #clause {
            type Target = #private::Portal<#ty>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        #[automatically_derived]
        impl #parameters ::core::clone::Clone for #portal_type #clause {
            fn clone(&self) -> Self {
                #portal(::core::clone::Clone::clone(&self.0), #marker)
            }
        }

        #[automatically_derived]
        impl #parameters ::core::fmt::Debug for #portal_type #clause {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, f)
            }
        }

        #traits
    }
}

/// It travels as the portal in it does.
fn serde_traits(actor: &Actor, names: &Names) -> TokenStream {
    let Names {
        private,
        portal_type,
        parameters,
        clause,
        ..
    } = names;
    let ty = &actor.ty;
    let with_de: Vec<_> = actor.generics.params.iter().collect();
    quote! {
        #[automatically_derived]
        impl #parameters #private::serde::Serialize for #portal_type #clause {
            fn serialize<__S: #private::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                #private::serde::Serialize::serialize(&self.0, serializer)
            }
        }

        #[automatically_derived]
        impl<'de, #(#with_de),*> #private::serde::Deserialize<'de> for #portal_type #clause {
            fn deserialize<__D: #private::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                let portal: #private::Portal<#ty> =
                    #private::serde::Deserialize::deserialize(deserializer)?;
                ::core::result::Result::Ok(::core::convert::From::from(portal))
            }
        }
    }
}

/// The method that calls one of the actor's: in its signature are the user's types, in its body the checked ones.
fn method(wired: &Wired<'_>, actor: &Actor, names: &Names) -> TokenStream {
    let private = &names.private;
    let Method {
        ident,
        visibility,
        carried,
        arguments,
        role,
    } = wired.method;
    let (index, variant) = (wired.index(), wired.variant());
    let (ty, args) = (&actor.ty, tuple_type(arguments));
    let (parameters, given) = (parameters(arguments), tuple(arguments));
    let (returned, make, carry) = match role {
        Role::Call { output, .. } => {
            let (ok, err) = outcome(output, private);
            let returned = quote!(#private::Call<'_, #ty, #args, #ok, #err>);
            (returned, quote!(call), quote!(, __Message::#variant))
        }
        Role::Cast { .. } => {
            let returned = quote!(#private::CastCall<'_, #ty, #args>);
            (returned, quote!(cast), quote!(, __Message::#variant))
        }
        Role::Stream { item, .. } => {
            let returned = quote!(#private::StreamCall<'_, #ty, #args, #item>);
            (returned, quote!(stream), TokenStream::new())
        }
        Role::Context { ctx, output, .. } => {
            let ((ok, err), ctx) = (outcome(output, private), ctx.written());
            let returned = quote!(#private::ContextCall<'_, #ty, #args, #(#ctx,)* #ok, #err>);
            (returned, quote!(context), TokenStream::new())
        }
    };
    let (checked, types) = (&wired.arguments, &wired.types);
    let call = quote!(#make::<#checked, #(#types),*>(#index, #given #carry));
    let about = format!("`{}::{}`, called from here.", text_of(ty), ident.unraw());
    let (docs, cfgs) = (with_docs(&carried.docs, &about), &carried.cfgs);
    quote! {
        #(#cfgs)*
        #docs
        #visibility fn #ident(&self, #parameters) -> #returned {
            self.0.#call
        }
    }
}

/// `Counter::spec`: the arguments of `#[init]`, as what an actor is started from.
pub(super) fn spec(actor: &Actor, names: &Names) -> TokenStream {
    let Some(init) = &actor.init else {
        return TokenStream::new();
    };
    let Names {
        private,
        parameters: generics,
        clause,
        ..
    } = names;
    let ty = &actor.ty;
    let (visibility, cfgs) = (&init.visibility, &init.carried.cfgs);
    let (parameters, tuple) = (parameters(&init.arguments), tuple(&init.arguments));
    let about = format!(
        "An actor to be started, by `{}::{}`.",
        text_of(ty),
        init.ident.unraw()
    );
    let docs = with_docs(&init.carried.docs, &about);
    let name = quote_spanned!(at(init.ident.span())=> spec);
    quote! {
        impl #generics #ty #clause {
            #(#cfgs)*
            #docs
            #visibility fn #name(#parameters) -> #private::Spec<#ty> {
                #private::Spec::new(#tuple)
            }
        }
    }
}
