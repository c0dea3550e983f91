#![allow(unused)]

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    #[cast]
    fn put(key: u8) {}

    #[blocking]
    fn read(key: u8) -> u8 {
        key
    }

    #[on_stop]
    fn down() {}
}

fn main() {}
