//! `register!(Worker<u32>)`: names one instance of a generic actor for the catalogue.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{Lifetime, Path, Token, Type, TypeInfer};

use crate::errors::Errors;
use crate::expose::leading_crate;
use crate::paths::Paths;
use crate::types::unwrapped;

/// The macro.
pub(crate) fn register(input: TokenStream) -> TokenStream {
    Errors::collect(|errors| {
        let Input { root, list } = errors.absorb(syn::parse2::<Input>(input))?;
        if list.is_empty() {
            errors.push(TokenStream::new(), FORM);
        }
        for ty in &list {
            check(ty, errors);
        }
        Some((Paths::of(root.as_ref()), list))
    })
    .expand(
        |(paths, list)| list.iter().map(|ty| entry(&paths, ty)).collect(),
        |_| TokenStream::new(),
        TokenStream::new(),
    )
}

/// The catalogue's entry of one concrete actor.
pub(crate) fn entry(paths: &Paths, actor: &Type) -> TokenStream {
    let private = paths.private();
    quote! {
        const _: () = {
            #[#private::linkme::distributed_slice(#private::ACTORS)]
            #[linkme(crate = #private::linkme)]
            static ENTRY: #private::ActorEntry = #private::ActorEntry::of::<#actor>();
        };
    }
}

struct Input {
    root: Option<Path>,
    list: Punctuated<Type, Token![,]>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let root = leading_crate(input)?;
        let ty = |input: ParseStream<'_>| {
            let ahead = input.fork();
            input.parse::<Type>().map_err(|_| ahead.error(FORM))
        };
        let list = Punctuated::parse_terminated_with(input, ty)?;
        Ok(Self { root, list })
    }
}

fn check(ty: &Type, errors: &mut Errors) {
    if !matches!(unwrapped(ty), Type::Path(_)) {
        errors.push(ty, FORM);
        return;
    }
    Concrete { errors }.visit_type_mut(&mut ty.clone());
}

/// Reports what keeps a type from being concrete.
struct Concrete<'a> {
    errors: &'a mut Errors,
}

impl VisitMut for Concrete<'_> {
    fn visit_type_infer_mut(&mut self, hole: &mut TypeInfer) {
        self.errors.push(
            hole.to_token_stream(),
            "the catalogue needs the whole type: write it out",
        );
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            self.errors.push(
                lifetime.to_token_stream(),
                "an actor owns its state: no lifetimes",
            );
        }
    }
}

const FORM: &str = "name an actor's type: `register!(Worker<u32>);`";
