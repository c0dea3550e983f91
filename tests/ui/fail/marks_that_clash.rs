#![allow(unused)]

use tractor::{Context, Me};

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    #[blocking]
    fn new() -> Self {
        Store
    }

    #[cast]
    #[stream]
    fn put(&mut self, key: u8) {}

    #[cast]
    #[cancel_safe]
    async fn log(&mut self) {}

    #[context]
    #[cancel_safe]
    async fn chat(me: Me<Self>, ctx: Context<(), (), ()>) {}

    #[on_start]
    #[cancel_safe]
    async fn up(&mut self) {}
}

fn main() {}
