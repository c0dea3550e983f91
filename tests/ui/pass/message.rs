//! `#[derive(Message)]`: a wire name, a version, and nothing else.
#![forbid(unsafe_code)]
#![deny(warnings)]

use serde::{Deserialize, Serialize};
use tractor::__private::MESSAGES;
use tractor::Message;

#[derive(Serialize, Deserialize, Message)]
struct Plain {
    _n: u64,
    _next: Option<Box<Plain>>,
}

#[derive(Serialize, Deserialize, Message)]
#[message(name = "shop.order", version = 3)]
enum Order {
    Buy(u64, String),
    Sell { _n: u64 },
    Nothing,
}

#[derive(Default)]
struct NotSent;

#[derive(Serialize, Deserialize, Message)]
#[message(opaque)]
#[message(name = "shop.mixed")]
struct Mixed {
    #[serde(rename = "m", skip)]
    _skipped: Option<NotSent>,
    #[serde(with = "by_hand")]
    _by_hand: NotSentButHeld,
    #[serde(default)]
    _sent: u8,
}

struct NotSentButHeld(NotSent);

mod by_hand {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{NotSent, NotSentButHeld};

    pub(super) fn serialize<S: Serializer>(held: &NotSentButHeld, to: S) -> Result<S::Ok, S::Error> {
        let NotSentButHeld(NotSent) = held;
        to.serialize_unit()
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NotSentButHeld, D::Error> {
        <()>::deserialize(from).map(|()| NotSentButHeld(NotSent))
    }
}

#[derive(Serialize, Deserialize, Message)]
struct Unit;

fn main() {
    let here = module_path!();
    let mut entries: Vec<_> =
        MESSAGES.iter().map(|entry| (entry.name, entry.version, entry.opaque)).collect();
    entries.sort_unstable();
    let (plain, unit) = (format!("{here}::Plain"), format!("{here}::Unit"));
    let mut expected = vec![
        (plain.as_str(), 1, false),
        (unit.as_str(), 1, false),
        ("shop.mixed", 1, true),
        ("shop.order", 3, false),
    ];
    expected.sort_unstable();
    assert_eq!(entries, expected);
    let _ = (Order::Buy(1, String::new()), Order::Sell { _n: 1 }, Order::Nothing, Unit);
}
