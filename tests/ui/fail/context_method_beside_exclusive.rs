#![allow(unused)]

use tractor::Context;

struct Room;

#[tractor::actor]
impl Room {
    #[init]
    fn new() -> Self {
        Room
    }

    async fn enter(&mut self, name: String) {}

    #[context]
    async fn chat(&self, ctx: Context<(), (), ()>) {}
}

fn main() {}
