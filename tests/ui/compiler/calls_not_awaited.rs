//! Nothing is sent before a call is awaited, and the compiler says so.
#![allow(unused)]
#![deny(unused_must_use)]

use tractor::Context;

struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Counter
    }

    fn add(&mut self, by: u64) -> u64 {
        by
    }

    #[cast]
    fn log(&mut self, line: String) {}

    #[context]
    async fn chat(me: tractor::Me<Self>, ctx: Context<(), (), ()>) {}
}

#[tractor::rpc]
async fn is_prime(n: u64) -> bool {
    n > 1
}

#[tractor::context]
async fn feed(ctx: Context<(), (), ()>) {}

fn forgotten(counter: CounterPortal) {
    Counter::spec(); //~ error
    counter.add(1); //~ error
    counter.log(String::new()); //~ error
    counter.chat(); //~ error
    counter.run(is_prime(7)); //~ error
    is_prime(7); //~ error
    feed(); //~ error
}

fn main() {}
