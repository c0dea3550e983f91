//! Random recursive types: whatever refers to whatever, the trace ends and has seen all of it (SHP-2).
//!
//! A grammar lists what each symbol is made of; `Symbol<N>` deserializes as the grammar of its thread says.

use std::cell::RefCell;

use proptest::prelude::*;
use serde::de::{DeserializeSeed, EnumAccess, VariantAccess};

use super::*;

const NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];
const VARIANTS: [&str; 4] = ["V0", "V1", "V2", "V3"];

#[derive(Clone, Debug)]
enum Definition {
    Struct(Vec<Part>),
    Enum(Vec<Vec<Part>>),
}

#[derive(Clone, Copy, Debug)]
enum Part {
    /// Takes anything.
    Leaf,
    /// Takes all but the first sample.
    Odd,
    /// Takes nothing.
    Bad,
    Symbol(usize),
    Option(usize),
    Seq(usize),
}

thread_local! {
    static GRAMMAR: RefCell<Vec<Definition>> = const { RefCell::new(Vec::new()) };
}

struct Symbol<const N: usize>;

impl<'de, const N: usize> Deserialize<'de> for Symbol<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let definition = GRAMMAR.with_borrow(|grammar| grammar[N].clone());
        match definition {
            Definition::Struct(parts) => {
                let len = parts.len();
                deserializer.deserialize_tuple_struct(NAMES[N], len, StructVisitor(parts))
            }
            Definition::Enum(variants) => {
                let names = &VARIANTS[..variants.len()];
                deserializer.deserialize_enum(NAMES[N], names, EnumVisitor::<N>(variants))
            }
        }
        .map(|()| Self)
    }
}

struct StructVisitor(Vec<Part>);

impl<'de> Visitor<'de> for StructVisitor {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for part in self.0 {
            seq.next_element_seed(part)?;
        }
        Ok(())
    }
}

struct EnumVisitor<const N: usize>(Vec<Vec<Part>>);

impl<'de, const N: usize> Visitor<'de> for EnumVisitor<N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES[N])
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<(), A::Error> {
        let (index, variant) = data.variant::<u32>()?;
        let parts = self.0.into_iter().nth(index as usize);
        let parts = parts.ok_or_else(|| serde::de::Error::custom("no such variant"))?;
        match parts.as_slice() {
            [] => variant.unit_variant(),
            [part] => variant.newtype_variant_seed(*part),
            _ => variant.tuple_variant(parts.len(), StructVisitor(parts)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Part {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        macro_rules! read {
            ($symbol:expr, $wrap:ident) => {
                match $symbol {
                    0 => <$wrap<Symbol<0>>>::deserialize(deserializer).map(drop),
                    1 => <$wrap<Symbol<1>>>::deserialize(deserializer).map(drop),
                    2 => <$wrap<Symbol<2>>>::deserialize(deserializer).map(drop),
                    3 => <$wrap<Symbol<3>>>::deserialize(deserializer).map(drop),
                    _ => <$wrap<Symbol<4>>>::deserialize(deserializer).map(drop),
                }
            };
        }
        match self {
            Self::Leaf => u8::deserialize(deserializer).map(drop),
            Self::Odd => NonZeroU32::deserialize(deserializer).map(drop),
            Self::Bad => {
                bool::deserialize(deserializer)?;
                Err(serde::de::Error::custom("refused"))
            }
            Self::Symbol(symbol) => read!(symbol, Box),
            Self::Option(symbol) => read!(symbol, Option),
            Self::Seq(symbol) => read!(symbol, Vec),
        }
    }
}

fn part(bad: u32) -> impl Strategy<Value = Part> {
    let symbol = 0..NAMES.len();
    prop_oneof![
        2 => Just(Part::Leaf),
        1 => Just(Part::Odd),
        6 => symbol.clone().prop_map(Part::Symbol),
        1 => symbol.clone().prop_map(Part::Option),
        1 => symbol.prop_map(Part::Seq),
        // Last: what fails is simplified towards what comes first.
        bad => Just(Part::Bad),
    ]
}

fn definition(bad: u32) -> impl Strategy<Value = Definition> {
    let parts = || prop::collection::vec(part(bad), 0..4);
    prop_oneof![
        1 => parts().prop_map(Definition::Struct),
        2 => prop::collection::vec(parts(), 0..=VARIANTS.len()).prop_map(Definition::Enum),
    ]
}

/// Which symbols have a finite value.
fn inhabited(grammar: &[Definition]) -> Vec<bool> {
    let mut known = vec![false; grammar.len()];
    loop {
        let ends = |part: &Part| match part {
            Part::Symbol(symbol) => known[*symbol],
            Part::Bad => false,
            Part::Leaf | Part::Odd | Part::Option(_) | Part::Seq(_) => true,
        };
        let next: Vec<_> = grammar
            .iter()
            .map(|definition| match definition {
                Definition::Struct(parts) => parts.iter().all(ends),
                Definition::Enum(variants) => variants.iter().any(|parts| parts.iter().all(ends)),
            })
            .collect();
        if next == known {
            return known;
        }
        known = next;
    }
}

/// The text of a symbol, straight from the grammar.
fn expected(grammar: &[Definition], symbol: usize, written: &mut Vec<usize>) -> String {
    if written.contains(&symbol) {
        return format!("^{}", NAMES[symbol]);
    }
    written.push(symbol);
    let mut texts = |parts: &[Part]| -> String {
        let text = |part: &Part| match *part {
            Part::Leaf => "u8".to_owned(),
            Part::Odd => "u32".to_owned(),
            Part::Bad => "bool".to_owned(),
            Part::Symbol(symbol) => expected(grammar, symbol, written),
            Part::Option(symbol) => format!("?{}", expected(grammar, symbol, written)),
            Part::Seq(symbol) => format!("[{}]", expected(grammar, symbol, written)),
        };
        parts.iter().map(text).collect::<Vec<_>>().join(", ")
    };
    let name = NAMES[symbol];
    match &grammar[symbol] {
        Definition::Struct(parts) => format!("{name}({})", texts(parts)),
        Definition::Enum(variants) => {
            let variants = VARIANTS.iter().zip(variants);
            let variants: Vec<_> = variants
                .map(|(name, parts)| match parts.as_slice() {
                    [] => (*name).to_owned(),
                    parts => format!("{name}({})", texts(parts)),
                })
                .collect();
            format!("enum {name}{{{}}}", variants.join(" | "))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// SHP-2
    #[test]
    fn any_recursion_is_seen_in_full(grammar in prop::collection::vec(definition(0), NAMES.len())) {
        GRAMMAR.set(grammar.clone());
        let traced = shape::<Symbol<0>>().unwrap();
        prop_assert!(matches!(traced, Shape::Traced(_)), "{traced:?}");
        prop_assert!(!traced.to_string().contains("opaque"), "{traced}");
        if inhabited(&grammar).iter().all(|ends| *ends) {
            prop_assert_eq!(traced.to_string(), expected(&grammar, 0, &mut Vec::new()));
        }
    }

    /// SHP-2: whatever refuses; and the same is seen again.
    #[test]
    fn any_recursion_with_refusals_ends(grammar in prop::collection::vec(definition(2), NAMES.len())) {
        GRAMMAR.set(grammar);
        let traced = shape::<Symbol<0>>().unwrap();
        prop_assert_eq!(shape::<Symbol<0>>().unwrap(), traced);
    }
}
