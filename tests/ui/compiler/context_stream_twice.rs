//! There is one stream, on either side: opening it consumes the context.
#![allow(unused)]

use tractor::{AnyError, Context};

#[tractor::context]
async fn serve(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    let ctx = ctx.started(1).await?;
    let first = ctx.open_stream().await?;
    let second = ctx.open_stream().await?; //~ E0382
    Ok(())
}

async fn open(portal: tractor::Portal<tractor::Service>) -> tractor::Result<()> {
    portal
        .open_context(serve(), async |ctx, first| -> tractor::Result<_> {
            let first = ctx.open_stream().await?;
            let second = ctx.open_stream().await?; //~ E0382
            Ok(())
        })
        .await
}

fn main() {}
