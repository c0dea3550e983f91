//! Where the generated code finds the runtime.
//!
//! Every path in our output starts with the one held here: `::tractor` unless the user said `crate = path`. Names of
//! std go through `::core` and `::std`, so that nothing the user has in scope can change what the output means.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;

use crate::args::Arguments;
use crate::errors::Errors;

/// The path of the `tractor` crate as the user's crate sees it.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    root: TokenStream,
}

impl Paths {
    /// Takes `crate = path` from the arguments, or answers the usual place.
    pub(crate) fn from_arguments(arguments: &mut Arguments, errors: &mut Errors) -> Self {
        Self::of(arguments.path("crate", errors).as_ref())
    }

    /// The crate is at `path`, or at the usual place.
    pub(crate) fn of(path: Option<&Path>) -> Self {
        Self {
            root: path.map_or_else(|| quote!(::tractor), ToTokens::to_token_stream),
        }
    }

    /// The crate itself.
    pub(crate) fn root(&self) -> &TokenStream {
        &self.root
    }

    /// The module for macros alone; nothing in it is promised to users.
    pub(crate) fn private(&self) -> TokenStream {
        let root = &self.root;
        quote!(#root::__private)
    }
}
