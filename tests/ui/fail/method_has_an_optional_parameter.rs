#![allow(unused)]

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    fn put(&mut self, key: u8, #[cfg(unix)] value: u8) {}
}

fn main() {}
