#![allow(unused)]

use tractor::{Context, Me};

struct Room;

#[tractor::actor]
impl Room {
    #[init]
    fn new() -> Self {
        Room
    }

    #[context]
    async fn none(me: Me<Self>) {}

    #[context]
    async fn other(me: Me<Self>, name: String) {}

    #[context]
    async fn late(me: Me<Self>, name: String, ctx: Context<(), (), ()>) {}

    #[context]
    async fn before(ctx: Context<(), (), ()>, me: Me<Self>) {}
}

fn main() {}
