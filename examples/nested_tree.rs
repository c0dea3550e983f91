//! A tree of three levels: the root opens a context with a supervisor, which starts two leaves of its own and has them
//! square numbers.

use tractor::prelude::*;

#[tractor::rpc]
async fn square(n: u64) -> u64 {
    n * n
}

/// Runs in the supervisor. Its first value are the names of its leaves, its result the squares; nothing is streamed.
#[tractor::context]
async fn supervise(
    ctx: Context<Vec<String>, (), ()>,
    numbers: Vec<u64>,
) -> Result<Vec<u64>, AnyError> {
    let squares = open_nursery(async |an| -> tractor::Result<_> {
        let mut leaves = Vec::new();
        for name in ["leaf_1", "leaf_2"] {
            leaves.push(an.start_actor(name, tractor::expose![square]).await?);
        }
        let names = leaves.iter().map(|leaf| leaf.id().name().to_owned());
        ctx.started(names.collect()).await?;
        let mut squares = Vec::new();
        for (n, leaf) in numbers.into_iter().zip(leaves.iter().cycle()) {
            squares.push(leaf.run(square(n)).await?);
        }
        Ok(squares)
    })
    .await?;
    println!("the leaves have ended");
    Ok(squares)
}

#[tractor::main]
async fn main() -> tractor::Result<()> {
    open_nursery(async |an| {
        let supervisor = an.start_actor("supervisor", tractor::expose![supervise]);
        let numbers = supervise(vec![1, 2, 3, 4]);
        let squares = supervisor
            .await?
            .open_context(numbers, async |ctx, leaves| -> tractor::Result<_> {
                println!("started: {leaves:?}");
                Ok(ctx.result().await?)
            })
            .await?;
        let sum: u64 = squares.iter().sum();
        println!("squares: {squares:?}, summed: {sum}");
        Ok(())
    })
    .await
}
