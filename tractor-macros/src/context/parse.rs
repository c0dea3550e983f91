//! Reads `#[context(..)]` and the function below it, without judging either.

use proc_macro2::TokenStream;
use syn::{Item, ItemFn, LitStr};

use crate::args::Arguments;
use crate::errors::Errors;
use crate::paths::Paths;

/// A function with `#[context]` as the user wrote it.
pub(super) struct Parsed {
    pub(super) paths: Paths,
    /// The wire name, if the user fixed one.
    pub(super) name: Option<LitStr>,
    pub(super) function: ItemFn,
}

/// Reads both, or says why they cannot be read.
pub(super) fn parse(
    arguments: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> Option<Parsed> {
    let mut arguments = Arguments::parse(arguments, errors);
    let paths = Paths::from_arguments(&mut arguments, errors);
    let name = arguments.text("name", errors);
    arguments.finish(
        "`#[context]` takes `name = \"..\"` and `crate = path`",
        errors,
    );
    match errors.absorb(syn::parse2::<Item>(item))? {
        Item::Fn(function) => Some(Parsed {
            paths,
            name,
            function,
        }),
        other => {
            errors.push(
                other,
                "`#[context]` goes on a function: `#[context] async fn name(ctx: Context<Started, \
                 In, Out>, ..) -> Result<T, E>`",
            );
            None
        }
    }
}
