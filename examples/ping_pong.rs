//! A context: two linked tasks, one on each side. A first value, messages both ways, one side that stops, and a result.

use serde::{Deserialize, Serialize};
use tractor::prelude::*;

#[derive(Serialize, Deserialize)]
struct Ping;

#[derive(Serialize, Deserialize)]
struct Pong;

/// Runs in the child: answers each ping, and its result is how many there were.
#[tractor::context]
async fn answer(ctx: Context<u32, Ping, Pong>, data: u32) -> Result<u32, AnyError> {
    let ctx = ctx.started(data + 1).await?;
    let mut stream = ctx.open_stream().await?;
    let mut pings = 0;
    while let Some(Ping) = stream.next().await? {
        pings += 1;
        stream.send(Pong).await?;
    }
    println!("child: the root has stopped after {pings} pings");
    Ok(pings)
}

#[tractor::main]
async fn main() -> tractor::Result<()> {
    open_nursery(async |an| {
        let child = an.start_actor("child", tractor::expose![answer]).await?;
        let block = async |ctx: tractor::OpenedContext<_, _, _, _>, first| -> tractor::Result<_> {
            println!("root: the first value is {first}");
            let mut stream = ctx.open_stream().await?;
            stream.send(Ping).await?;
            for _ in 0..9 {
                if let Some(Pong) = stream.next().await? {
                    stream.send(Ping).await?;
                }
            }
            stream.stop();
            println!("root: 9 pongs are enough");
            Ok(stream.ctx().result().await?)
        };
        let pings = child.open_context(answer(10), block).await?;
        println!("root: the child saw {pings} pings");
        Ok(())
    })
    .await
}
