#![allow(unused)]

use tractor::{Context, Me};

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    async fn chat(&self, ctx: Context<(), (), ()>) {}

    async fn talk(me: Me<Self>, ctx: Context<(), (), ()>) {}

    async fn open(ctx: Context<(), (), ()>) {}

    fn reach(&mut self, me: Me<Self>) {}
}

fn main() {}
