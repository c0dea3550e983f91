//! What attributes may say, and what they may not.

use super::*;
use crate::errors::testing::judge;
use quote::quote;

fn with<T>(
    tokens: TokenStream,
    work: impl FnOnce(&mut Arguments, &mut Errors) -> T,
) -> Result<T, Vec<String>> {
    judge(|errors| {
        let mut arguments = Arguments::parse(tokens, errors);
        let value = work(&mut arguments, errors);
        arguments.finish("`#[x]` takes nothing else", errors);
        value
    })
}

#[test]
fn known_arguments_are_taken() {
    let tokens = quote!(crate = ::a::b, name = "n", workers = 3, drain,);
    let taken = with(tokens, |arguments, errors| {
        let path = arguments.path("crate", errors).map(|path| path_text(&path));
        let name = arguments.text("name", errors).map(|text| text.value());
        let workers = arguments.count("workers", errors).map(|(count, _)| count);
        (path, name, workers, arguments.flag("drain", errors))
    });
    let expected = (
        Some("::a::b".to_owned()),
        Some("n".to_owned()),
        Some(3),
        true,
    );
    assert_eq!(taken, Ok(expected));
}

#[test]
fn a_path_may_be_a_text() {
    let path = with(quote!(crate = "a::b"), |arguments, errors| {
        arguments.path("crate", errors).map(|path| path_text(&path))
    });
    assert_eq!(path, Ok(Some("a::b".to_owned())));
}

#[test]
fn what_nobody_takes_is_reported() {
    let errors = with(quote!(nmae = "n", drain), |_, _| ()).expect_err("two unknown");
    assert_eq!(
        errors,
        [
            "unknown argument `nmae`: `#[x]` takes nothing else",
            "unknown argument `drain`: `#[x]` takes nothing else"
        ]
    );
}

#[test]
fn values_of_the_wrong_kind_are_reported() {
    for (tokens, start) in [
        (quote!(name = 3), "`name` takes a text"),
        (quote!(name), "`name` takes a text"),
        (quote!(name = ""), "`name` takes a text"),
        (quote!(workers = 0), "`workers` takes a whole number"),
        (quote!(workers = -1), "`workers` takes a whole number"),
        (
            quote!(workers = 99999999999),
            "`workers` takes a whole number",
        ),
        (quote!(workers), "`workers` takes a whole number"),
        (quote!(crate = 3), "`crate` takes a path"),
        (quote!(crate = "1 + 1"), "`crate` takes a path"),
        (quote!(crate), "`crate` takes a path"),
        (quote!(drain = true), "`drain` takes no value"),
        (quote!(drain, drain), "`drain` is given twice"),
    ] {
        let text = tokens.to_string();
        let errors = with(tokens, |arguments, errors| {
            arguments.text("name", errors);
            arguments.count("workers", errors);
            arguments.path("crate", errors);
            arguments.flag("drain", errors);
        })
        .expect_err(&text);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert!(errors[0].starts_with(start), "{text}: {errors:?}");
    }
}
