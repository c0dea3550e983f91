//! The error accumulator: a user with three mistakes hears of three mistakes.
//!
//! Owns how macro errors are gathered and handed out. Rules push into an [`Errors`] and go on; nothing here decides
//! what is a mistake, and no macro may return early on its first one.
//!
//! Invariants:
//! - `MAC-1`: an error stands at tokens the user wrote, says what is wrong and then what to do.
//! - `MAC-2`: a macro that found an error emits the user's item without our attributes beside it, so that the mistake
//!   is not buried under messages about missing items.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far in one macro's input.
#[derive(Debug)]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
}

impl Errors {
    /// Runs `work`, and gives its value only if it found no mistake.
    ///
    /// `work` answers `None` when it could not build a value; it has then said why. This is the only way to get an
    /// `Errors`, so that none is ever forgotten.
    pub(crate) fn collect<T>(work: impl FnOnce(&mut Self) -> Option<T>) -> syn::Result<T> {
        let mut errors = Self { found: Vec::new() };
        let value = work(&mut errors);
        let all = errors.found.into_iter().reduce(|mut all, one| {
            all.combine(one);
            all
        });
        match (value, all) {
            (_, Some(all)) => Err(all),
            (Some(value), None) => Ok(value),
            (None, None) => Err(syn::Error::new(
                proc_macro2::Span::call_site(),
                "this input is not understood, and the macro did not say why: that is a defect of \
                 tractor, please report it",
            )),
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

    /// The value, or `None` with the mistake added.
    pub(crate) fn absorb<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push_syn(error)).ok()
    }
}

/// Puts the errors of `result` before the item it was made from, or the expansion in its place.
pub(crate) fn or_fallback(result: syn::Result<TokenStream>, fallback: TokenStream) -> TokenStream {
    match result {
        Ok(expansion) => expansion,
        Err(errors) => {
            let mut tokens = errors.into_compile_error();
            tokens.extend(fallback);
            tokens
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn texts(error: &syn::Error) -> Vec<String> {
        error.into_iter().map(|one| one.to_string()).collect()
    }

    #[test]
    fn every_mistake_is_reported_in_order() {
        let result = Errors::collect(|errors| {
            errors.push(quote!(a), "first");
            errors.absorb(syn::parse2::<syn::ItemFn>(quote!(
                struct S;
            )));
            errors.push(quote!(b), "third");
            Some(())
        });
        let texts = texts(&result.expect_err("three mistakes"));
        assert_eq!(texts.len(), 3);
        assert_eq!((texts[0].as_str(), texts[2].as_str()), ("first", "third"));
    }

    #[test]
    fn a_value_without_mistakes_is_given() {
        assert_eq!(Errors::collect(|_| Some(7)).expect("no mistake"), 7);
    }

    #[test]
    fn no_value_and_no_mistake_is_a_defect_of_ours() {
        let result = Errors::collect(|_| None::<()>);
        assert!(texts(&result.expect_err("a defect"))[0].contains("defect of tractor"));
    }

    /// `MAC-2`: the item stays beside the error.
    #[test]
    fn the_item_survives_its_errors() {
        let error = syn::Error::new(proc_macro2::Span::call_site(), "wrong");
        let tokens = or_fallback(
            Err(error),
            quote!(
                struct Kept;
            ),
        )
        .to_string();
        assert!(
            tokens.contains("compile_error") && tokens.contains("struct Kept"),
            "{tokens}"
        );
    }
}
