//! The rules of a context function: `async`, `ctx` first and by value, the rest travels.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, FnArg, ItemFn, LitStr, PatType, Signature, Type};

use super::parse::Parsed;
use crate::checks::Checks;
use crate::errors::Errors;
use crate::paths::Paths;
use crate::signature::{Argument, Carried, What, check_arguments, check_output, check_shape};
use crate::types::{Output, Place, last_segment, owned, type_arguments, unwrapped};

/// A context function that keeps the rules, or as much of one as does.
pub(super) struct ContextFn {
    pub(super) paths: Paths,
    pub(super) name: Option<LitStr>,
    pub(super) function: ItemFn,
    pub(super) carried: Carried,
    pub(super) ctx: CtxTypes,
    pub(super) arguments: Vec<Argument>,
    pub(super) output: Output,
}

/// The three types of `Context<Started, In, Out>`, with `Self` written out.
#[derive(Clone)]
pub(crate) struct CtxTypes {
    pub(crate) started: Type,
    pub(crate) incoming: Type,
    pub(crate) outgoing: Type,
}

impl CtxTypes {
    /// All three as they are written.
    pub(crate) fn written(&self) -> [TokenStream; 3] {
        [&self.started, &self.incoming, &self.outgoing].map(ToTokens::to_token_stream)
    }

    /// All three, which travel.
    pub(crate) fn checked(&self, checks: &mut Checks<'_>, cfgs: &[Attribute]) -> [TokenStream; 3] {
        [&self.started, &self.incoming, &self.outgoing].map(|ty| checks.travels(ty, cfgs))
    }

    /// What stands in for types that are missing or mistaken.
    fn none() -> Self {
        let unit = || syn::parse_quote!(());
        Self {
            started: unit(),
            incoming: unit(),
            outgoing: unit(),
        }
    }
}

/// Judges a free context function.
pub(super) fn check(parsed: Parsed, errors: &mut Errors) -> Option<ContextFn> {
    let Parsed {
        paths,
        name,
        function,
    } = parsed;
    let signature = &function.sig;
    if let Some(receiver) = signature.receiver() {
        errors.push(
            receiver,
            "a free context function has no `self`: a context method stands in an `impl` block \
             with `#[actor]` above it",
        );
        return None;
    }
    check_async(signature, errors);
    check_shape(signature, What::Context, errors);
    let (ctx, rest) = check_ctx(signature, 0, None, errors);
    let ctx = ctx.unwrap_or_else(CtxTypes::none);
    let arguments = check_arguments(rest, None, What::Context, errors);
    let output = errors.unless_wrong(|errors| Some(check_output(&signature.output, None, errors)));
    let output = output.unwrap_or(Output::Unit);
    let carried = Carried::from(&function.attrs);
    Some(ContextFn {
        paths,
        name,
        function,
        carried,
        ctx,
        arguments,
        output,
    })
}

/// A context lives through many awaits, so it is `async`.
pub(crate) fn check_async(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        errors.push(
            signature.fn_token,
            "a context function waits for its other side: make it `async fn`",
        );
    }
}

/// Finds `ctx` at `place`, and gives its types and the parameters behind it.
pub(crate) fn check_ctx<'a>(
    signature: &'a Signature,
    place: usize,
    actor: Option<&Type>,
    errors: &mut Errors,
) -> (Option<CtxTypes>, Vec<&'a FnArg>) {
    let parameters: Vec<&FnArg> = signature.inputs.iter().skip(place).collect();
    let typed: Vec<&PatType> = parameters.iter().copied().filter_map(typed).collect();
    let Some(found) = typed.iter().position(|parameter| is_context(&parameter.ty)) else {
        match typed.first() {
            Some(first) => errors.push(first, CTX_FIRST),
            None => errors.push(&signature.ident, CTX_FIRST),
        }
        return (None, parameters);
    };
    let ctx = typed[found];
    if found > 0 {
        errors.push(ctx, CTX_FIRST);
    }
    let types = errors.unless_wrong(|errors| ctx_types(&ctx.ty, actor, errors));
    let rest = parameters
        .into_iter()
        .filter(|parameter| !typed_is(parameter, ctx))
        .collect();
    (types, rest)
}

/// Whether a type is a `Context`, maybe behind a reference.
pub(crate) fn is_context(ty: &Type) -> bool {
    let ty = match unwrapped(ty) {
        Type::Reference(reference) => &reference.elem,
        other => other,
    };
    last_segment(ty).is_some_and(|last| last.ident == "Context")
}

fn ctx_types(ty: &Type, actor: Option<&Type>, errors: &mut Errors) -> Option<CtxTypes> {
    if let Type::Reference(reference) = unwrapped(ty) {
        errors.push(
            reference,
            "take `ctx` by value: each of its steps consumes it, so that no step is done twice",
        );
        return None;
    }
    let last = last_segment(ty)?;
    let [started, incoming, outgoing] = type_arguments(last)[..] else {
        errors.push(
            ty,
            "`Context` has three types here: `Context<Started, In, Out>`, the first value, what \
             arrives and what leaves; use `()` where there is none",
        );
        return None;
    };
    let mut value = |ty| owned(ty, Place::Value, actor, errors);
    Some(CtxTypes {
        started: value(started),
        incoming: value(incoming),
        outgoing: value(outgoing),
    })
}

fn typed(parameter: &FnArg) -> Option<&PatType> {
    match parameter {
        FnArg::Typed(parameter) => Some(parameter),
        FnArg::Receiver(_) => None,
    }
}

fn typed_is(parameter: &FnArg, other: &PatType) -> bool {
    typed(parameter).is_some_and(|parameter| std::ptr::eq(parameter, other))
}

const CTX_FIRST: &str = "a context function takes `ctx: Context<Started, In, Out>` as its first \
                         parameter (after `self` or `me`)";
