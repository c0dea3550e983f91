//! The rules of one function inside an `#[actor]` block, by what it is.

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{
    FnArg, ImplItem, ItemImpl, Receiver, ReturnType, Type, TypeParamBound, parse_quote_spanned,
};

use super::mark::{Kind, Mark};
use super::model::{Access, ContextState, Method, Role, Runs};
use super::parse::Function;
use crate::context::{check_async, check_ctx, is_context};
use crate::errors::Errors;
use crate::signature::{Argument, Carried, What, check_arguments, check_output, check_shape};
use crate::types::{
    Output, Place, generic_arguments, last_segment, owned, text_of, type_arguments, unwrapped,
    without_self,
};

/// Attributes that do not go together.
pub(super) fn check_marks(function: &Function, errors: &mut Errors) {
    let kind = function.kind().map(|(kind, _)| kind);
    for (place, marked) in function.marks.iter().enumerate() {
        let name = marked.mark.name();
        if function.marks[..place]
            .iter()
            .any(|earlier| earlier.mark == marked.mark)
        {
            errors.push(
                &marked.at,
                format!("`#[{name}]` stands here twice: remove one"),
            );
        } else if let Some(kind) = kind
            && let Some(why) = clash(kind, marked.mark)
        {
            let kind = kind.name();
            errors.push(
                &marked.at,
                format!("`#[{kind}]` and `#[{name}]` do not go together: {why}"),
            );
        }
    }
}

/// Why a second attribute cannot stand on a function of this kind.
fn clash(kind: Kind, other: Mark) -> Option<&'static str> {
    match (kind, other) {
        (kind, Mark::Is(other)) => (kind != other).then_some("a function is one of them, keep one"),
        (Kind::Cast, Mark::Blocking) => None,
        (Kind::Cast, Mark::CancelSafe) => Some("a cast has no caller who could leave"),
        (Kind::Stream, Mark::Blocking | Mark::CancelSafe) => {
            Some("the function only builds the stream, which is dropped when its reader leaves")
        }
        (Kind::Context, Mark::Blocking | Mark::CancelSafe) => {
            Some("a context is a task of its own, which is dropped when its caller leaves")
        }
        (Kind::Init | Kind::Hook(_), Mark::Blocking | Mark::CancelSafe) => {
            Some("the runtime calls this function, and waits for it")
        }
    }
}

/// A method without a role: request and result.
pub(super) fn call(function: &Function, actor: &Type, errors: &mut Errors) -> Option<Method> {
    let signature = &function.signature;
    check_shape(signature, What::Method, errors);
    let access = access(function, errors);
    let arguments = check_arguments(&signature.inputs, Some(actor), What::Method, errors);
    let output = check_output(&signature.output, Some(actor), errors);
    let runs = runs(function, access, errors);
    let (access, runs) = (access?, runs?);
    Some(method(
        function,
        arguments,
        Role::Call {
            access,
            runs,
            output,
        },
    ))
}

/// `#[cast]`: one way, so nothing but an error comes of it.
pub(super) fn cast(function: &Function, actor: &Type, errors: &mut Errors) -> Option<Method> {
    let signature = &function.signature;
    check_shape(signature, What::Method, errors);
    let access = access(function, errors);
    let arguments = check_arguments(&signature.inputs, Some(actor), What::Method, errors);
    let output = match Output::of(&signature.output) {
        Output::Unit => Output::Unit,
        Output::Result(ty) if gives_unit(&ty) => Output::Result(without_self(&ty, actor)),
        Output::Plain(ty) | Output::Result(ty) => {
            errors.push(
                ty,
                "a cast is one way, its value would be lost: return nothing or `Result<(), E>`, or \
                 remove `#[cast]`",
            );
            return None;
        }
    };
    let runs = runs(function, access, errors);
    let (access, runs) = (access?, runs?);
    Some(method(
        function,
        arguments,
        Role::Cast {
            access,
            runs,
            output,
        },
    ))
}

/// `#[stream]`: borrows the state only to build a stream that owns what it gives.
pub(super) fn stream(function: &Function, actor: &Type, errors: &mut Errors) -> Option<Method> {
    let signature = &function.signature;
    check_shape(signature, What::Method, errors);
    if let Some(token) = &signature.asyncness {
        errors.push(
            token,
            "a `#[stream]` function builds its stream at once: remove `async`, and wait inside the \
             stream",
        );
    }
    let access = access(function, errors);
    let arguments = check_arguments(&signature.inputs, Some(actor), What::Method, errors);
    let item = match stream_item(&signature.output) {
        Some(item) => owned(item, Place::Value, Some(actor), errors),
        None => {
            let message = "a `#[stream]` function returns `impl Stream<Item = T>`";
            match &signature.output {
                ReturnType::Default => errors.push(&signature.ident, message),
                ReturnType::Type(_, ty) => errors.push(ty, message),
            }
            return None;
        }
    };
    Some(method(
        function,
        arguments,
        Role::Stream {
            access: access?,
            item,
        },
    ))
}

/// `#[context]`: a task that lives for hours, so it holds no borrow of a state that others change.
pub(super) fn context(function: &Function, actor: &Type, errors: &mut Errors) -> Option<Method> {
    let signature = &function.signature;
    check_async(signature, errors);
    check_shape(signature, What::Context, errors);
    let state = context_state(function, actor, errors);
    let before = match (state, signature.receiver()) {
        (Some(_), _) | (None, Some(_)) => 1,
        (None, None) => 0,
    };
    let (ctx, rest) = check_ctx(signature, before, Some(actor), errors);
    let arguments = check_arguments(rest, Some(actor), What::Context, errors);
    let output = check_output(&signature.output, Some(actor), errors);
    let drain = function
        .marked(Mark::Is(Kind::Context))
        .is_some_and(|marked| marked.drain);
    Some(method(
        function,
        arguments,
        Role::Context {
            state: state?,
            ctx: Box::new(ctx?),
            output,
            drain,
        },
    ))
}

/// A function of the block that nobody calls from elsewhere; it stays as it is.
pub(super) fn plain(function: &Function, errors: &mut Errors) {
    for marked in &function.marks {
        let name = marked.mark.name();
        errors.push(
            &marked.at,
            format!("`#[{name}]` is for a method: take `&self` or `&mut self`, or remove it"),
        );
    }
    if let Some(FnArg::Typed(first)) = function.signature.inputs.first()
        && (is_me(&first.ty) || is_context(&first.ty) && has_arguments(&first.ty))
    {
        errors.push(
            &function.signature.ident,
            "a function that takes `Me` or a `Context` is a context: mark it `#[context]`",
        );
    }
}

/// Lets the stream of a `#[stream]` function own what it gives: edition 2024 would capture `&self`.
pub(super) fn own_the_stream(function: &Function, block: &mut ItemImpl) {
    if function.marked(Mark::Is(Kind::Stream)).is_none() {
        return;
    }
    let captured: Vec<Ident> = generic_arguments(&block.generics)
        .into_iter()
        .cloned()
        .collect();
    let Some(ImplItem::Fn(item)) = block.items.get_mut(function.place) else {
        return;
    };
    if let ReturnType::Type(_, ty) = &mut item.sig.output {
        let span = ty.span();
        if let Type::ImplTrait(opaque) = &mut **ty {
            // What breaks these bounds is reported at the type the user wrote.
            opaque
                .bounds
                .push(parse_quote_spanned!(span=> ::core::marker::Send));
            let says_so =
                |bound: &TypeParamBound| matches!(bound, TypeParamBound::PreciseCapture(_));
            if !opaque.bounds.iter().any(says_so) {
                opaque
                    .bounds
                    .push(parse_quote_spanned!(span=> use<#(#captured),*>));
            }
        }
    }
}

fn method(function: &Function, arguments: Vec<Argument>, role: Role) -> Method {
    Method {
        ident: function.signature.ident.clone(),
        visibility: function.visibility.clone(),
        carried: Carried::from(&function.attributes),
        arguments,
        role,
    }
}

/// Which borrow a method takes of the state; says so if it takes none.
pub(super) fn access(function: &Function, errors: &mut Errors) -> Option<Access> {
    let Some(receiver) = function.signature.receiver() else {
        plain(function, errors);
        return None;
    };
    let access = borrow_of(receiver);
    if access.is_none() {
        errors.push(
            receiver,
            "take `&self` or `&mut self`; the actor stays where it is",
        );
    }
    access
}

fn borrow_of(receiver: &Receiver) -> Option<Access> {
    let mutable = match unwrapped(&receiver.ty) {
        Type::Reference(reference) if is_self(&reference.elem) => reference.mutability,
        _ => return None,
    };
    Some(if mutable.is_some() {
        Access::Exclusive
    } else {
        Access::Shared
    })
}

fn is_self(ty: &Type) -> bool {
    matches!(unwrapped(ty), Type::Path(path) if path.path.is_ident("Self"))
}

/// How the body runs, from `async`, `#[blocking]` and `#[cancel_safe]`.
fn runs(function: &Function, access: Option<Access>, errors: &mut Errors) -> Option<Runs> {
    let asyncness = &function.signature.asyncness;
    let blocking = function.marked(Mark::Blocking);
    let cancel_safe = function.marked(Mark::CancelSafe);
    match (asyncness, blocking, cancel_safe) {
        (Some(_), None, None) => Some(Runs::Async),
        (None, None, None) => Some(Runs::InPlace),
        (None, Some(_), None) => Some(Runs::Blocking),
        (Some(token), Some(_), None) => {
            errors.push(
                token,
                "a `#[blocking]` method runs on the blocking pool: remove `async`, or remove \
                 `#[blocking]`",
            );
            None
        }
        (_, Some(_), Some(safe)) => {
            errors.push(
                &safe.at,
                "a `#[blocking]` method has no await to be dropped at: remove this",
            );
            None
        }
        (None, None, Some(safe)) => {
            errors.push(
                &safe.at,
                "a plain `fn` has no await to be dropped at: remove this",
            );
            None
        }
        (Some(_), None, Some(safe)) => match access {
            Some(Access::Exclusive) => Some(Runs::CancelSafe),
            Some(Access::Shared) => {
                errors.push(
                    &safe.at,
                    "a `&self` method is dropped when its caller leaves anyway: remove this",
                );
                None
            }
            None => None,
        },
    }
}

/// How a context reaches the state: `&self` or `me: Me<Self>`.
fn context_state(function: &Function, actor: &Type, errors: &mut Errors) -> Option<ContextState> {
    let signature = &function.signature;
    if let Some(receiver) = signature.receiver() {
        return match borrow_of(receiver) {
            Some(Access::Shared) => Some(ContextState::Shared),
            Some(Access::Exclusive) => {
                errors.push(
                    receiver,
                    "a context lives for hours and would lock the actor: take `me: Me<Self>`, and \
                     reach the state with `me.with(|actor| ..).await`",
                );
                None
            }
            None => access(function, errors).map(|_| ContextState::Shared),
        };
    }
    match signature.inputs.first() {
        Some(FnArg::Typed(first)) if is_me(&first.ty) => {
            let of = last_segment(&first.ty)
                .map(type_arguments)
                .unwrap_or_default();
            let ours = |ty: &&Type| is_self(ty) || text_of(*ty) == text_of(actor);
            if !of.iter().all(ours) {
                errors.push(
                    &first.ty,
                    "a context reaches its own actor: take `me: Me<Self>`",
                );
            }
            Some(ContextState::Me)
        }
        Some(_) | None => {
            errors.push(
                &signature.ident,
                "a context of an actor starts with `&self`, or with `me: Me<Self>` if the actor has \
                 `&mut self` methods; one that needs no state is a free function",
            );
            None
        }
    }
}

fn is_me(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|last| last.ident == "Me") && has_arguments(ty)
}

fn has_arguments(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|last| !type_arguments(last).is_empty())
}

/// Whether a `Result` carries nothing when it is `Ok`; an alias without arguments may.
fn gives_unit(result: &Type) -> bool {
    let arguments = last_segment(result).map(type_arguments).unwrap_or_default();
    match arguments.first() {
        Some(value) => matches!(unwrapped(value), Type::Tuple(tuple) if tuple.elems.is_empty()),
        None => true,
    }
}

/// `T` of `impl Stream<Item = T>`.
fn stream_item(output: &ReturnType) -> Option<&Type> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    let Type::ImplTrait(opaque) = unwrapped(ty) else {
        return None;
    };
    opaque.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound
            .path
            .segments
            .last()
            .filter(|last| last.ident == "Stream")?;
        let syn::PathArguments::AngleBracketed(list) = &last.arguments else {
            return None;
        };
        list.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::AssocType(item) if item.ident == "Item" => Some(&item.ty),
            _ => None,
        })
    })
}
