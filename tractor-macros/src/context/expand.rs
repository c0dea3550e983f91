//! Writes the code of a context function.

use proc_macro2::TokenStream;
use quote::ToTokens;

use super::check::ContextFn;

pub(super) fn expand(function: ContextFn) -> TokenStream {
    function.function.to_token_stream()
}
