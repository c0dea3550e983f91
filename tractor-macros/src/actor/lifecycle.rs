//! The rules of the functions the runtime calls: `#[init]` and the hooks.

use syn::{ReturnType, Signature, Type};

use super::mark::HookKind;
use super::model::{Access, Hook, Init};
use super::parse::Function;
use super::roles::access;
use crate::errors::Errors;
use crate::signature::{Carried, What, check_arguments, check_shape};
use crate::types::{Output, without_self};

/// `#[init]`: makes the state where the actor runs.
pub(super) fn init(function: &Function, actor: &Type, errors: &mut Errors) -> Option<Init> {
    let signature = &function.signature;
    check_shape(signature, What::Init, errors);
    if let Some(receiver) = signature.receiver() {
        errors.push(
            receiver,
            "`#[init]` makes the state, so there is no `self` yet: take what it needs as arguments",
        );
        return None;
    }
    let arguments = check_arguments(&signature.inputs, Some(actor), What::Init, errors);
    let output = match Output::of(&signature.output) {
        Output::Unit => {
            errors.push(
                &signature.ident,
                "`#[init]` returns the state: `-> Self` or `-> Result<Self, E>`",
            );
            return None;
        }
        Output::Plain(ty) => Output::Plain(without_self(&ty, actor)),
        Output::Result(ty) => Output::Result(without_self(&ty, actor)),
    };
    Some(Init {
        ident: signature.ident.clone(),
        visibility: function.visibility.clone(),
        carried: Carried::from(&function.attributes),
        is_async: signature.asyncness.is_some(),
        arguments,
        output,
    })
}

/// A hook: the runtime calls it, with nothing but what the hook is about.
pub(super) fn hook(function: &Function, kind: HookKind, errors: &mut Errors) -> Option<Hook> {
    let signature = &function.signature;
    check_shape(signature, What::Hook, errors);
    let (wanted, form) = match kind {
        HookKind::Start => (0, "`#[on_start] async fn name(&mut self)`"),
        HookKind::Stop => (0, "`#[on_stop] async fn name(&mut self)`"),
        HookKind::Error => (
            1,
            "`#[on_error] fn name(&self, error: CastError) -> OnError`",
        ),
    };
    let given = signature.inputs.len() - usize::from(signature.receiver().is_some());
    let access = access(function, errors)?;
    if given != wanted {
        errors.push(
            &signature.inputs,
            format!("the runtime calls this hook: write {form}"),
        );
        return None;
    }
    match kind {
        HookKind::Start => check_silent(signature, "what can fail belongs into `#[init]`", errors)?,
        HookKind::Stop => check_silent(signature, "nobody is left to be told", errors)?,
        HookKind::Error => check_on_error(signature, access, form, errors)?,
    }
    Some(Hook {
        ident: signature.ident.clone(),
        is_async: signature.asyncness.is_some(),
        cfgs: Carried::from(&function.attributes).cfgs,
    })
}

/// `on_start` and `on_stop` return nothing.
fn check_silent(signature: &Signature, why: &str, errors: &mut Errors) -> Option<()> {
    match (Output::of(&signature.output), &signature.output) {
        (Output::Unit, _) | (_, ReturnType::Default) => Some(()),
        (Output::Plain(_) | Output::Result(_), ReturnType::Type(_, ty)) => {
            errors.push(ty, format!("this hook returns nothing: {why}"));
            None
        }
    }
}

/// `on_error` decides at once, beside whatever runs.
fn check_on_error(
    signature: &Signature,
    access: Access,
    form: &str,
    errors: &mut Errors,
) -> Option<()> {
    if let Some(token) = &signature.asyncness {
        errors.push(
            token,
            format!("`#[on_error]` decides at once: remove `async`: {form}"),
        );
        return None;
    }
    match (access, Output::of(&signature.output)) {
        (Access::Exclusive, _) => {
            let receiver = signature.receiver();
            errors.push(
                receiver,
                format!("`#[on_error]` only looks at the state: write {form}"),
            );
            None
        }
        (Access::Shared, Output::Unit) => {
            let message = format!("`#[on_error]` says what follows: write {form}");
            errors.push(&signature.ident, message);
            None
        }
        (Access::Shared, Output::Plain(_) | Output::Result(_)) => Some(()),
    }
}
