//! `#[actor]`: an `impl` block becomes an actor; its methods become calls, casts, streams and contexts.

mod check;
mod expand;
mod lifecycle;
mod mark;
mod model;
mod parse;
mod roles;

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::errors::Errors;

/// The macro: parse, check, expand.
pub(crate) fn actor(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut as_written = item.clone();
    Errors::collect(|errors| {
        let parsed = parse::parse(arguments, item, errors)?;
        as_written = parsed.block.to_token_stream();
        check::check(parsed, errors)
    })
    .expand(expand::expand, expand::expand, as_written)
}
