//! A root that fails while its actors are busy: the program ends with its error, and leaves nothing behind.

use std::thread::available_parallelism;

use tractor::prelude::*;

/// Works for ever.
#[tractor::rpc]
async fn work() {
    std::future::pending().await
}

#[tractor::rpc]
async fn pid() -> u32 {
    std::process::id()
}

#[tractor::main]
async fn main() -> tractor::Result<()> {
    let cores = available_parallelism().map_or(1, usize::from);
    open_nursery(async |an| {
        for core in 0..cores {
            let name = format!("worker_{core}");
            let functions = tractor::expose![work, pid];
            let worker = an.start_actor(&name, functions).await?;
            println!("{name} is process {}", worker.run(pid()).await?);
            an.start_soon(async move {
                worker.run(work()).await?;
                Ok(())
            });
        }
        Err(tractor::Error::app(std::io::Error::other("the root fails")))
    })
    .await
}
