//! Work spread over processes: one worker per core, each number asked of the next one, all at the same time, and the
//! answers compared with those of a plain loop.

use std::collections::HashSet;
use std::thread::available_parallelism;

use tractor::prelude::*;

/// Whether `n` is a prime, and which process found out.
#[tractor::rpc]
async fn examine(n: u64) -> (bool, u32) {
    let prime = n > 1
        && (2..)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d));
    (prime, std::process::id())
}

#[tractor::main]
async fn main() -> tractor::Result<()> {
    let cores = available_parallelism().map_or(1, usize::from);
    let mut answers = [(false, 0); NUMBERS.len()];
    open_nursery(async |an| -> tractor::Result<()> {
        let mut workers = Vec::new();
        for core in 0..cores {
            let name = format!("worker_{core}");
            workers.push(an.start_actor(&name, tractor::expose![examine]).await?);
        }
        let places = NUMBERS.into_iter().zip(&mut answers);
        for ((n, answer), worker) in places.zip(workers.iter().cycle().cloned()) {
            // A task of the nursery may borrow: it writes the answer where that belongs.
            an.start_soon(async move {
                *answer = worker.run(examine(n)).await?;
                Ok(())
            });
        }
        Ok(())
    })
    .await?;

    for (n, (prime, _)) in NUMBERS.into_iter().zip(answers) {
        println!("{n} is prime: {prime}");
        assert_eq!(prime, examine::local(n).await.0, "{n}");
    }
    let processes: HashSet<u32> = answers.iter().map(|(_, process)| *process).collect();
    println!("{} workers agree with a plain loop", processes.len());
    Ok(())
}

const NUMBERS: [u64; 8] = [
    1_000_000_000_039,
    1_000_000_000_049,
    1_000_000_000_061,
    1_000_000_000_063,
    1_000_000_000_093,
    1_000_000_000_121,
    1_000_000_000_127,
    1_000_006_000_009,
];
