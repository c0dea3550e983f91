#![allow(unused)]

use tractor::{Context, Me};

struct Other;

#[tractor::actor]
impl Other {
    #[init]
    fn new() -> Self {
        Other
    }
}

struct Room;

#[tractor::actor]
impl Room {
    #[init]
    fn new() -> Self {
        Room
    }

    #[context]
    async fn chat(me: Me<Other>, ctx: Context<(), (), ()>) {}

    #[context]
    async fn fine(me: Me<Room>, ctx: Context<(), (), ()>) {}
}

fn main() {}
