//! The rules of a free function: `async`, no `self`, no `ctx`, and what every function called from elsewhere keeps.

use syn::{ItemFn, LitStr};

use super::parse::Parsed;
use crate::errors::Errors;
use crate::paths::Paths;
use crate::signature::{Argument, Carried, What, check_arguments, check_output, check_shape};
use crate::types::Output;

/// A free function that keeps the rules, or as much of one as does.
pub(super) struct RpcFn {
    pub(super) paths: Paths,
    pub(super) name: Option<LitStr>,
    pub(super) function: ItemFn,
    pub(super) carried: Carried,
    pub(super) arguments: Vec<Argument>,
    pub(super) output: Output,
}

/// Judges a free function.
pub(super) fn check(parsed: Parsed, errors: &mut Errors) -> Option<RpcFn> {
    let Parsed {
        paths,
        name,
        function,
    } = parsed;
    let signature = &function.sig;
    if let Some(receiver) = signature.receiver() {
        errors.push(
            receiver,
            "an `#[rpc]` function has no `self`: put `#[actor]` above the `impl` block, and its \
             methods are callable without `#[rpc]`",
        );
        return None;
    }
    if signature.asyncness.is_none() {
        errors.push(
            signature.fn_token,
            "an `#[rpc]` function is run as a task of the actor that exposes it: make it `async fn`",
        );
    }
    check_shape(signature, What::Rpc, errors);
    let arguments = check_arguments(&signature.inputs, None, What::Rpc, errors);
    let output = errors.unless_wrong(|errors| Some(check_output(&signature.output, None, errors)));
    let output = output.unwrap_or(Output::Unit);
    let carried = Carried::from(&function.attrs);
    Some(RpcFn {
        paths,
        name,
        function,
        carried,
        arguments,
        output,
    })
}
