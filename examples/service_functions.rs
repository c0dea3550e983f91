//! A service actor: free functions instead of a state. It runs what it exposes, and nothing else of the program.

use tractor::CallError;
use tractor::prelude::*;

#[tractor::rpc]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[tractor::rpc]
async fn reversed(text: String) -> String {
    text.chars().rev().collect()
}

/// Part of the same program, but the service below does not expose it.
#[tractor::rpc]
async fn erase_everything() {
    println!("nobody asked for this");
}

#[tractor::main]
async fn main() -> tractor::Result<()> {
    open_nursery(async |an| {
        let functions = tractor::expose![add, reversed];
        let service = an.start_actor("service", functions).await?;
        println!("40 + 2 = {}", service.run(add(40, 2)).await?);
        println!("{}", service.run(reversed("rotcart".into())).await?);
        match service.run(erase_everything()).await {
            Err(CallError::NotExposed(error)) => println!("refused: {}", error.message()),
            other => println!("not refused: {other:?}"),
        }
        // A call is a value: awaited without a portal, it runs here.
        println!("here, 1 + 2 = {}", add(1, 2).await);
        Ok(())
    })
    .await
}
