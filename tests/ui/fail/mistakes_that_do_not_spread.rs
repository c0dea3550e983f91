//! One mistake each; what is used elsewhere of the mistaken items is not reported again.
#![allow(unused)]

use tractor::{Context, Me};

struct Counter {
    n: u64,
}

#[tractor::actor]
impl Counter {
    #[init]
    async fn new(start: u64) -> Self {
        Counter { n: start }
    }

    async fn add(&mut self, by: u64) -> u64 {
        self.n += by;
        self.n
    }

    async fn name(&mut self, name: &str) {}

    #[context]
    async fn chat(me: Me<Self>, ctx: Context<(), (), ()>) {
        let added = me.with(|counter| counter.n += 1).await;
    }
}

#[tractor::rpc]
async fn length(text: &str) -> usize {
    text.len()
}

#[tractor::rpc]
async fn largest<T: Ord>(values: Vec<T>) -> u64 {
    values.len() as u64
}

#[tractor::context]
async fn feed(ctx: Context<u32, (), ()>, name: &str) -> usize {
    name.len()
}

#[tractor::context]
async fn bare(name: String) -> usize {
    name.len()
}

async fn used(counter: CounterPortal, other: tractor::Portal<Counter>) {
    let spec = Counter::spec(40);
    let sum: u64 = counter.add(2).await.unwrap();
    let chat = counter.chat();
    let length: usize = other.run(length("text")).await.unwrap();
    let largest: u64 = other.run(largest(vec![1])).await.unwrap();
    let functions = tractor::expose![length, feed, largest, bare];
    let fed = feed("name");
    let bare = bare(String::new());
}

fn main() {}
