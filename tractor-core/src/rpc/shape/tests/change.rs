//! What changes a shape, and what does not; registered names.

use linkme::distributed_slice;

use super::*;

mod base {
    use super::*;

    #[derive(Deserialize)]
    pub(super) struct Order {
        id: u64,
        note: Option<String>,
        state: State,
    }

    #[derive(Deserialize)]
    pub(super) enum State {
        New,
        Paid { cents: u32 },
    }
}

/// One changed thing a module.
macro_rules! variation {
    ($module:ident, $order:ident { $($field:ident: $type:ty),* }, $state:ident { $($variant:tt)* }) => {
        mod $module {
            use super::*;

            #[derive(Deserialize)]
            pub(super) struct $order { $($field: $type),* }

            #[derive(Deserialize)]
            pub(super) enum $state { $($variant)* }
        }
    };
}

variation!(same, Order { id: u64, note: Option<String>, state: State }, State { New, Paid { cents: u32 } });
variation!(order, Order { note: Option<String>, id: u64, state: State }, State { New, Paid { cents: u32 } });
variation!(field, Order { key: u64, note: Option<String>, state: State }, State { New, Paid { cents: u32 } });
variation!(kind, Order { id: i64, note: Option<String>, state: State }, State { New, Paid { cents: u32 } });
variation!(must, Order { id: u64, note: String, state: State }, State { New, Paid { cents: u32 } });
variation!(fewer, Order { id: u64, state: State }, State { New, Paid { cents: u32 } });
variation!(more, Order { id: u64, note: Option<String>, state: State }, State { New, Paid { cents: u32 }, Gone });
variation!(swap, Order { id: u64, note: Option<String>, state: State }, State { Paid { cents: u32 }, New });
variation!(renamed, Order { id: u64, note: Option<String>, state: State }, State { New, Done { cents: u32 } });
variation!(within, Order { id: u64, note: Option<String>, state: State }, State { New, Paid { cents: u64 } });
variation!(called, Order2 { id: u64, note: Option<String>, state: State }, State { New, Paid { cents: u32 } });

/// SHP-1
#[test]
fn the_module_does_not_matter_and_everything_else_does() {
    let base = text::<base::Order>();
    assert_eq!(base, text::<same::Order>());
    let changed = [
        text::<order::Order>(),
        text::<field::Order>(),
        text::<kind::Order>(),
        text::<must::Order>(),
        text::<fewer::Order>(),
        text::<more::Order>(),
        text::<swap::Order>(),
        text::<renamed::Order>(),
        text::<within::Order>(),
        text::<called::Order2>(),
    ];
    let mut all: Vec<_> = changed.iter().chain([&base]).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), changed.len() + 1);
}

/// SHP-1: two types of one look are one; a recursion unrolled by one step is the same recursion.
#[test]
fn sharing_does_not_matter() {
    #[derive(Deserialize)]
    struct Two<A, B> {
        a: A,
        b: B,
    }

    mod unrolled {
        use super::*;

        #[derive(Deserialize)]
        pub(super) struct Tree {
            kids: Vec<super::super::Tree>,
            v: u32,
        }
    }

    assert_eq!(
        text::<Two<base::Order, base::Order>>(),
        text::<Two<base::Order, same::Order>>()
    );
    assert!(text::<Two<base::Order, same::Order>>().ends_with("b: ^Order}"));
    assert_eq!(text::<unrolled::Tree>(), text::<Tree>());
}

#[derive(Deserialize)]
struct Invoice {
    id: u64,
    lines: Vec<Self>,
}

#[derive(Deserialize)]
enum Verdict {
    Yes,
    No,
}

#[derive(Deserialize)]
#[serde(from = "u32")]
struct Cents(u32);

impl From<u32> for Cents {
    fn from(value: u32) -> Self {
        Self(value)
    }
}

#[derive(Deserialize)]
struct Sealed {
    secret: u8,
}

#[derive(Deserialize)]
#[serde(try_from = "u8")]
struct Stubborn(u8);

impl TryFrom<u8> for Stubborn {
    type Error = String;

    fn try_from(_: u8) -> Result<Self, String> {
        Err("no".to_owned())
    }
}

#[distributed_slice(MESSAGES)]
static INVOICE: MessageEntry = MessageEntry::of::<Invoice>("shop.invoice", 2, false);
#[distributed_slice(MESSAGES)]
static VERDICT: MessageEntry = MessageEntry::of::<Verdict>("shop::Verdict", 1, false);
#[distributed_slice(MESSAGES)]
static CENTS: MessageEntry = MessageEntry::of::<Cents>("shop.cents", 3, false);
#[distributed_slice(MESSAGES)]
static SEALED: MessageEntry = MessageEntry::of::<Sealed>("shop.sealed", 4, true);
#[distributed_slice(MESSAGES)]
static STUBBORN: MessageEntry = MessageEntry::of::<Stubborn>("shop.stubborn", 5, false);

#[test]
fn a_wire_name_stands_in_the_place_of_the_types_own() {
    check! {
        Invoice => "shop.invoice#v2{id: u64, lines: [^shop.invoice#v2]}",
        Verdict => "enum shop::Verdict#v1{Yes | No}",
        Cents => "shop.cents#v3 u32",
        Sealed => "shop.sealed#v4",
        Stubborn => "opaque shop.stubborn#v5",
        (Verdict, Option<Verdict>) => "(enum shop::Verdict#v1{Yes | No}, ?^shop::Verdict#v1)",
        (Sealed, Sealed) => "(shop.sealed#v4, shop.sealed#v4)",
        // Read as a number: not to be seen from outside.
        (Cents,) => "(u32,)",
    }
    assert!(matches!(shape::<Sealed>(), Ok(Shape::Named(_))));
}
