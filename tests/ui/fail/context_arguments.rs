#![allow(unused)]

use tractor::Context;

#[tractor::context(drian, name = "x", overrun = 3)]
async fn feed(ctx: Context<(), (), ()>) {}

fn main() {}
