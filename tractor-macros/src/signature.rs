//! The rules every function that is called from elsewhere keeps, whichever macro stands before it.
//!
//! Owns parameters (their names outside, their types) and the shape of a signature: not generic, not `unsafe`, not
//! `extern`, at most [`ARGUMENTS_MAX`] arguments. What a receiver or a `ctx` must look like is the macro's own matter.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, GenericParam, Pat, PatType, ReturnType, Signature, Token, Type};

use crate::errors::Errors;
use crate::types::{Output, Place, last_segment, owned, type_arguments};

/// What kind of function it is, for the words of its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The function that makes an actor's state.
    Init,
    /// A method one calls, casts to, or streams from.
    Method,
    /// A context method or a free context function.
    Context,
    /// A free function.
    Rpc,
    /// One of the hooks of an actor.
    Hook,
}

impl What {
    /// The thing with its article.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Init => "an `#[init]` function",
            Self::Method => "an actor's method",
            Self::Context => "a context function",
            Self::Rpc => "an `#[rpc]` function",
            Self::Hook => "a hook",
        }
    }

    fn instead_of_generics(self) -> &'static str {
        match self {
            Self::Init | Self::Method | Self::Hook => {
                "move the parameters and their bounds to the `impl` block"
            }
            Self::Context | Self::Rpc => {
                "write one function per type, or a method of a generic actor with \
                 `register!(Actor<Type>)`"
            }
        }
    }
}

/// One parameter that travels.
#[derive(Clone)]
pub(crate) struct Argument {
    /// The user's name, or `arg0` where the user wrote a pattern.
    pub(crate) name: Ident,
    /// Its type, with `Self` written out.
    pub(crate) ty: Type,
}

/// The attributes of a function that its outside form carries too.
#[derive(Clone, Default)]
pub(crate) struct Carried {
    /// Doc comments and `#[deprecated]`.
    pub(crate) docs: Vec<Attribute>,
    /// `#[cfg]`s: they stand on every generated piece.
    pub(crate) cfgs: Vec<Attribute>,
}

impl Carried {
    /// Picks them out of all attributes.
    pub(crate) fn from(attributes: &[Attribute]) -> Self {
        let pick = |names: &[&str]| {
            let named = |one: &&Attribute| names.iter().any(|name| one.path().is_ident(name));
            attributes.iter().filter(named).cloned().collect()
        };
        Self {
            docs: pick(&["doc", "deprecated"]),
            cfgs: pick(&["cfg"]),
        }
    }
}

/// Checks what is the same for all: no generics, not `unsafe`, not `extern`, no `...`.
pub(crate) fn check_shape(signature: &Signature, what: What, errors: &mut Errors) {
    if let Some(at) = generics_of(signature) {
        errors.push(
            at,
            format!(
                "{} cannot be generic: it is found by name in another process, and its arguments \
                 arrive as bytes of one known type; {}",
                what.noun(),
                what.instead_of_generics()
            ),
        );
    }
    if let Some(lifetime) = signature.generics.lifetimes().next() {
        errors.push(
            lifetime,
            format!(
                "{} cannot have a lifetime: what it takes and returns is owned; remove it",
                what.noun()
            ),
        );
    }
    if let Some(token) = &signature.unsafety {
        errors.push(
            token,
            format!(
                "{} cannot be `unsafe`: nobody could keep its promise from elsewhere; move the \
                 `unsafe` into its body",
                what.noun()
            ),
        );
    }
    if let Some(abi) = &signature.abi {
        errors.push(
            abi,
            format!("{} is plain Rust: remove `extern`", what.noun()),
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.push(
            variadic,
            format!("{} has a fixed list of arguments", what.noun()),
        );
    }
}

/// Checks the parameters that travel and names them.
pub(crate) fn check_arguments<'a>(
    parameters: impl IntoIterator<Item = &'a FnArg>,
    actor: Option<&Type>,
    what: What,
    errors: &mut Errors,
) -> Vec<Argument> {
    let parameters: Vec<&PatType> = parameters
        .into_iter()
        .filter_map(|parameter| match parameter {
            FnArg::Typed(parameter) => Some(parameter),
            FnArg::Receiver(_) => None,
        })
        .collect();
    if let Some(extra) = parameters.get(ARGUMENTS_MAX) {
        errors.push(
            extra,
            format!(
                "{} takes at most {ARGUMENTS_MAX} arguments: put some of them into a struct",
                what.noun()
            ),
        );
    }
    let names = names_of(&parameters);
    let mut arguments = Vec::with_capacity(parameters.len());
    for (parameter, name) in parameters.iter().zip(names) {
        refuse_cfg(parameter, errors);
        refuse_misplaced(&parameter.ty, what, errors);
        let ty = owned(&parameter.ty, Place::Argument, actor, errors);
        arguments.push(Argument { name, ty });
    }
    arguments
}

/// Checks the type a function gives back and tells what it means.
pub(crate) fn check_output(
    written: &ReturnType,
    actor: Option<&Type>,
    errors: &mut Errors,
) -> Output {
    match Output::of(written) {
        Output::Unit => Output::Unit,
        Output::Plain(ty) => Output::Plain(owned(&ty, Place::Result, actor, errors)),
        Output::Result(ty) => Output::Result(owned(&ty, Place::Result, actor, errors)),
    }
}

/// The tokens that make a signature generic over types or constants.
fn generics_of(signature: &Signature) -> Option<TokenStream> {
    let generics = &signature.generics;
    let parameters: Punctuated<&GenericParam, Token![,]> = generics
        .params
        .iter()
        .filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
        .collect();
    if !parameters.is_empty() {
        return Some(parameters.into_token_stream());
    }
    generics
        .where_clause
        .as_ref()
        .map(ToTokens::to_token_stream)
}

/// The name each parameter has outside: the user's where there is one.
fn names_of(parameters: &[&PatType]) -> Vec<Ident> {
    let given = |parameter: &PatType| match &*parameter.pat {
        Pat::Ident(pattern) if pattern.subpat.is_none() => Some(pattern.ident.clone()),
        _ => None,
    };
    let taken: Vec<Ident> = parameters
        .iter()
        .filter_map(|parameter| given(parameter))
        .collect();
    let free = |place: usize| {
        let mut name = format_ident!("arg{place}", span = Span::mixed_site());
        while taken.iter().any(|taken| taken.unraw() == name.unraw()) {
            name = format_ident!("{name}_");
        }
        name
    };
    let name = |(place, parameter)| given(parameter).unwrap_or_else(|| free(place));
    parameters.iter().copied().enumerate().map(name).collect()
}

fn refuse_cfg(parameter: &PatType, errors: &mut Errors) {
    for attribute in &parameter.attrs {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            errors.push(
                attribute,
                "a parameter of a function called from elsewhere is always there: put the `cfg` \
                 on the whole function",
            );
        }
    }
}

/// `ctx` and `me` are not arguments: where one stands among them, a word is missing or the order is wrong.
fn refuse_misplaced(ty: &Type, what: What, errors: &mut Errors) {
    let Some(last) = last_segment(ty).filter(|last| !type_arguments(last).is_empty()) else {
        return;
    };
    let name = last.ident.to_string();
    match (name.as_str(), what) {
        ("Context", What::Rpc) => errors.push(
            ty,
            "a function that takes a `Context` is a context function: write `#[context]` instead \
             of `#[rpc]`",
        ),
        ("Context", What::Method) => errors.push(
            ty,
            "a method that takes a `Context` is a context: mark it `#[context]` and nothing else",
        ),
        ("Context", What::Context) => errors.push(
            ty,
            "a context function takes one `ctx`, as its first parameter (after `self` or `me`)",
        ),
        ("Me", What::Rpc) => errors.push(
            ty,
            "`Me` is the state of an actor: write this as a method in an `#[actor]` impl block",
        ),
        ("Me", What::Method) => errors.push(
            ty,
            "only a `#[context]` takes `Me`: this method has the state as `self` already",
        ),
        ("Me", What::Context) => errors.push(
            ty,
            "`me: Me<Self>` comes first, in a method of an `#[actor]` impl block",
        ),
        ("Context" | "Me", What::Init | What::Hook) => errors.push(
            ty,
            format!(
                "{} takes neither a `Context` nor `Me`: they belong to contexts",
                what.noun()
            ),
        ),
        (_, _) => {}
    }
}

/// Most arguments of one function: they travel as one tuple, and std's traits for tuples end here.
pub(crate) const ARGUMENTS_MAX: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::testing::judge;
    use syn::{ItemFn, parse_quote};

    fn shape(function: &ItemFn) -> Vec<String> {
        let judged = judge(|errors| check_shape(&function.sig, What::Rpc, errors));
        judged.err().unwrap_or_default()
    }

    fn arguments(function: &ItemFn) -> Result<Vec<String>, Vec<String>> {
        judge(|errors| {
            let list = check_arguments(&function.sig.inputs, None, What::Rpc, errors);
            list.into_iter()
                .map(|argument| argument.name.to_string())
                .collect()
        })
    }

    #[test]
    fn a_plain_function_is_in_shape() {
        assert!(
            shape(&parse_quote!(
                async fn f(a: u8) -> u8 {
                    a
                }
            ))
            .is_empty()
        );
        assert!(
            shape(&parse_quote!(
                const fn f() {}
            ))
            .is_empty()
        );
    }

    #[test]
    fn what_cannot_be_called_from_elsewhere_is_refused() {
        for (function, part) in [
            (
                parse_quote!(
                    fn f<T>(t: T) {}
                ),
                "cannot be generic",
            ),
            (
                parse_quote!(
                    fn f<const N: usize>() {}
                ),
                "cannot be generic",
            ),
            (
                parse_quote!(
                    fn f()
                    where
                        u8: Copy,
                    {
                    }
                ),
                "cannot be generic",
            ),
            (
                parse_quote!(
                    fn f<'a>(t: u8) {}
                ),
                "cannot have a lifetime",
            ),
            (
                parse_quote!(
                    unsafe fn f() {}
                ),
                "cannot be `unsafe`",
            ),
            (
                parse_quote!(
                    extern "C" fn f() {}
                ),
                "remove `extern`",
            ),
        ] {
            let errors = shape(&function);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].contains(part), "{errors:?}");
        }
    }

    #[test]
    fn patterns_get_names_of_their_place() {
        let function = parse_quote!(
            fn f((a, b): (u8, u8), mut c: u8, _: u8, arg3: u8, Pair { x, .. }: Pair) {}
        );
        let names = ["arg0", "c", "arg2", "arg3", "arg4"].map(str::to_owned);
        assert_eq!(arguments(&function), Ok(names.to_vec()));
        let function = parse_quote!(
            fn f(_: u8, arg0: u8) {}
        );
        assert_eq!(
            arguments(&function),
            Ok(["arg0_", "arg0"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn too_many_arguments_are_one_mistake() {
        let list = (0..20).map(|place| format_ident!("a{place}"));
        let function: ItemFn = parse_quote!(fn f(#(#list: u8),*) {});
        let errors = arguments(&function).expect_err("too many");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("at most 12 arguments"), "{errors:?}");
    }

    #[test]
    fn contexts_and_me_are_no_arguments() {
        let function = parse_quote!(
            fn f(ctx: tractor::Context<u8, u8, u8>, me: Me<A>) {}
        );
        let errors = arguments(&function).expect_err("neither travels");
        assert_eq!(errors.len(), 2, "{errors:?}");
    }
}
