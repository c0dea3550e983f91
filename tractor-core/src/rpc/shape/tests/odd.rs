//! Types that refuse: samples, everything, the format.

use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, Visitor};

use super::*;

/// Reads a `T`, and takes it only if `OK` says so: what a hand-written check does.
macro_rules! checked {
    ($name:ident, $from:ty, $ok:expr) => {
        #[derive(Deserialize)]
        #[serde(try_from = "Raw<_>")]
        struct $name($from);

        impl TryFrom<Raw<$from>> for $name {
            type Error = String;

            fn try_from(Raw(value): Raw<$from>) -> Result<Self, String> {
                let ok: fn(&$from) -> bool = $ok;
                if ok(&value) {
                    Ok(Self(value))
                } else {
                    Err(concat!(stringify!($name), " refuses").to_owned())
                }
            }
        }
    };
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Raw<T>(T);

checked!(Odd, u8, |v| v % 2 == 1);
checked!(Even, u8, |v| v % 2 == 0);
checked!(Big, u64, |v| *v >= 1_000_000);
checked!(Key, Vec<u8>, |v| v.len() == 32);
checked!(NonEmpty, Vec<NonEmpty>, |v| !v.is_empty());
checked!(Date, String, |v| v.len() == 20 && v.ends_with('Z'));
checked!(Ordered, (u32, u32), |(low, high)| low < high);
checked!(Descending, (u32, u32), |(high, low)| low < high);
checked!(Refuser, u16, |_| false);
checked!(Given, Option<Box<Given>>, Option::is_some);
checked!(NotFirst, Mode, |mode| !matches!(mode, Mode::Off));

#[derive(Deserialize)]
enum Mode {
    Off,
    Slow(Odd),
    Fast,
}

#[test]
fn other_samples_are_tried_where_one_is_refused() {
    #[derive(Deserialize)]
    struct All {
        odd: Odd,
        even: Even,
        big: Big,
        key: Key,
        again: (Odd, Even, Key),
    }

    check! {
        Odd => "u8",
        Big => "u64",
        Key => "[u8]",
        Date => "str",
        Ordered => "(u32, u32)",
        Descending => "(u32, u32)",
        NotFirst => "enum Mode{Off | Slow(u8) | Fast}",
        (Vec<Odd>, Option<Odd>) => "([u8], ?u8)",
        All => "All{odd: u8, even: u8, big: u64, key: [u8], again: (u8, u8, [u8])}",
    }
}

#[test]
fn what_refuses_everything_is_known_by_its_name() {
    let refused = shape::<Refuser>().unwrap();
    let name = type_name::<Refuser>();
    assert_eq!(refused.to_string(), format!("opaque {name}"));
    assert!(refused.is_opaque());
    assert!(matches!(refused, Shape::Opaque { reason, .. } if reason == "Refuser refuses"));
    assert!(shape::<(u8, Refuser)>().unwrap().is_opaque());
}

impl PartialEq for Refuser {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Refuser {}

impl std::hash::Hash for Refuser {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[test]
fn what_can_be_done_without_is_opaque_alone() {
    #[derive(Deserialize)]
    enum Some3 {
        Nest(Box<Self>),
        Bad(Refuser),
        Good { x: u8, bad: Vec<Refuser>, y: u8 },
    }

    check! {
        Option<Refuser> => "?opaque u16",
        (Vec<Refuser>, u8) => "([opaque u16], u8)",
        HashMap<u8, Refuser> => "{opaque u8 => u16}",
        HashMap<Refuser, u8> => "{opaque u16 => _}",
        Result<Refuser, u8> => "enum Result{opaque Ok(u16) | Err(u8)}",
        Result<(Refuser, u8), u8> => "enum Result{opaque Ok((u16, _)) | Err(u8)}",
        Some3 => "enum Some3{Nest(^Some3) | opaque Bad(u16) | Good{x: u8, bad: [opaque u16], y: u8}}",
    }
}

/// SHP-2: a value is wanted that no finite value can be.
#[test]
fn an_endless_check_ends() {
    assert!(shape::<NonEmpty>().unwrap().is_opaque());
    assert!(shape::<Given>().unwrap().is_opaque());
}

/// SHP-2
#[test]
fn a_type_too_large_to_walk_ends() {
    struct Huge;

    impl<'de> Deserialize<'de> for Huge {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_tuple(usize::MAX, HugeVisitor)
        }
    }

    struct HugeVisitor;

    impl<'de> Visitor<'de> for HugeVisitor {
        type Value = Huge;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("all there is")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Huge, A::Error> {
            while seq.next_element::<u8>()?.is_some() {}
            Ok(Huge)
        }
    }

    assert!(shape::<Huge>().unwrap().is_opaque());
}

/// SHP-2
#[test]
fn a_type_that_panics_is_opaque() {
    struct Panics;

    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            std::panic::resume_unwind(Box::new("no sample for me"))
        }
    }

    assert!(shape::<(u8, Panics)>().unwrap().is_opaque());
}

/// SHP-2: each call reads a value of a type that is nowhere written.
#[test]
fn a_type_that_asks_for_nothing_or_goes_on_for_ever_ends() {
    struct Silent;

    impl<'de> Deserialize<'de> for Silent {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }

    struct Deep<T>(PhantomData<T>);

    impl<'de> Deserialize<'de> for Deep<()> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_newtype_struct("Deep", Self(PhantomData))
        }
    }

    impl<'de> Visitor<'de> for Deep<()> {
        type Value = Self;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("more of the same")
        }

        fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Self, D::Error> {
            Self::deserialize(inner)
        }
    }

    check! {
        (Silent, u8) => "(_, u8)",
        Deep<()> => "Deep(^Deep)",
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Untagged {
    A(u8),
    B(String),
}

#[derive(Deserialize)]
#[serde(tag = "t")]
enum Internal {
    A { x: u8 },
    B,
}

#[derive(Deserialize)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: HashMap<String, u8>,
}

#[derive(Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    A(u8),
    B,
}

/// Asks for any value, as `serde_json::Value` does.
struct Any;

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IgnoredAny).map(|_| Self)
    }
}

/// Hides what its field complains of.
struct Hides;

impl<'de> Deserialize<'de> for Hides {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hidden = |_| D::Error::custom("something was wrong");
        Any::deserialize(deserializer).map(|_| Self).map_err(hidden)
    }
}

#[test]
fn what_postcard_cannot_carry_is_named_with_its_place() {
    fn at<T: DeserializeOwned + 'static, Found: 'static>() -> String {
        let ShapeError::NotSelfDescribing {
            type_name,
            found,
            path,
        } = shape::<T>().unwrap_err();
        assert_eq!(type_name, std::any::type_name::<T>());
        assert_eq!(found, std::any::type_name::<Found>());
        path
    }

    #[derive(Deserialize)]
    struct Holds {
        a: u8,
        list: Vec<(u8, Case)>,
    }

    #[derive(Deserialize)]
    enum Case {
        Fine,
        Not { x: u8, y: Option<Untagged> },
    }

    assert_eq!(at::<Untagged, Untagged>(), "the top");
    assert_eq!(at::<Internal, Internal>(), "the top");
    assert_eq!(at::<Any, IgnoredAny>(), "the top");
    assert_eq!(at::<(u8, Hides), IgnoredAny>(), ".1");
    assert_eq!(at::<Flat, Flat>(), "[]");
    assert_eq!(at::<Adjacent, Adjacent>(), "Adjacent.t");
    assert_eq!(at::<Holds, Option<Untagged>>(), "Holds.list[].1::Not.y");

    let text = shape::<Holds>().unwrap_err().to_string();
    assert!(
        text.contains("Holds` cannot travel") && text.contains("at `Holds.list[].1::Not.y`"),
        "{text}"
    );
}
