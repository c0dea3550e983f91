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
    async fn chat(ctx: Context<(), (), ()>, name: String) {}
}

fn main() {}
