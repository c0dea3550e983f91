#![allow(unused)]

struct Context<Started = (), In = (), Out = ()>(Started, In, Out);

#[tractor::context]
async fn borrowed(ctx: &mut Context<(), (), ()>) {}

#[tractor::context]
async fn short(ctx: Context<(), ()>) {}

#[tractor::context]
async fn bare(ctx: Context) {}

fn main() {}
