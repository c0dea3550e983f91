//! There is one first value: sending it consumes the context that could.
#![allow(unused)]

use tractor::{AnyError, Context};

#[tractor::context]
async fn the_same(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    ctx.started(1).await?;
    ctx.started(2).await?; //~ E0382
    Ok(())
}

#[tractor::context]
async fn what_came_of_it(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    let ctx = ctx.started(1).await?;
    ctx.started(2).await?; //~ E0599
    Ok(())
}

fn main() {}
