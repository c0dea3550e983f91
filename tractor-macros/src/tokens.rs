//! Small pieces of output that several macros share.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::signature::Argument;
use crate::types::Output;

/// The place of the user's tokens, for output that means what it means at the macro's: errors in it stand there.
pub(crate) fn at(span: Span) -> Span {
    span.resolved_at(Span::call_site())
}

/// `(A, B,)`: what the arguments travel as.
pub(crate) fn tuple_type(arguments: &[Argument]) -> TokenStream {
    let types = arguments.iter().map(|argument| &argument.ty);
    quote!((#(#types,)*))
}

/// `a: A, b: B`: the arguments as parameters.
pub(crate) fn parameters(arguments: &[Argument]) -> TokenStream {
    let (names, types) = (
        names(arguments),
        arguments.iter().map(|argument| &argument.ty),
    );
    quote!(#(#names: #types),*)
}

/// `(a, b,)`: the parameters as the tuple that travels.
pub(crate) fn tuple(arguments: &[Argument]) -> TokenStream {
    let names = names(arguments);
    quote!((#(#names,)*))
}

/// Names of ours for the arguments, which no name of the user's can meet.
pub(crate) fn binders(arguments: &[Argument]) -> Vec<Ident> {
    let name = |place| format_ident!("a{place}", span = Span::mixed_site());
    (0..arguments.len()).map(name).collect()
}

/// The types of success and of failure a written return type means.
pub(crate) fn outcome(output: &Output, private: &TokenStream) -> (TokenStream, TokenStream) {
    match output {
        Output::Unit => (quote!(()), quote!(#private::Never)),
        Output::Plain(ty) => (quote!(#ty), quote!(#private::Never)),
        Output::Result(ty) => (
            quote!(<#ty as #private::IsResult>::Ok),
            quote!(<#ty as #private::IsResult>::Err),
        ),
    }
}

/// A returned value as the `Result` it means.
pub(crate) fn as_result(output: &Output, private: &TokenStream, value: TokenStream) -> TokenStream {
    match output {
        Output::Unit | Output::Plain(_) => {
            quote!(::core::result::Result::Ok::<_, #private::Never>(#value))
        }
        Output::Result(_) => quote!(#private::IsResult::into_result(#value)),
    }
}

fn names(arguments: &[Argument]) -> impl Iterator<Item = &Ident> {
    arguments.iter().map(|argument| &argument.name)
}
