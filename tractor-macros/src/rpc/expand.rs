//! Writes the code of a free function.

use proc_macro2::TokenStream;
use quote::ToTokens;

use super::check::RpcFn;

pub(super) fn expand(function: RpcFn) -> TokenStream {
    function.function.to_token_stream()
}
