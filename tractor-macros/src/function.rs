//! What the expansions of free functions share: the type with the function's name, its place in the catalogue, and
//! what stands in for a mistaken one.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, ItemFn, LitStr, Pat};

/// The type with the function's name, and the user's function in it as `local`.
///
/// A struct with braces lives in the namespace of types alone, so that the function beside it can have the same name;
/// unlike a module, it also works inside a function's body and sees the types around it.
pub(crate) fn marker(function: &ItemFn, cfgs: &[Attribute]) -> TokenStream {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
    } = function;
    let ident = &sig.ident;
    let mut local = sig.clone();
    local.ident = Ident::new("local", ident.span());
    let name = ident.unraw();
    let about_type = format!("The function `{name}` as a type.");
    let about_local = missing_docs(attrs, &format!("The plain function behind `{name}`."));
    quote! {
        #(#cfgs)*
        #[doc = #about_type]
        #[allow(non_camel_case_types, dead_code, reason = "it has the function's name")]
        #vis struct #ident {}

        #(#cfgs)*
        impl #ident {
            #about_local
            #(#attrs)*
            #vis #local #block
        }
    }
}

/// The name in the catalogue: the given one, or the function's path.
pub(crate) fn name_of(given: Option<&LitStr>, ident: &Ident) -> TokenStream {
    match given {
        Some(name) => name.to_token_stream(),
        None => {
            let own = ident.unraw().to_string();
            quote!(::core::concat!(::core::module_path!(), "::", #own))
        }
    }
}

/// The user's docs, or these where there are none.
pub(crate) fn with_docs(docs: &[Attribute], otherwise: &str) -> TokenStream {
    let missing = missing_docs(docs, otherwise);
    quote!(#missing #(#docs)*)
}

fn missing_docs(attributes: &[Attribute], otherwise: &str) -> Option<TokenStream> {
    let documented = attributes.iter().any(|one| one.path().is_ident("doc"));
    (!documented).then(|| quote!(#[doc = #otherwise]))
}

/// For a mistaken function: the user's function, so that its body is still looked at, and one with the parameters that
/// callers give (without those in `hidden`), which returns `call`.
pub(crate) fn stand_in(
    function: &ItemFn,
    call: TokenStream,
    hidden: &[usize],
) -> (TokenStream, TokenStream) {
    let mut signature = function.sig.clone();
    let mut place = 0;
    signature.asyncness = None;
    signature.unsafety = None;
    signature.abi = None;
    signature.output = syn::parse_quote!(-> #call);
    signature.inputs = signature
        .inputs
        .into_iter()
        .enumerate()
        .filter(|(place, _)| !hidden.contains(place))
        .map(|(_, parameter)| parameter)
        .collect();
    for parameter in &mut signature.inputs {
        if let FnArg::Typed(parameter) = parameter {
            let name = format_ident!("_a{place}");
            *parameter.pat = Pat::Verbatim(name.into_token_stream());
            parameter.attrs.clear();
            place += 1;
        }
    }
    let visibility = &function.vis;
    let call = quote! {
        #[allow(dead_code, reason = "it only stands here to be looked at")]
        #visibility #signature {
            ::core::unreachable!()
        }
    };
    (function.to_token_stream(), call)
}
