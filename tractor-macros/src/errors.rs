//! The error accumulator: a user with three mistakes hears of three mistakes.
//!
//! Owns how macro errors are gathered and handed out. Rules push into an [`Errors`] and go on; nothing here decides
//! what is a mistake, and no macro may return early on its first one.
//!
//! Invariants:
//! - MAC-1: an error stands at tokens the user wrote, says what is wrong and then what to do.
//! - MAC-2: a macro that found an error emits what is right in the user's item beside it, as far as that can be told,
//!   so that the mistake is not buried under messages about missing items.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

/// The mistakes found so far in one macro's input.
#[derive(Debug)]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
}

impl Errors {
    /// Runs `work` and gives what it made of the input, beside the mistakes it found.
    ///
    /// `work` answers `None` when nothing can be made of the input; it has then said why. This is the only way to get
    /// an `Errors`, so that none is ever forgotten.
    pub(crate) fn collect<T>(work: impl FnOnce(&mut Self) -> Option<T>) -> Found<T> {
        let mut errors = Self { found: Vec::new() };
        let value = work(&mut errors);
        let mistakes = errors.found.into_iter().reduce(|mut all, one| {
            all.combine(one);
            all
        });
        match (value, mistakes) {
            (Some(value), None) => Found::Right(value),
            (Some(value), Some(mistakes)) => Found::Wrong(value, mistakes),
            (None, Some(mistakes)) => Found::Nothing(mistakes),
            (None, None) => Found::Nothing(syn::Error::new(Span::call_site(), DEFECT)),
        }
    }

    /// Adds a mistake at these tokens.
    pub(crate) fn push(&mut self, at: impl ToTokens, message: impl Display) {
        self.found.push(syn::Error::new_spanned(at, message));
    }

    /// Adds what a parser of `syn` said.
    pub(crate) fn push_syn(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    /// What `work` makes, unless it found a mistake in it.
    pub(crate) fn unless_wrong<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let before = self.found.len();
        let value = work(self);
        value.filter(|_| self.found.len() == before)
    }

    /// The value, or `None` with the mistake added.
    pub(crate) fn absorb<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push_syn(error)).ok()
    }
}

/// What a macro made of its input.
#[derive(Debug)]
pub(crate) enum Found<T> {
    /// Something without mistakes.
    Right(T),
    /// Something, with the parts left out that are mistaken.
    Wrong(T, syn::Error),
    /// Nothing.
    Nothing(syn::Error),
}

impl<T> Found<T> {
    /// The expansion of what was found, behind the mistakes; `stand_in` is for what is not all right, and `item` is
    /// what remains where nothing was found.
    pub(crate) fn expand(
        self,
        expand: impl FnOnce(T) -> TokenStream,
        stand_in: impl FnOnce(T) -> TokenStream,
        item: TokenStream,
    ) -> TokenStream {
        let (mistakes, rest) = match self {
            Self::Right(value) => return expand(value),
            Self::Wrong(value, mistakes) => (mistakes, stand_in(value)),
            Self::Nothing(mistakes) => (mistakes, item),
        };
        let mut tokens = mistakes.into_compile_error();
        tokens.extend(rest);
        tokens
    }
}

impl<T> Found<T> {
    /// As [`expand`](Self::expand), where an expression is wanted: what was found, in a block with the mistakes.
    pub(crate) fn expand_value(self, expand: impl Fn(T) -> TokenStream) -> TokenStream {
        let in_block = matches!(self, Self::Wrong(..) | Self::Nothing(_));
        let tokens = self.expand(&expand, &expand, quote!(::core::unreachable!()));
        if in_block {
            quote!({ #tokens })
        } else {
            tokens
        }
    }
}

const DEFECT: &str = "this input is not understood, and the macro did not say why: that is a defect \
                      of tractor, please report it";

#[cfg(test)]
pub(crate) mod testing {
    use super::{Errors, Found};

    /// The value, or the texts of all mistakes.
    pub(crate) fn judge<T>(work: impl FnOnce(&mut Errors) -> T) -> Result<T, Vec<String>> {
        match Errors::collect(|errors| Some(work(errors))) {
            Found::Right(value) => Ok(value),
            Found::Wrong(_, mistakes) | Found::Nothing(mistakes) => Err(texts(mistakes)),
        }
    }

    /// The texts of all mistakes.
    pub(crate) fn texts(mistakes: syn::Error) -> Vec<String> {
        mistakes.into_iter().map(|one| one.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn every_mistake_is_reported_in_order() {
        let texts = testing::judge(|errors| {
            errors.push(quote!(a), "first");
            errors.absorb(syn::parse2::<syn::ItemFn>(quote!(
                struct S;
            )));
            errors.push(quote!(b), "third");
        })
        .expect_err("three mistakes");
        assert_eq!(texts.len(), 3);
        assert_eq!((texts[0].as_str(), texts[2].as_str()), ("first", "third"));
    }

    #[test]
    fn a_value_without_mistakes_is_given() {
        assert_eq!(testing::judge(|_| 7), Ok(7));
    }

    #[test]
    fn no_value_and_no_mistake_is_a_defect_of_ours() {
        let Found::Nothing(mistakes) = Errors::collect(|_| None::<()>) else {
            panic!("nothing can be made of nothing");
        };
        assert!(testing::texts(mistakes)[0].contains("defect of tractor"));
    }

    /// `MAC-2`: what the user wrote, or what stands in for it, is there beside the errors.
    #[test]
    fn the_item_survives_its_errors() {
        let mistake = || syn::Error::new(Span::call_site(), "wrong");
        let expand = |_: u8| {
            quote!(
                struct Expanded;
            )
        };
        let stand_in = |_: u8| {
            quote!(
                struct StandIn;
            )
        };
        let of = |found: Found<u8>| {
            found
                .expand(
                    expand,
                    stand_in,
                    quote!(
                        struct Kept;
                    ),
                )
                .to_string()
        };
        assert_eq!(of(Found::Right(1)), "struct Expanded ;");
        let wrong = of(Found::Wrong(1, mistake()));
        assert!(
            wrong.contains("compile_error") && wrong.contains("struct StandIn"),
            "{wrong}"
        );
        let nothing = of(Found::Nothing(mistake()));
        assert!(
            nothing.contains("compile_error") && nothing.contains("struct Kept"),
            "{nothing}"
        );
    }
}
