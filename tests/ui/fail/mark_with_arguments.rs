#![allow(unused)]

use tractor::{Context, Me};

struct Store;

#[tractor::actor]
impl Store {
    #[init(fast)]
    fn new() -> Self {
        Store
    }

    #[cast = "now"]
    fn put(&mut self, key: u8) {}

    #[context(drian)]
    async fn chat(me: Me<Self>, ctx: Context<(), (), ()>) {}

    #[context(drain = true)]
    async fn talk(me: Me<Self>, ctx: Context<(), (), ()>) {}
}

fn main() {}
