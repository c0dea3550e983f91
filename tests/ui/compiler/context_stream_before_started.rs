//! The first value comes before the stream.
#![allow(unused)]

use tractor::{AnyError, Context};

#[tractor::context]
async fn serve(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    ctx.open_stream().await?; //~ E0599
    Ok(())
}

fn main() {}
