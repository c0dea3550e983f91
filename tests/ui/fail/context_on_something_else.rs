#![allow(unused)]

use tractor::Context;

#[tractor::context]
struct Chat;

struct Room;

impl Room {
    #[tractor::context]
    async fn chat(&self, ctx: Context<(), (), ()>) {}
}

fn main() {}
