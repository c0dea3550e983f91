//! The arguments of our attributes: `crate = path, name = "..", version = 2, drain`.
//!
//! Owns reading them and saying which of them an attribute does not have. Each macro takes the arguments it knows by
//! name and then calls [`Arguments::finish`], so a misspelt one is never ignored.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Meta, Path, Token};

use crate::errors::Errors;

/// What stood in the parentheses of one attribute.
pub(crate) struct Arguments {
    entries: Vec<Argument>,
}

struct Argument {
    name: Ident,
    value: Option<Expr>,
}

impl Arguments {
    /// Reads the tokens between the parentheses of an attribute macro.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let list = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(tokens);
        let list = errors.absorb(list).unwrap_or_default();
        let mut entries: Vec<Argument> = Vec::new();
        for argument in list {
            if entries.iter().any(|earlier| earlier.name == argument.name) {
                errors.push(
                    &argument.name,
                    format!("`{}` is given twice", argument.name),
                );
            } else {
                entries.push(argument);
            }
        }
        Self { entries }
    }

    /// Reads the arguments of a helper attribute, which may have no parentheses at all.
    pub(crate) fn of_helper(attribute: &Attribute, errors: &mut Errors) -> Self {
        match &attribute.meta {
            Meta::Path(_) => Self {
                entries: Vec::new(),
            },
            Meta::List(list) => Self::parse(list.tokens.clone(), errors),
            Meta::NameValue(pair) => {
                let path = path_text(&pair.path);
                errors.push(pair, format!("`#[{path}]` takes no value: remove it"));
                Self {
                    entries: Vec::new(),
                }
            }
        }
    }

    /// `name = "text"`, not empty.
    pub(crate) fn text(&mut self, name: &str, errors: &mut Errors) -> Option<LitStr> {
        let argument = self.take(name)?;
        match argument.value {
            Some(Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            })) if !text.value().is_empty() => Some(text),
            Some(other) => {
                errors.push(other, format!("`{name}` takes a text: `{name} = \"..\"`"));
                None
            }
            None => {
                errors.push(
                    argument.name,
                    format!("`{name}` takes a text: `{name} = \"..\"`"),
                );
                None
            }
        }
    }

    /// `name = 3`, at least one.
    pub(crate) fn count(&mut self, name: &str, errors: &mut Errors) -> Option<(u32, Span)> {
        let argument = self.take(name)?;
        let wanted = format!("`{name}` takes a whole number from 1 up: `{name} = 2`");
        match argument.value {
            Some(Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            })) => match number.base10_parse::<u32>() {
                Ok(value) if value > 0 => return Some((value, number.span())),
                Ok(_) | Err(_) => errors.push(number, wanted),
            },
            Some(other) => errors.push(other, wanted),
            None => errors.push(argument.name, wanted),
        }
        None
    }

    /// `crate = path`.
    pub(crate) fn path(&mut self, name: &str, errors: &mut Errors) -> Option<Path> {
        let argument = self.take(name)?;
        let wanted = format!("`{name}` takes a path: `{name} = ::my_tractor`");
        match argument.value {
            Some(Expr::Path(ExprPath {
                qself: None,
                path,
                attrs,
            })) if attrs.is_empty() => {
                return Some(path);
            }
            Some(Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            })) => {
                if let Ok(path) = text.parse_with(Path::parse_mod_style) {
                    return Some(path);
                }
                errors.push(text, wanted);
            }
            Some(other) => errors.push(other, wanted),
            None => errors.push(argument.name, wanted),
        }
        None
    }

    /// A lone word.
    pub(crate) fn flag(&mut self, name: &str, errors: &mut Errors) -> bool {
        let Some(argument) = self.take(name) else {
            return false;
        };
        if let Some(value) = argument.value {
            errors.push(
                value,
                format!("`{name}` takes no value: write `{name}` alone"),
            );
        }
        true
    }

    /// Reports what no method above has taken. `known` tells what there is: "`#[actor]` takes `crate = path`".
    pub(crate) fn finish(self, known: &str, errors: &mut Errors) {
        for Argument { name, .. } in self.entries {
            errors.push(&name, format!("unknown argument `{name}`: {known}"));
        }
    }

    fn take(&mut self, name: &str) -> Option<Argument> {
        let place = self
            .entries
            .iter()
            .position(|argument| argument.name == name)?;
        Some(self.entries.remove(place))
    }
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self { name, value })
    }
}

/// A path as the user wrote it, without spaces.
pub(crate) fn path_text(path: &Path) -> String {
    let lead = if path.leading_colon.is_some() {
        "::"
    } else {
        ""
    };
    let names: Vec<String> = path
        .segments
        .iter()
        .map(|part| part.ident.to_string())
        .collect();
    format!("{lead}{}", names.join("::"))
}

#[cfg(test)]
mod tests;
