//! `#[context]` on a free function: a long-lived pair of linked tasks, opened through a portal.
//!
//! Owns what a `ctx` parameter looks like, which context methods of an actor share.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;

pub(crate) use self::check::{CtxTypes, check_async, check_ctx, is_context};
use crate::errors::Errors;

/// The macro: parse, check, expand.
pub(crate) fn context(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let as_written = item.clone();
    Errors::collect(|errors| {
        let parsed = parse::parse(arguments, item, errors)?;
        check::check(parsed, errors)
    })
    .expand(expand::expand, expand::stand_in, as_written)
}
