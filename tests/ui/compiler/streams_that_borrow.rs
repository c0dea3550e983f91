//! A stream owns what it gives: it outlives the call that built it.
#![allow(unused)]

use futures_util::Stream;

struct Store {
    values: Vec<u64>,
}

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store { values: vec![] }
    }

    #[stream]
    fn all(&self) -> impl Stream<Item = u64> {
        futures_util::stream::iter(self.values.iter().copied()) //~ E0700
    }
}

fn main() {}
