//! What runs is not opened, what is opened is not run, and only our functions are either.
#![allow(unused)]

use tractor::{Context, Portal, Service, expose};

#[tractor::rpc]
async fn is_prime(n: u64) -> bool {
    n > 1
}

#[tractor::context]
async fn feed(ctx: Context<u32, (), ()>, data: u32) {}

fn plain() {}

struct Type;

async fn used(portal: Portal<Service>) -> tractor::Result<()> {
    portal.run(feed(1)).await; //~ E0308
    portal.open_context(is_prime(1), async |ctx, first| -> tractor::Result<_> { Ok(()) }).await?; //~ E0308
    expose![plain]; //~ E0573
    expose![Type]; //~ E0277
    Ok(())
}

fn main() {}
