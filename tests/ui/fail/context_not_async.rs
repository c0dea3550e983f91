#![allow(unused)]

#[tractor::context]
fn chat(ctx: tractor::Context<(), (), ()>) {}

fn main() {}
