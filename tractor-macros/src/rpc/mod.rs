//! `#[rpc]`: a free function that any actor can expose, and whose call is a value.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;

use crate::errors::{Errors, or_fallback};

/// The macro: parse, check, expand.
pub(crate) fn rpc(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let fallback = item.clone();
    let checked = Errors::collect(|errors| {
        let parsed = parse::parse(arguments, item, errors)?;
        check::check(parsed, errors)
    });
    or_fallback(checked.map(expand::expand), fallback)
}
