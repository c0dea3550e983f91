//! A call is checked as the method it calls.
#![allow(unused)]
#![deny(unused_must_use)]

struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new(start: u64) -> Self {
        Counter
    }

    fn add(&mut self, by: u64) -> u64 {
        by
    }

    #[cast]
    fn log(&mut self, line: String) {}

    fn helper() {}
}

#[tractor::rpc]
async fn is_prime(n: u64) -> bool {
    n > 1
}

async fn wrong(counter: CounterPortal) -> tractor::Result<()> {
    Counter::spec("40"); //~ E0308
    counter.add("2").await?; //~ E0308
    counter.add().await?; //~ E0061
    counter.add(1, 2).await?; //~ E0061
    counter.subtract(1).await?; //~ E0599
    counter.helper().await?; //~ E0599
    let sum: String = counter.add(1).await?; //~ E0308
    is_prime("7").await; //~ E0308
    is_prime(7, 8).await; //~ E0061
    Ok(())
}

fn main() {}
