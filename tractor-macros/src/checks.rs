//! Questions to the compiler that only types can answer: can this travel, can this be an error.
//!
//! Hidden code of ours names the types of a signature in many places that all want them to travel, and the compiler
//! would report a type that cannot at each of them. So each distinct type is asked once, at its own tokens in the user's
//! signature, and hidden code names the answer instead: an alias of the very same type, or of an error about which the
//! compiler says no more (`tractor_core::rpc::checked` tells how). What users see names their own types.
//!
//! - MAC-3: no type that a portal is made of names an alias: only bodies do, and types nothing is made of (`Init`,
//!   `Args`). A portal's `Send` looks at its actor's messages; if those asked whether a portal travels, the answer would
//!   wait for itself.
//!
//! Types of a generic item cannot be asked in a constant: there the question is put in a function, and the types are
//! named as they are.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Generics, Type};

use crate::paths::Paths;
use crate::signature::Argument;
use crate::tokens::at;
use crate::types::{Output, last_segment, type_arguments};

/// The questions about the types of one item.
pub(crate) struct Checks<'a> {
    private: TokenStream,
    generics: &'a Generics,
    asked: Vec<(String, TokenStream)>,
    aliases: TokenStream,
    questions: TokenStream,
}

/// What can be asked of a type.
#[derive(Clone, Copy)]
enum Question {
    Travels,
    IsError,
    IsShared,
}

impl<'a> Checks<'a> {
    /// None yet, of an item with these parameters.
    pub(crate) fn new(paths: &Paths, generics: &'a Generics) -> Self {
        Self {
            private: paths.private(),
            generics,
            asked: Vec::new(),
            aliases: TokenStream::new(),
            questions: TokenStream::new(),
        }
    }

    /// The tuple of arguments; all of them travel.
    pub(crate) fn tuple(&mut self, arguments: &[Argument], cfgs: &[Attribute]) -> TokenStream {
        let types: Vec<_> = arguments
            .iter()
            .map(|argument| self.travels(&argument.ty, cfgs))
            .collect();
        quote!((#(#types,)*))
    }

    /// The types of success and failure; the first travels, the second is an error.
    pub(crate) fn outcome(
        &mut self,
        output: &Output,
        cfgs: &[Attribute],
    ) -> (TokenStream, TokenStream) {
        let private = self.private.clone();
        match output {
            Output::Unit => (quote!(()), quote!(#private::Never)),
            Output::Plain(ty) => (self.travels(ty, cfgs), quote!(#private::Never)),
            Output::Result(ty) => {
                let span = at(argument_span(ty, 0));
                let ok = quote_spanned!(span=> <#ty as #private::IsResult>::Ok);
                (
                    self.ask(Question::Travels, ok, span, cfgs),
                    self.error(ty, cfgs),
                )
            }
        }
    }

    /// The error of a `Result` whose value stays at home.
    pub(crate) fn error(&mut self, result: &Type, cfgs: &[Attribute]) -> TokenStream {
        let private = &self.private;
        let span = at(argument_span(result, 1));
        let error = quote_spanned!(span=> <#result as #private::IsResult>::Err);
        self.ask(Question::IsError, error, span, cfgs)
    }

    /// A type that travels.
    pub(crate) fn travels(&mut self, ty: &Type, cfgs: &[Attribute]) -> TokenStream {
        self.ask(Question::Travels, ty.to_token_stream(), at(ty.span()), cfgs)
    }

    /// An actor whose `&self` methods run beside one another.
    pub(crate) fn shared(&mut self, actor: &Type) -> TokenStream {
        self.ask(
            Question::IsShared,
            actor.to_token_stream(),
            at(actor.span()),
            &[],
        )
    }

    /// All that has been asked, as items.
    pub(crate) fn into_items(self) -> TokenStream {
        let (aliases, questions) = (self.aliases, self.questions);
        if questions.is_empty() {
            return aliases;
        }
        let (parameters, _, clause) = self.generics.split_for_impl();
        quote! {
            #aliases

            fn checks #parameters () #clause {
                #questions
            }
        }
    }

    /// Asks, unless this has been asked before, and gives the name for hidden code to use.
    fn ask(
        &mut self,
        question: Question,
        ty: TokenStream,
        span: Span,
        cfgs: &[Attribute],
    ) -> TokenStream {
        let cfgs = quote!(#(#cfgs)*);
        let key = format!("{} {ty} {cfgs}", question.name());
        if let Some((_, name)) = self.asked.iter().find(|(asked, _)| *asked == key) {
            return name.clone();
        }
        let name = if self.generics.params.is_empty() {
            let alias = format_ident!("__Checked{}", self.asked.len(), span = Span::call_site());
            self.alias(question, &alias, (&ty, span), &cfgs);
            alias.into_token_stream()
        } else {
            let asked = question.function(&self.private, span);
            self.questions
                .extend(quote_spanned!(span=> #cfgs let _ = #asked::<#ty>();));
            ty
        };
        self.asked.push((key, name.clone()));
        name
    }

    /// The type, if all questions are answered with yes.
    fn alias(
        &mut self,
        question: Question,
        alias: &Ident,
        (ty, span): (&TokenStream, Span),
        cfgs: &TokenStream,
    ) {
        let private = &self.private;
        let pick = |asked: &str, about: &TokenStream| {
            let asked = Ident::new(asked, Span::call_site());
            quote_spanned! {span=>
                <#private::Checked<{ #private::#asked::<#about>() }> as #private::Pick<#ty>>::Type
            }
        };
        let checked = match question {
            Question::IsShared => pick(question.name(), ty),
            Question::Travels => pick(question.name(), &pick("can_leave", ty)),
            Question::IsError => {
                let travels = pick("travels", &pick("can_leave", ty));
                pick(question.name(), &travels)
            }
        };
        self.aliases.extend(quote!(#cfgs type #alias = #checked;));
    }
}

impl Question {
    fn name(self) -> &'static str {
        match self {
            Self::Travels => "travels",
            Self::IsError => "is_error",
            Self::IsShared => "shared_methods_need_sync",
        }
    }

    fn function(self, private: &TokenStream, span: Span) -> TokenStream {
        let name = Ident::new(self.name(), span);
        quote!(#private::#name)
    }
}

/// Where one argument of a type stands, or the type if it is an alias without.
fn argument_span(ty: &Type, place: usize) -> Span {
    let written = last_segment(ty).map(type_arguments).unwrap_or_default();
    written
        .get(place)
        .map_or_else(|| ty.span(), |written| written.span())
}
