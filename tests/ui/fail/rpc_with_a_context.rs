#![allow(unused)]

use tractor::{Context, Me};

#[tractor::rpc]
async fn chat(ctx: Context<(), (), ()>) {}

#[tractor::rpc]
async fn state(me: Me<String>) {}

fn main() {}
