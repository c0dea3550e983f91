//! `expose![is_prime, simple_rpc]`: the list of functions an actor offers besides its methods.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprPath, Path, PathArguments, Token};

use crate::errors::Errors;
use crate::paths::Paths;
use crate::types::text_of;

/// The macro.
pub(crate) fn expose(input: TokenStream) -> TokenStream {
    Errors::collect(|errors| {
        let Input { root, list } = errors.absorb(syn::parse2::<Input>(input))?;
        let paths = Paths::of(root.as_ref());
        let mut functions: Vec<Path> = Vec::new();
        for written in list {
            if let Some(function) = check(written, &functions, errors) {
                functions.push(function);
            }
        }
        Some((paths, functions))
    })
    .expand_value(|(paths, functions)| expand(&paths, &functions))
}

struct Input {
    root: Option<Path>,
    list: Punctuated<Expr, Token![,]>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let root = leading_crate(input)?;
        let list = Punctuated::parse_terminated(input)?;
        Ok(Self { root, list })
    }
}

/// `crate = path;` before the list of a function-like macro.
pub(crate) fn leading_crate(input: ParseStream<'_>) -> syn::Result<Option<Path>> {
    if !(input.peek(Token![crate]) && input.peek2(Token![=])) {
        return Ok(None);
    }
    input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    let root = input.call(Path::parse_mod_style)?;
    input.parse::<Token![;]>()?;
    Ok(Some(root))
}

fn check(written: Expr, earlier: &[Path], errors: &mut Errors) -> Option<Path> {
    let path = match written {
        Expr::Path(ExprPath {
            attrs,
            qself: None,
            path,
        }) if attrs.is_empty() => path,
        Expr::Call(call) => {
            let name = text_of(&call.func);
            errors.push(
                &call,
                format!("list the function itself, without arguments: `{name}`"),
            );
            return None;
        }
        other => {
            errors.push(
                other,
                "list functions by their names: `expose![is_prime, math::is_even]`",
            );
            return None;
        }
    };
    if let Some(part) = path.segments.iter().find(|part| !part.arguments.is_empty()) {
        let at: &PathArguments = &part.arguments;
        errors.push(
            at,
            "an exposed function is not generic: list it by its name alone",
        );
        return None;
    }
    if earlier.iter().any(|one| text_of(one) == text_of(&path)) {
        errors.push(&path, format!("`{}` is listed twice", text_of(&path)));
        return None;
    }
    Some(path)
}

fn expand(paths: &Paths, functions: &[Path]) -> TokenStream {
    let private = paths.private();
    quote!(#private::Exposed::new(::std::vec![#(<#functions as #private::Expose>::NAME),*]))
}
