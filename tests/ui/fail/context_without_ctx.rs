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

#[tractor::context]
async fn none() {}

#[tractor::context]
async fn other(name: String) {}

#[tractor::context]
async fn late(name: String, ctx: Context<(), (), ()>) {}

#[tractor::context]
async fn two(ctx: Context<(), (), ()>, other: Context<(), (), ()>) {}

#[tractor::context]
async fn with_me(ctx: Context<(), (), ()>, me: Me<Other>) {}

fn main() {}
