#![allow(unused)]

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    #[cast]
    #[cast]
    fn put(&mut self, key: u8) {}
}

fn main() {}
