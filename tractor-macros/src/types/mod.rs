//! Types in the user's signatures: which of them can travel, and what they are called outside the impl block.
//!
//! Owns the rules that can be told from the tokens alone (references, `impl Trait`, lifetimes, `_`). Whether a type
//! is `Message` only the compiler knows; generated code asks it at the type's own span.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, ExprPath, GenericArgument, GenericParam, Generics, Lifetime, Path, PathArguments,
    PathSegment, QSelf, ReturnType, Type, TypePath, TypeReference,
};

use crate::errors::Errors;

/// Where a type stands, for the words of its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A parameter of a function that is called from elsewhere.
    Argument,
    /// The value a function gives back.
    Result,
    /// One value of a stream, or the first value of a context.
    Value,
    /// A field of a type with `#[derive(Message)]`.
    Field,
}

impl Place {
    fn plural(self) -> &'static str {
        match self {
            Self::Argument => "arguments",
            Self::Result => "results",
            Self::Value => "streamed values",
            Self::Field => "the fields of a message",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Argument => "take",
            Self::Result => "return",
            Self::Value => "use",
            Self::Field => "hold",
        }
    }
}

/// What a function gives back, as far as its tokens tell.
#[derive(Clone)]
pub(crate) enum Output {
    /// Nothing written, or `()`.
    Unit,
    /// A type that is not called `Result`: the value itself.
    Plain(Type),
    /// A type whose last name is `Result`, maybe an alias: its value and error are asked of the type.
    Result(Type),
}

impl Output {
    /// Reads a return type, without judging it.
    pub(crate) fn of(written: &ReturnType) -> Self {
        match written {
            ReturnType::Default => Self::Unit,
            ReturnType::Type(_, ty) => match &**ty {
                Type::Tuple(tuple) if tuple.elems.is_empty() => Self::Unit,
                ty if last_segment(ty).is_some_and(|last| last.ident == "Result") => {
                    Self::Result(ty.clone())
                }
                ty => Self::Plain(ty.clone()),
            },
        }
    }

    /// The type as it is written, with `()` where nothing is.
    pub(crate) fn written(&self) -> TokenStream {
        match self {
            Self::Unit => quote!(()),
            Self::Plain(ty) | Self::Result(ty) => ty.to_token_stream(),
        }
    }
}

/// Reports what in `ty` cannot travel, and gives it as it is called outside the impl block: with `Self` written out.
pub(crate) fn owned(ty: &Type, place: Place, actor: Option<&Type>, errors: &mut Errors) -> Type {
    let mut ty = ty.clone();
    Traveller {
        place,
        actor,
        errors,
    }
    .visit_type_mut(&mut ty);
    ty
}

/// Writes `Self` out in a type that stays at home.
pub(crate) fn without_self(ty: &Type, actor: &Type) -> Type {
    let mut ty = ty.clone();
    SelfNames { actor }.visit_type_mut(&mut ty);
    ty
}

/// The last name of a plain path type: `Result` of `std::io::Result<T>`.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match unwrapped(ty) {
        Type::Path(TypePath { qself: None, path }) => path.segments.last(),
        _ => None,
    }
}

/// The types between the angle brackets of a path segment.
pub(crate) fn type_arguments(segment: &PathSegment) -> Vec<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        PathArguments::None | PathArguments::Parenthesized(_) => Vec::new(),
    }
}

/// The names of an item's type and constant parameters, as arguments for it.
pub(crate) fn generic_arguments(generics: &Generics) -> Vec<&Ident> {
    fn name_of(parameter: &GenericParam) -> Option<&Ident> {
        match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        }
    }
    generics.params.iter().filter_map(name_of).collect()
}

/// The type inside the invisible or visible parentheses a `macro_rules!` or a user may put around it.
pub(crate) fn unwrapped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => unwrapped(&group.elem),
        Type::Paren(paren) => unwrapped(&paren.elem),
        other => other,
    }
}

/// Tokens as one would write them, for the text of an error.
pub(crate) fn text_of(tokens: impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" ;", ";"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}

struct Traveller<'a> {
    place: Place,
    actor: Option<&'a Type>,
    errors: &'a mut Errors,
}

impl Traveller<'_> {
    fn reference(&mut self, reference: &TypeReference) {
        let written = text_of(reference);
        let owned = owned_form(&reference.elem);
        let (plural, verb) = (self.place.plural(), self.place.verb());
        let advice = match (reference.mutability, self.place) {
            (Some(_), Place::Argument) => format!("take `{owned}` and return it"),
            (Some(_) | None, _) => format!("{verb} `{owned}` instead of `{written}`"),
        };
        let message = format!("{plural} travel between actors and own their data: {advice}");
        self.errors.push(reference, message);
    }
}

impl VisitMut for Traveller<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        let (plural, verb) = (self.place.plural(), self.place.verb());
        match ty {
            Type::Reference(reference) => {
                let reference = reference.clone();
                self.reference(&reference);
            }
            Type::ImplTrait(opaque) => self.errors.push(
                opaque,
                format!(
                    "{plural} travel between actors as one known type: name it instead of `impl`"
                ),
            ),
            Type::Ptr(pointer) => self.errors.push(
                pointer,
                format!("a pointer means nothing in another process: {verb} the value itself"),
            ),
            Type::Infer(hole) => self
                .errors
                .push(hole, format!("{verb} a type that is written out")),
            Type::Never(never) => self.errors.push(
                never,
                format!("{plural} travel between actors and `!` has no value: {verb} `()`"),
            ),
            // Nothing of these two is sent, so a reference in them does no harm.
            Type::BareFn(_) => {}
            Type::Path(path) if is_phantom(path) => {}
            other => {
                if let Some(actor) = self.actor {
                    write_out_self(other, actor);
                }
                visit_mut::visit_type_mut(self, other);
            }
        }
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            let (plural, verb) = (self.place.plural(), self.place.verb());
            self.errors.push(
                lifetime,
                format!("{plural} travel between actors and own their data: {verb} a type without a lifetime"),
            );
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Some(actor) = self.actor {
            SelfNames { actor }.visit_expr_mut(expr);
        }
    }
}

struct SelfNames<'a> {
    actor: &'a Type,
}

impl VisitMut for SelfNames<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        write_out_self(ty, self.actor);
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_expr_path_mut(&mut self, expr: &mut ExprPath) {
        if expr.qself.is_none() && expr.path.leading_colon.is_none() {
            qualify_self(&mut expr.qself, &mut expr.path, self.actor);
        }
        visit_mut::visit_expr_path_mut(self, expr);
    }
}

/// `Self` becomes the actor's type, `Self::Item` becomes `<Actor>::Item`.
fn write_out_self(ty: &mut Type, actor: &Type) {
    let Type::Path(TypePath {
        qself: qself @ None,
        path,
    }) = ty
    else {
        return;
    };
    if path.is_ident("Self") {
        *ty = actor.clone();
    } else if path.leading_colon.is_none() {
        qualify_self(qself, path, actor);
    }
}

fn qualify_self(qself: &mut Option<QSelf>, path: &mut Path, actor: &Type) {
    if path.segments.len() < 2 || path.segments[0].ident != "Self" {
        return;
    }
    *qself = Some(QSelf {
        lt_token: Default::default(),
        ty: Box::new(actor.clone()),
        position: 0,
        as_token: None,
        gt_token: Default::default(),
    });
    path.leading_colon = Some(Default::default());
    path.segments = std::mem::take(&mut path.segments)
        .into_iter()
        .skip(1)
        .collect();
}

fn is_phantom(path: &TypePath) -> bool {
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == "PhantomData")
}

/// What to write instead of a reference to `target`.
fn owned_form(target: &Type) -> String {
    match unwrapped(target) {
        Type::Slice(slice) => format!("Vec<{}>", text_of(&slice.elem)),
        Type::Reference(inner) => owned_form(&inner.elem),
        ty => match last_segment(ty)
            .map(|last| last.ident.to_string())
            .as_deref()
        {
            Some("str") => "String".to_owned(),
            Some("Path") => "PathBuf".to_owned(),
            Some("OsStr") => "OsString".to_owned(),
            Some("CStr") => "CString".to_owned(),
            Some(_) | None => text_of(ty),
        },
    }
}

#[cfg(test)]
mod tests;
