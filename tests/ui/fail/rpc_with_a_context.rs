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

#[tractor::rpc]
async fn chat(ctx: Context<(), (), ()>) {}

#[tractor::rpc]
async fn state(me: Me<Other>) {}

fn main() {}
