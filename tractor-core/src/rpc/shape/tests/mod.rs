//! Shapes of types as users have them; each as one text, so that a change of the notation shows.

#![expect(dead_code, reason = "the types are only read")]

macro_rules! check {
    ($($type:ty => $text:expr,)*) => { $(
        assert_eq!(text::<$type>(), $text, "{}", stringify!($type));
    )* };
}

mod change;
mod grammar;
mod odd;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{CString, OsString};
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroI8, NonZeroU32};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::*;
use crate::message::Never;

fn text<T: DeserializeOwned + 'static>() -> String {
    shape::<T>().unwrap().to_string()
}

#[derive(Deserialize)]
struct Tree {
    kids: Vec<Self>,
    v: u32,
}

#[derive(Deserialize)]
struct List {
    next: Option<Box<Self>>,
    v: u8,
}

#[derive(Deserialize)]
enum Ask {
    Nest(Box<Self>),
    Ping,
    Num(u64),
    Pair { a: i8, b: Option<String> },
    Two(u8, char),
}

const ASK: &str = "enum Ask{Nest(^Ask) | Ping | Num(u64) | Pair{a: i8, b: ?str} | Two(u8, char)}";

#[test]
fn leaves_and_anonymous_compounds() {
    check! {
        u8 => "u8",
        i128 => "i128",
        usize => "u64",
        f32 => "f32",
        String => "str",
        Box<str> => "str",
        () => "()",
        (u64,) => "(u64,)",
        (u64, String) => "(u64, str)",
        [u8; 4] => "(u8, u8, u8, u8)",
        [u8; 32] => "(u8; 32)",
        [Tree; 6] => "(Tree{kids: [^Tree], v: u32}; 6)",
        Option<Option<bool>> => "??bool",
        Vec<Vec<u16>> => "[[u16]]",
        HashMap<String, (u8, char)> => "{str => (u8, char)}",
        HashSet<i64> => "[i64]",
    }
}

#[test]
fn the_standard_library_and_uuid() {
    check! {
        IpAddr => "enum IpAddr{V4((u8, u8, u8, u8)) | V6((u8; 16))}",
        SocketAddr => "enum SocketAddr{V4(((u8, u8, u8, u8), u16)) | V6(((u8; 16), u16))}",
        Duration => "Duration{secs: u64, nanos: u32}",
        SystemTime => "SystemTime{secs_since_epoch: u64, nanos_since_epoch: u32}",
        Result<u8, bool> => "enum Result{Ok(u8) | Err(bool)}",
        std::ops::Range<u8> => "Range{start: u8, end: u8}",
        PathBuf => "str",
        CString => "bytes",
        NonZeroU32 => "u32",
        NonZeroI8 => "i8",
        Mutex<std::cell::RefCell<u8>> => "u8",
        std::marker::PhantomData<u8> => "PhantomData",
        uuid::Uuid => "bytes",
        Option<uuid::Uuid> => "?bytes",
        // The half that is not of this system refuses all there is.
        OsString => "enum OsString{Unix([u8]) | opaque Windows}",
    }
}

#[test]
fn the_runtimes_own_types() {
    check! {
        tractor_ipc::id::ActorId => "ActorId{name: str, uuid: bytes}",
        crate::message::AnyError => "AnyError{type_name: str, message: str, chain: [str], payload: ?bytes}",
    }
    assert!(!shape::<tractor_ipc::msg::SpawnSpec>().unwrap().is_opaque());
    assert!(!shape::<tractor_ipc::msg::Msg>().unwrap().is_opaque());
    assert!(!shape::<tractor_ipc::msg::Fault>().unwrap().is_opaque());
}

#[test]
fn recursion_is_written_as_a_reference() {
    check! {
        Tree => "Tree{kids: [^Tree], v: u32}",
        List => "List{next: ?^List, v: u8}",
        Ask => ASK,
        Vec<Ask> => format!("[{ASK}]"),
        (Ask, List, Ask) => format!("({ASK}, List{{next: ?^List, v: u8}}, ^Ask)"),
    }
}

#[test]
fn recursion_without_a_name_counts_levels() {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Chain(Option<Box<Self>>);

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Rose(Vec<(u8, Self)>);

    check! {
        Chain => "?^1",
        Rose => "[(u8, ^2)]",
        (Rose, Chain) => "([(u8, ^2)], ?^1)",
    }
}

/// The first variant of each leads only back: the trace has to find the ones that end.
#[test]
fn mutual_recursion_finds_a_finite_value() {
    #[derive(Deserialize)]
    enum A {
        X(Box<B>),
        W,
    }

    #[derive(Deserialize)]
    enum B {
        Y(Box<A>),
        Z(C),
    }

    #[derive(Deserialize)]
    struct C {
        again: Box<D>,
    }

    #[derive(Deserialize)]
    enum D {
        P(Box<C>),
        Q(Box<B>),
        R(NonZeroU32),
    }

    /// On the way through `V0` the smallest `Back` cannot be of `V1` either.
    #[derive(Deserialize)]
    enum Back {
        V0(Box<Forth>, u8),
        V1(Box<Forth>),
        V2,
    }

    #[derive(Deserialize)]
    struct Forth(Box<Back>, ());

    check! {
        A => "enum A{X(enum B{Y(^A) | Z(C{again: enum D{P(^C) | Q(^B) | R(u32)}})}) | W}",
        Back => "enum Back{V0(Forth(^Back, ()), u8) | V1(^Forth) | V2}",
        C => "C{again: enum D{P(^C) | Q(enum B{Y(enum A{X(^B) | W}) | Z(^C)}) | R(u32)}}",
    }
}

/// The only way out of `N` is first met where it leads into what is being made, and has to be tried again.
#[test]
fn a_way_that_was_barred_once_is_tried_again() {
    #[derive(Deserialize)]
    enum M {
        X(Box<Self>),
        W(Box<K>),
    }

    #[derive(Deserialize)]
    enum K {
        One(N),
        Two,
    }

    #[derive(Deserialize)]
    enum N {
        Round(Box<Self>, u8),
        Out(Box<M>),
        Again(Box<Self>),
    }

    let n = "enum N{Round(^N, u8) | Out(^M) | Again(^N)}";
    check! {
        M => format!("enum M{{X(^M) | W(enum K{{One({n}) | Two}})}}"),
    }
}

#[test]
fn generics_are_told_apart_by_what_is_in_them() {
    #[derive(Deserialize)]
    struct Gen<X> {
        t: X,
    }

    check! {
        Gen<Vec<Tree>> => "Gen{t: [Tree{kids: [^Tree], v: u32}]}",
        (Gen<u8>, Gen<u16>, Gen<u8>, Gen<u16>) => "(Gen{t: u8}, Gen'2{t: u16}, ^Gen, ^Gen'2)",
        (Result<u8, u8>, Result<u8, u16>) => "(enum Result{Ok(u8) | Err(u8)}, enum Result'2{Ok(u8) | Err(u16)})",
        BTreeMap<u8, Gen<Gen<()>>> => "{u8 => Gen{t: Gen'2{t: ()}}}",
    }
}

#[test]
fn serde_attributes_are_seen_as_they_are_sent() {
    #[derive(Deserialize)]
    struct Skip {
        #[serde(skip)]
        a: u8,
        #[serde(rename = "zz")]
        b: u8,
        #[serde(default)]
        c: u16,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kebab {
        FirstOne,
        #[serde(rename = "a, b}")]
        Odd,
    }

    #[derive(Deserialize)]
    #[serde(from = "u16")]
    struct From16(u16);

    impl From<u16> for From16 {
        fn from(value: u16) -> Self {
            Self(value)
        }
    }

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Clear {
        inner: Unit,
    }

    #[derive(Deserialize)]
    struct Unit;

    #[derive(Deserialize)]
    struct Braces {}

    #[derive(Deserialize)]
    struct Pair(u8, Clear);

    check! {
        Skip => "Skip{zz: u8, c: u16}",
        Kebab => r#"enum Kebab{"first-one" | "a, b}"}"#,
        From16 => "u16",
        Clear => "Unit",
        Braces => "Braces{}",
        Pair => "Pair(u8, Unit)",
    }
}

/// Reads a tag, and then what that says.
struct Tagged;

impl<'de> Deserialize<'de> for Tagged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(2, Self)
    }
}

impl<'de> Visitor<'de> for Tagged {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tag and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        #[derive(Deserialize)]
        enum Tag {
            A,
            B,
            C,
        }

        #[derive(Deserialize)]
        enum Inner {
            One(u8),
            Two(Option<Tag>),
        }

        match seq.next_element()? {
            Some(Tag::A) => seq.next_element::<u64>().map(drop)?,
            Some(Tag::B) => seq.next_element::<Inner>().map(drop)?,
            Some(Tag::C) => seq.next_element::<Vec<Ask>>().map(drop)?,
            None => {}
        }
        Ok(self)
    }
}

#[test]
fn what_depends_on_an_earlier_value_is_seen_in_all_its_forms() {
    let inner = "enum Inner{One(u8) | Two(?^Tag)}";
    check! {
        Tagged => format!("(enum Tag{{A | B | C}}, <u64 / {inner} / [{ASK}]>)"),
    }
}

#[test]
fn what_has_no_value_is_written_all_the_same() {
    #[derive(Deserialize)]
    struct Endless {
        more: Box<Self>,
        rest: u8,
    }

    check! {
        Never => "enum Never{}",
        Result<u8, Never> => "enum Result{Ok(u8) | Err(enum Never{})}",
        (u8, Option<Never>) => "(u8, ?enum Never{})",
        Endless => "Endless{more: ^Endless, rest: _}",
        Option<Endless> => "?Endless{more: ^Endless, rest: _}",
    }
}
