#![allow(unused)]

use tractor::Context;

struct Room;

#[tractor::actor]
impl Room {
    #[init]
    fn new() -> Self {
        Room
    }

    #[context]
    fn chat(&self, ctx: Context<(), (), ()>) {}
}

fn main() {}
