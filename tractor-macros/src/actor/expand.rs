//! Writes the code of an actor.

use proc_macro2::TokenStream;
use quote::ToTokens;

use super::model::Actor;

pub(super) fn expand(actor: Actor) -> TokenStream {
    actor.block.to_token_stream()
}
