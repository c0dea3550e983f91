//! Writes the code of a free function: its body as `local`, its call as a value, and its line in the catalogue.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Generics, ItemFn};

use super::check::RpcFn;
use crate::checks::Checks;
use crate::function::{marker, name_of, with_docs};
use crate::tokens::{as_result, at, binders, outcome, parameters, tuple};

/// The expansion of a function that keeps the rules.
pub(super) fn expand(rpc: RpcFn) -> TokenStream {
    let private = rpc.paths.private();
    let ident = &rpc.function.sig.ident;
    let (visibility, cfgs) = (&rpc.function.vis, &rpc.carried.cfgs);
    let docs = with_docs(
        &rpc.carried.docs,
        "A call of this function as a value: awaited, it runs here; a portal runs it elsewhere.",
    );
    let marker = marker(&rpc.function, cfgs);
    let (parameters, tuple) = (parameters(&rpc.arguments), tuple(&rpc.arguments));
    let generics = Generics::default();
    let mut checks = Checks::new(&rpc.paths, &generics);
    let implementation = implementation(&rpc, &private, &mut checks);
    let checks = checks.into_items();
    quote! {
        #marker

        #(#cfgs)*
        #docs
        #visibility fn #ident(#parameters) -> #private::FnCall<#ident> {
            #private::FnCall::new(#tuple)
        }

        #(#cfgs)*
        #[allow(dead_code, deprecated, reason = "written by `#[tractor::rpc]`")]
        const _: () = {
            #implementation

            #[automatically_derived]
            impl #private::Expose for #ident {
                const NAME: &'static str = <#ident as #private::RpcFn>::NAME;
            }

            #checks

            #[#private::linkme::distributed_slice(#private::FUNCTIONS)]
            #[linkme(crate = #private::linkme)]
            static ENTRY: #private::FunctionEntry = #private::FunctionEntry::rpc::<#ident>();
        };
    }
}

fn implementation(rpc: &RpcFn, private: &TokenStream, checks: &mut Checks<'_>) -> TokenStream {
    let signature = &rpc.function.sig;
    let ident = &signature.ident;
    let (arguments, binders) = (checks.tuple(&rpc.arguments, &[]), binders(&rpc.arguments));
    let (ok, err) = checks.outcome(&rpc.output, &[]);
    let output = rpc.output.written();
    let name = name_of(rpc.name.as_ref(), ident);
    let value = quote!(output);
    let result = as_result(&rpc.output, private, value);
    // A future that is not `Send` is reported at the function's name.
    let future = quote_spanned! {at(ident.span())=>
        impl ::core::future::Future<Output = Self::Output> + ::core::marker::Send + 'static
    };
    quote! {
        #[automatically_derived]
        impl #private::RpcFn for #ident {
            type Args = #arguments;
            type Output = #output;
            type Ok = #ok;
            type Err = #err;
            const NAME: &'static str = #name;

            fn invoke((#(#binders,)*): Self::Args) -> #future {
                #ident::local(#(#binders),*)
            }

            fn outcome(output: Self::Output) -> ::core::result::Result<Self::Ok, Self::Err> {
                #result
            }
        }
    }
}

/// What stands in for a mistaken function, so that the places that call it are not reported too.
pub(super) fn stand_in(rpc: RpcFn) -> TokenStream {
    let private = rpc.paths.private();
    let RpcFn {
        function, output, ..
    } = &rpc;
    let ItemFn { vis, sig, .. } = function;
    let ident = &sig.ident;
    let (ok, err) = outcome(output, &private);
    let (body, call) = crate::function::stand_in(function, quote!(#private::FnCall<#ident>), &[]);
    let output = output.written();
    quote! {
        #[allow(non_camel_case_types, dead_code, reason = "written by `#[tractor::rpc]`")]
        #vis struct #ident {}

        #[allow(dead_code, reason = "written by `#[tractor::rpc]`")]
        const _: () = {
            #body

            impl #private::RpcFn for #ident {
                type Args = ();
                type Output = #output;
                type Ok = #ok;
                type Err = #err;
                const NAME: &'static str = "";

                async fn invoke((): ()) -> Self::Output {
                    ::core::unreachable!()
                }

                fn outcome(_: Self::Output) -> ::core::result::Result<Self::Ok, Self::Err> {
                    ::core::unreachable!()
                }
            }

            impl #private::Expose for #ident {
                const NAME: &'static str = "";
            }
        };

        #call
    }
}
