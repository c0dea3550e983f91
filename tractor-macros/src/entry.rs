//! `#[main]` and `#[test]`: an `async fn` becomes a plain one that runs it in a runtime.
//!
//! Owns their arguments and rules. Everything that happens at run time is two functions of the runtime crate; the
//! macros only hand them the body.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Item, ItemFn, LitStr, ReturnType};

use crate::args::Arguments;
use crate::errors::Errors;
use crate::paths::Paths;
use crate::types::text_of;

/// `#[main]`.
pub(crate) fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry(Entry::Main, arguments, item)
}

/// `#[test]`.
pub(crate) fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry(Entry::Test, arguments, item)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Main,
    Test,
}

impl Entry {
    fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Test => "test",
        }
    }

    fn usual_flavor(self) -> Flavor {
        match self {
            Self::Main => Flavor::MultiThread,
            Self::Test => Flavor::CurrentThread,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavor {
    MultiThread,
    CurrentThread,
}

impl Flavor {
    const ALL: [Self; 2] = [Self::MultiThread, Self::CurrentThread];

    fn text(self) -> &'static str {
        match self {
            Self::MultiThread => "multi_thread",
            Self::CurrentThread => "current_thread",
        }
    }

    fn variant(self) -> TokenStream {
        match self {
            Self::MultiThread => quote!(MultiThread),
            Self::CurrentThread => quote!(CurrentThread),
        }
    }
}

struct Options {
    paths: Paths,
    flavor: Flavor,
    workers: Option<u32>,
    name: Option<LitStr>,
}

fn entry(kind: Entry, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let as_written = item.clone();
    Errors::collect(|errors| {
        let options = options(kind, arguments, errors);
        let function = function(kind, item, errors);
        Some((options, function?))
    })
    .expand(
        |(options, function)| expand(kind, &options, function),
        |(_, function)| stand_in(function),
        as_written,
    )
}

fn options(kind: Entry, arguments: TokenStream, errors: &mut Errors) -> Options {
    let mut arguments = Arguments::parse(arguments, errors);
    let paths = Paths::from_arguments(&mut arguments, errors);
    let flavor = arguments.text("flavor", errors).and_then(|text| {
        let found = Flavor::ALL.into_iter().find(|flavor| flavor.text() == text.value());
        if found.is_none() {
            errors.push(
                &text,
                "there are two flavors: `flavor = \"multi_thread\"` and `flavor = \"current_thread\"`",
            );
        }
        found
    });
    let flavor = flavor.unwrap_or_else(|| kind.usual_flavor());
    let workers = arguments.count("workers", errors);
    if let Some((_, span)) = workers
        && flavor == Flavor::CurrentThread
    {
        let at = quote_spanned!(span=> workers);
        errors.push(
            at,
            "a `current_thread` runtime has no workers: add `flavor = \"multi_thread\"`, or remove \
             `workers`",
        );
    }
    let workers = workers.map(|(count, _)| count);
    let name = match kind {
        Entry::Main => arguments.text("name", errors),
        Entry::Test => None,
    };
    let known = match kind {
        Entry::Main => {
            "`#[main]` takes `flavor = \"..\"`, `workers = N`, `name = \"..\"` and `crate = path`"
        }
        Entry::Test => "`#[test]` takes `flavor = \"..\"`, `workers = N` and `crate = path`",
    };
    arguments.finish(known, errors);
    Options {
        paths,
        flavor,
        workers,
        name,
    }
}

fn function(kind: Entry, item: TokenStream, errors: &mut Errors) -> Option<ItemFn> {
    let name = kind.name();
    let function = match errors.absorb(syn::parse2::<Item>(item))? {
        Item::Fn(function) => function,
        other => {
            let form = match kind {
                Entry::Main => "`async fn main()`",
                Entry::Test => "an `async fn` without arguments",
            };
            errors.push(other, format!("`#[{name}]` goes on {form}"));
            return None;
        }
    };
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        errors.push(
            signature.fn_token,
            format!("`#[{name}]` runs the function in a runtime: make it `async fn`"),
        );
    }
    if kind == Entry::Main && signature.ident != "main" {
        let message = "`#[main]` is for `async fn main()`, the program's way in: give it that name";
        errors.push(&signature.ident, message);
    }
    if !signature.inputs.is_empty() {
        let message = match kind {
            Entry::Main => "`main` takes no arguments: read `std::env::args()`",
            Entry::Test => "a test takes no arguments: make what it needs in its body",
        };
        errors.push(&signature.inputs, message);
    }
    if !signature.generics.params.is_empty() {
        errors.push(
            &signature.generics,
            format!("a `#[{name}]` function cannot be generic"),
        );
    }
    for attribute in &function.attrs {
        let path = attribute.path();
        if path
            .segments
            .last()
            .is_some_and(|last| last.ident == "test" || last.ident == "main")
        {
            let other = text_of(path);
            errors.push(
                attribute,
                format!("`#[tractor::{name}]` does what `#[{other}]` does: remove `#[{other}]`"),
            );
        }
    }
    Some(function)
}

fn expand(kind: Entry, options: &Options, function: ItemFn) -> TokenStream {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
    } = function;
    let (ident, output) = (&sig.ident, &sig.output);
    let private = options.paths.private();
    // A type that no program may end with is shown where the user wrote it.
    let span = match output {
        ReturnType::Default => ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    let body = Ident::new(&ident.to_string(), span.resolved_at(ident.span()));
    let options = options.tokens(kind, &private);
    // The body keeps its name, so no name of ours can hide one of the user's.
    match kind {
        Entry::Main => quote! {
            #(#attrs)*
            #vis fn #ident() #output {
                async fn #ident() #output #block
                #private::main(#options, #body)
            }

            const _: () = {
                #[cfg(not(test))]
                #[#private::linkme::distributed_slice(#private::DIVERTING_MAIN)]
                #[linkme(crate = #private::linkme)]
                static MARK: &str = ::core::module_path!();
            };
        },
        Entry::Test => quote! {
            #[::core::prelude::v1::test]
            #(#attrs)*
            #vis fn #ident() #output {
                async fn #ident() #output #block
                #private::test(#options, #body)
            }
        },
    }
}

impl Options {
    fn tokens(&self, kind: Entry, private: &TokenStream) -> TokenStream {
        let flavor = self.flavor.variant();
        let workers = optional(self.workers.map(|count| {
            let count = proc_macro2::Literal::u32_unsuffixed(count);
            quote!(#count)
        }));
        match kind {
            Entry::Main => {
                let name = optional(self.name.as_ref().map(ToTokens::to_token_stream));
                quote! {
                    #private::MainOptions {
                        flavor: #private::Flavor::#flavor,
                        workers: #workers,
                        name: #name,
                    }
                }
            }
            Entry::Test => quote! {
                #private::TestOptions {
                    flavor: #private::Flavor::#flavor,
                    workers: #workers,
                }
            },
        }
    }
}

fn optional(tokens: Option<TokenStream>) -> TokenStream {
    match tokens {
        Some(tokens) => quote!(::core::option::Option::Some(#tokens)),
        None => quote!(::core::option::Option::None),
    }
}

/// `async fn main` is an error of its own; beside ours it would only distract.
fn stand_in(function: ItemFn) -> TokenStream {
    let ItemFn { sig, block, .. } = &function;
    if sig.ident != "main" || sig.asyncness.is_none() {
        return function.into_token_stream();
    }
    let (ident, output) = (&sig.ident, &sig.output);
    quote! {
        fn #ident() #output {
            #[allow(dead_code, reason = "it only stands here to be looked at")]
            #sig #block
            ::core::unreachable!()
        }
    }
}
