//! `#[rpc]`: a free function that any actor can expose, and whose call is a value.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// The macro: parse, check, expand.
pub(crate) fn rpc(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let as_written = item.clone();
    Errors::collect(|errors| {
        let parsed = parse::parse(arguments, item, errors)?;
        check::check(parsed, errors)
    })
    .expand(expand::expand, expand::stand_in, as_written)
}
