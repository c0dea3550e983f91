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
    async fn chat(&self, ctx: Context<(), (), ()>) {}

    #[context]
    async fn talk(me: Me<Self>, ctx: Context<(), (), ()>) {}
}

fn main() {}
