//! The program of the README: an actor in a process of its own, called through its portal.

use tractor::prelude::*;

struct Counter {
    n: u64,
}

#[tractor::actor]
impl Counter {
    #[init] // runs in the child: the arguments travel, the state does not
    async fn new(start: u64) -> Self {
        Self { n: start }
    }

    async fn add(&mut self, by: u64) -> u64 {
        self.n += by;
        self.n
    }
}

#[tractor::main]
async fn main() -> tractor::Result<()> {
    open_nursery(async |an| {
        let counter = an.start_actor("counter", Counter::spec(40)).await?; // a process
        println!("40 + 2 = {}", counter.add(2).await?);
        Ok(())
    })
    .await // the counter has been stopped and reaped here
}
