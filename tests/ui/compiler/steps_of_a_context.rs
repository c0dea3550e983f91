//! Each step of a context consumes the one before.
#![allow(unused)]

use tractor::{AnyError, Context};

#[tractor::context]
async fn stream_before_started(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    ctx.open_stream().await?; //~ E0599
    Ok(())
}

#[tractor::context]
async fn started_twice(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    ctx.started(1).await?;
    ctx.started(2).await?; //~ E0382
    Ok(())
}

#[tractor::context]
async fn started_again(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    let ctx = ctx.started(1).await?;
    ctx.started(2).await?; //~ E0599
    Ok(())
}

#[tractor::context]
async fn stream_twice(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    let ctx = ctx.started(1).await?;
    let first = ctx.open_stream().await?;
    let second = ctx.open_stream().await?; //~ E0382
    Ok(())
}

#[tractor::context]
async fn other_first_value(ctx: Context<u32, u8, u8>) -> Result<(), AnyError> {
    ctx.started("one").await?; //~ E0308
    Ok(())
}

fn main() {}
