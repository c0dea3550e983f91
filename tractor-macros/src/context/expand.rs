//! Writes the code of a context function: its body as `local`, what opens it, and its line in the catalogue.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{FnArg, Generics, ItemFn};

use super::check::{ContextFn, is_context};
use crate::checks::Checks;
use crate::function::{marker, name_of, with_docs};
use crate::tokens::{as_result, at, binders, outcome, parameters, tuple};

/// The expansion of a function that keeps the rules.
pub(super) fn expand(context: ContextFn) -> TokenStream {
    let private = context.paths.private();
    let ident = &context.function.sig.ident;
    let (visibility, cfgs) = (&context.function.vis, &context.carried.cfgs);
    let docs = with_docs(
        &context.carried.docs,
        "This function, to be opened through a portal.",
    );
    let marker = marker(&context.function, cfgs);
    let (parameters, tuple) = (parameters(&context.arguments), tuple(&context.arguments));
    let generics = Generics::default();
    let mut checks = Checks::new(&context.paths, &generics);
    let implementation = implementation(&context, &private, &mut checks);
    let checks = checks.into_items();
    quote! {
        #marker

        #(#cfgs)*
        #docs
        #visibility fn #ident(#parameters) -> #private::FnContext<#ident> {
            #private::FnContext::new(#tuple)
        }

        #(#cfgs)*
        #[allow(dead_code, deprecated, reason = "written by `#[tractor::context]`")]
        const _: () = {
            #implementation

            #[automatically_derived]
            impl #private::Expose for #ident {
                const NAME: &'static str = <#ident as #private::ContextFn>::NAME;
            }

            #checks

            #[#private::linkme::distributed_slice(#private::FUNCTIONS)]
            #[linkme(crate = #private::linkme)]
            static ENTRY: #private::FunctionEntry = #private::FunctionEntry::context::<#ident>();
        };
    }
}

fn implementation(
    context: &ContextFn,
    private: &TokenStream,
    checks: &mut Checks<'_>,
) -> TokenStream {
    let ident = &context.function.sig.ident;
    let (arguments, binders) = (
        checks.tuple(&context.arguments, &[]),
        binders(&context.arguments),
    );
    let types = types(
        &context.ctx.checked(checks, &[]),
        checks.outcome(&context.output, &[]),
    );
    let name = name_of(context.name.as_ref(), ident);
    // A future that is not `Send` is reported at the function's name.
    let call = quote_spanned! {at(ident.span())=>
        #private::handlers_must_be_send(#ident::local(ctx, #(#binders),*)).await
    };
    let result = as_result(&context.output, private, call);
    quote! {
        #[automatically_derived]
        impl #private::ContextFn for #ident {
            type Args = #arguments;
            #types
            const NAME: &'static str = #name;

            fn invoke(
                ctx: #private::Context<Self::Started, Self::In, Self::Out>,
                (#(#binders,)*): Self::Args,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<Self::Ok, Self::Err>,
            > + ::core::marker::Send
              + 'static {
                async move { #result }
            }
        }
    }
}

fn types(
    [started, incoming, outgoing]: &[TokenStream; 3],
    (ok, err): (TokenStream, TokenStream),
) -> TokenStream {
    quote! {
        type Started = #started;
        type In = #incoming;
        type Out = #outgoing;
        type Ok = #ok;
        type Err = #err;
    }
}

/// What stands in for a mistaken function, so that the places that open it are not reported too.
pub(super) fn stand_in(context: ContextFn) -> TokenStream {
    let private = context.paths.private();
    let ItemFn { vis, sig, .. } = &context.function;
    let ident = &sig.ident;
    let types = types(&context.ctx.written(), outcome(&context.output, &private));
    let is_ctx = |parameter: &FnArg| match parameter {
        FnArg::Typed(parameter) => is_context(&parameter.ty),
        FnArg::Receiver(_) => false,
    };
    let hidden: Vec<usize> = sig.inputs.iter().position(is_ctx).into_iter().collect();
    let returned = quote!(#private::FnContext<#ident>);
    let (body, call) = crate::function::stand_in(&context.function, returned, &hidden);
    quote! {
        #[allow(non_camel_case_types, dead_code, reason = "written by `#[tractor::context]`")]
        #vis struct #ident {}

        #[allow(dead_code, reason = "written by `#[tractor::context]`")]
        const _: () = {
            #body

            impl #private::ContextFn for #ident {
                type Args = ();
                #types
                const NAME: &'static str = "";

                async fn invoke(
                    _: #private::Context<Self::Started, Self::In, Self::Out>,
                    (): (),
                ) -> ::core::result::Result<Self::Ok, Self::Err> {
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
