//! Questions to the compiler that only types can answer: can this travel, can this be an error.
//!
//! Each distinct type is asked once, at its own tokens in the user's signature, so that the answer stands there.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Generics, Type};

use crate::paths::Paths;
use crate::signature::Argument;
use crate::types::{Output, last_segment, type_arguments};

/// The questions about one item.
pub(crate) struct Bounds<'a> {
    paths: &'a Paths,
    asked: Vec<String>,
    questions: TokenStream,
}

impl<'a> Bounds<'a> {
    /// None yet.
    pub(crate) fn new(paths: &'a Paths) -> Self {
        Self {
            paths,
            asked: Vec::new(),
            questions: TokenStream::new(),
        }
    }

    /// All arguments travel.
    pub(crate) fn arguments(&mut self, arguments: &[Argument], cfgs: &[Attribute]) {
        for argument in arguments {
            self.travels(&argument.ty, cfgs);
        }
    }

    /// The value a function gives travels, and its error is one.
    pub(crate) fn output(&mut self, output: &Output, cfgs: &[Attribute]) {
        match output {
            Output::Unit => {}
            Output::Plain(ty) => self.travels(ty, cfgs),
            Output::Result(ty) => {
                let private = self.paths.private();
                let written = last_segment(ty).map(type_arguments).unwrap_or_default();
                let span_of =
                    |place: usize| written.get(place).map_or_else(|| ty.span(), Spanned::span);
                let value = quote!(<#ty as #private::IsResult>::Ok);
                let error = quote!(<#ty as #private::IsResult>::Err);
                self.ask("travels", value, span_of(0), cfgs);
                self.ask("is_error", error, span_of(1), cfgs);
            }
        }
    }

    /// The error of a one-way message is one; it carries nothing else.
    pub(crate) fn error(&mut self, output: &Output, cfgs: &[Attribute]) {
        if let Output::Result(ty) = output {
            let private = self.paths.private();
            let error = quote!(<#ty as #private::IsResult>::Err);
            self.ask("is_error", error, ty.span(), cfgs);
        }
    }

    /// A type travels.
    pub(crate) fn travels(&mut self, ty: &Type, cfgs: &[Attribute]) {
        self.ask("travels", ty.to_token_stream(), ty.span(), cfgs);
    }

    /// An actor whose `&self` methods run beside one another.
    pub(crate) fn is_shared(&mut self, actor: &Type) {
        self.ask(
            "shared_methods_need_sync",
            actor.to_token_stream(),
            actor.span(),
            &[],
        );
    }

    /// A function that asks them all; `generics` are those of the item.
    pub(crate) fn into_item(self, generics: &Generics) -> TokenStream {
        let (private, questions) = (self.paths.private(), self.questions);
        let (parameters, _, clause) = generics.split_for_impl();
        quote! {
            fn bounds #parameters () #clause {
                fn travels<T: #private::Message>() {}
                fn is_error<T: #private::AppError>() {}
                fn shared_methods_need_sync<T: ::core::marker::Sync>() {}
                #questions
            }
        }
    }

    fn ask(&mut self, question: &str, ty: TokenStream, span: Span, cfgs: &[Attribute]) {
        let cfgs = quote!(#(#cfgs)*);
        let key = format!("{question} {ty} {cfgs}");
        if self.asked.contains(&key) {
            return;
        }
        self.asked.push(key);
        let question = proc_macro2::Ident::new(question, span.resolved_at(Span::call_site()));
        self.questions
            .extend(quote_spanned!(span=> #cfgs #question::<#ty>();));
    }
}
