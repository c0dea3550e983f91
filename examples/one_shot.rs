//! One-shots and daemons: an actor for one call, awaited or left to the nursery, and one that serves until it is told to
//! end.

use tractor::prelude::*;

#[tractor::rpc]
async fn cube(n: u64) -> u64 {
    n * n * n
}

#[tractor::main]
async fn main() -> tractor::Result<()> {
    open_nursery(async |an| {
        // Awaited: started, run and reaped by the time its value is here.
        println!("awaited: {}", an.run_in_actor(cube(3)).await?);

        // Left to the nursery: it runs beside us, and its failure would be the nursery's.
        let shot = an.run_in_actor(cube(4)).start().await?;
        println!("left to the nursery: {}", shot.result().await?);

        // A daemon serves until it is told to end; the end of the block would tell it too.
        let daemon = an.start_actor("daemon", tractor::expose![cube]).await?;
        println!("from a daemon: {}", daemon.run(cube(5)).await?);
        an.cancel().await;
        match daemon.run(cube(6)).await {
            Ok(n) => println!("it still serves: {n}"),
            Err(_) => println!("the daemon has ended and was reaped"),
        }
        Ok(())
    })
    .await
}
