//! Types that travel, types that do not, and what they are called outside the block.

use super::*;
use crate::errors::testing::judge;
use syn::parse_quote;

fn judged(ty: Type, place: Place) -> Result<String, Vec<String>> {
    let actor: Type = parse_quote!(Counter<T>);
    judge(|errors| text_of(owned(&ty, place, Some(&actor), errors)))
}

#[test]
fn owned_types_travel() {
    for ty in [
        parse_quote!(u64),
        parse_quote!(Vec<(String, [u8; 4])>),
        parse_quote!(std::borrow::Cow<'static, str>),
        parse_quote!(PhantomData<&'static str>),
        parse_quote!(Option<fn(&str)>),
    ] {
        let text = text_of(&ty);
        assert_eq!(judged(ty, Place::Argument), Ok(text));
    }
}

#[test]
fn borrowed_types_are_refused_with_the_owned_form() {
    for (ty, owned) in [
        (parse_quote!(&str), "take `String` instead of `&str`"),
        (
            parse_quote!(&'static str),
            "take `String` instead of `&'static str`",
        ),
        (parse_quote!(&[u8]), "take `Vec<u8>`"),
        (parse_quote!(&Path), "take `PathBuf`"),
        (parse_quote!(&mut Vec<u8>), "take `Vec<u8>` and return it"),
        (
            parse_quote!(Option<&Thing>),
            "take `Thing` instead of `&Thing`",
        ),
        (parse_quote!((u8, &&str)), "take `String`"),
        (parse_quote!(Cow<'_, str>), "take a type without a lifetime"),
        (parse_quote!(impl Fn()), "name it instead of `impl`"),
        (parse_quote!(Option<*const u8>), "take the value itself"),
        (parse_quote!(Vec<_>), "take a type that is written out"),
    ] {
        let text = text_of(&ty);
        let errors = judged(ty, Place::Argument).expect_err(&text);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert!(errors[0].contains(owned), "{text}: {errors:?}");
    }
}

#[test]
fn every_mistake_of_one_type_is_reported() {
    let errors = judged(parse_quote!(Result<&str, Vec<&[u8]>>), Place::Result);
    assert_eq!(errors.expect_err("two references").len(), 2);
}

#[test]
fn self_is_written_out() {
    for (ty, expected) in [
        (parse_quote!(Self), "Counter<T>"),
        (parse_quote!(Option<Self>), "Option<Counter<T>>"),
        (parse_quote!([u8; Self::SIZE]), "[u8;<Counter<T>>::SIZE]"),
        (parse_quote!(Self::Item), "<Counter<T>>::Item"),
    ] {
        assert_eq!(judged(ty, Place::Result), Ok(expected.to_owned()));
    }
}

#[test]
fn outputs_are_told_by_their_last_name() {
    let of = |tokens| Output::of(&syn::parse2(tokens).expect("a return type"));
    assert!(matches!(of(quote!()), Output::Unit));
    assert!(matches!(of(quote!(-> ())), Output::Unit));
    assert!(matches!(of(quote!(-> u64)), Output::Plain(_)));
    assert!(matches!(
        of(quote!(-> Vec<Result<u8, E>>)),
        Output::Plain(_)
    ));
    assert!(matches!(
        of(quote!(-> std::io::Result<u8>)),
        Output::Result(_)
    ));
    assert!(matches!(of(quote!(-> Result<u8, E>)), Output::Result(_)));
}
