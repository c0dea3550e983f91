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
    async fn chat(me: Me<String>, ctx: Context<(), (), ()>) {}

    #[context]
    async fn fine(me: Me<Room>, ctx: Context<(), (), ()>) {}
}

fn main() {}
