//! The first value has the type the context says.
#![allow(unused)]

use tractor::{AnyError, Context};

#[tractor::context]
async fn serve(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    ctx.started("one").await?; //~ E0308
    Ok(())
}

fn main() {}
