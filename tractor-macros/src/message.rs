//! `#[derive(Message)]`: checks at the definition that every field can travel, and fixes a wire name and version.
//!
//! The derive is optional: whatever serde can carry is a message. It makes no `Serialize`; it only looks.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Field, Generics, LitStr, Meta, Type};

use crate::args::Arguments;
use crate::checks::Checks;
use crate::errors::Errors;
use crate::paths::Paths;
use crate::types::{Place, owned};

/// The derive.
pub(crate) fn message(input: TokenStream) -> TokenStream {
    Errors::collect(|errors| {
        let input = errors.absorb(syn::parse2::<DeriveInput>(input))?;
        check(&input, errors)
    })
    .expand(
        |message| expand(&message),
        |_| TokenStream::new(),
        TokenStream::new(),
    )
}

/// A type that keeps the rules.
struct Message {
    paths: Paths,
    ty: Type,
    /// The wire name; the path of the type if it is not fixed.
    name: Option<LitStr>,
    version: u32,
    /// Its shape is not looked at: name and version stand for it.
    opaque: bool,
    /// The types of the fields that are sent, as they are.
    fields: Vec<Type>,
}

fn check(input: &DeriveInput, errors: &mut Errors) -> Option<Message> {
    let mut arguments = gather(&input.attrs, errors);
    let paths = Paths::from_arguments(&mut arguments, errors);
    let name = arguments.text("name", errors);
    let version = arguments
        .count("version", errors)
        .map_or(1, |(version, _)| version);
    let opaque = arguments.flag("opaque", errors);
    arguments.finish(KNOWN, errors);
    if !input.generics.params.is_empty() {
        errors.push(
            &input.generics,
            "a wire name belongs to one type: a generic type travels without this derive, and a \
             type made from it (`struct Reading(Sample<f64>);`) can have one",
        );
    }
    let ident = &input.ident;
    let ty: Type = syn::parse_quote!(#ident);
    let mut fields = Vec::new();
    for field in fields_of(&input.data, errors)? {
        refuse_attributes(field, errors);
        if carries_itself(field) {
            fields.push(owned(&field.ty, Place::Field, Some(&ty), errors));
        }
    }
    Some(Message {
        paths,
        ty,
        name,
        version,
        opaque,
        fields,
    })
}

/// The arguments of all `#[message(..)]` above the type, as one list.
fn gather(attributes: &[Attribute], errors: &mut Errors) -> Arguments {
    let mut tokens = TokenStream::new();
    for attribute in attributes
        .iter()
        .filter(|one| one.path().is_ident("message"))
    {
        match &attribute.meta {
            Meta::List(list) => {
                let list = &list.tokens;
                if !list.is_empty() {
                    tokens.extend(quote!(#list,));
                }
            }
            Meta::Path(_) | Meta::NameValue(_) => {
                errors.push(attribute, format!("write `#[message(..)]`: {KNOWN}"));
            }
        }
    }
    Arguments::parse(tokens, errors)
}

fn fields_of<'a>(data: &'a Data, errors: &mut Errors) -> Option<Vec<&'a Field>> {
    match data {
        Data::Struct(data) => Some(data.fields.iter().collect()),
        Data::Enum(data) => Some(data.variants.iter().flat_map(|one| &one.fields).collect()),
        Data::Union(data) => {
            errors.push(
                data.union_token,
                "nobody could tell which field of a union is meant: make it an `enum`",
            );
            None
        }
    }
}

fn refuse_attributes(field: &Field, errors: &mut Errors) {
    for attribute in field
        .attrs
        .iter()
        .filter(|one| one.path().is_ident("message"))
    {
        errors.push(
            attribute,
            "`#[message(..)]` goes above the whole type; what is sent of a field is serde's matter: \
             `#[serde(..)]`",
        );
    }
}

/// Whether serde sends the field by its own type: not if it is skipped or sent by a function of the user's.
fn carries_itself(field: &Field) -> bool {
    const BY_OTHERS: [&str; 7] = [
        "skip",
        "skip_serializing",
        "skip_deserializing",
        "with",
        "serialize_with",
        "deserialize_with",
        "getter",
    ];
    let mut itself = true;
    for attribute in field
        .attrs
        .iter()
        .filter(|one| one.path().is_ident("serde"))
    {
        // What serde cannot read it reports itself.
        let _ = attribute.parse_nested_meta(|meta| {
            itself &= !BY_OTHERS.iter().any(|name| meta.path.is_ident(name));
            if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            }
            Ok(())
        });
    }
    itself
}

fn expand(message: &Message) -> TokenStream {
    let Message {
        paths,
        ty,
        name,
        version,
        opaque,
        fields,
    } = message;
    let private = paths.private();
    let name = match name {
        Some(name) => name.to_token_stream(),
        None => {
            let own = ty.to_token_stream().to_string();
            quote!(::core::concat!(::core::module_path!(), "::", #own))
        }
    };
    let version = Literal::u32_unsuffixed(*version);
    let generics = Generics::default();
    let mut checks = Checks::new(paths, &generics);
    for field in fields {
        checks.travels(field, &[]);
    }
    let checks = checks.into_items();
    quote! {
        #[allow(dead_code, reason = "only the questions matter")]
        const _: () = {
            #checks

            #[#private::linkme::distributed_slice(#private::MESSAGES)]
            #[linkme(crate = #private::linkme)]
            static ENTRY: #private::MessageEntry =
                #private::MessageEntry::of::<#ty>(#name, #version, #opaque);
        };
    }
}

const KNOWN: &str =
    "`#[message(..)]` takes `name = \"..\"`, `version = N`, `opaque` and `crate = path`";
