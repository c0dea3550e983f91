#![allow(unused)]

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    fn all(&mut self, values: impl Iterator<Item = u8>) {}

    fn boxed(&mut self, values: Vec<impl Into<String>>) {}
}

fn main() {}
