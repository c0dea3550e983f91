//! A handler whose future may not change threads is reported once, at its name.
#![allow(unused)]

use std::cell::Cell;
use std::rc::Rc;

use futures_util::Stream;
use tractor::{Context, Me};

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    async fn new() -> Self {
        Store
    }

    async fn alone(&mut self) -> u64 { //~ error
        let held = Rc::new(1);
        std::future::ready(()).await;
        *held
    }

    async fn beside(&self) { //~ error
        let held = Rc::new(1);
        std::future::ready(()).await;
    }

    #[stream]
    fn stream(&self) -> impl Stream<Item = u64> { //~ E0277
        let held = Rc::new(1);
        futures_util::stream::iter([1].into_iter().map(move |x: u64| x + *held))
    }

    #[context]
    async fn chat(me: Me<Self>, ctx: Context<(), (), ()>) { //~ error
        let held = Rc::new(1);
        std::future::ready(()).await;
    }
}

#[tractor::rpc]
async fn function() { //~ error
    let held = Rc::new(1);
    std::future::ready(()).await;
}

#[tractor::context]
async fn feed(ctx: Context<(), (), ()>) { //~ error
    let held = Rc::new(1);
    std::future::ready(()).await;
}

struct Shared {
    n: Cell<u64>,
}

#[tractor::actor]
impl Shared { //~ E0277
    #[init]
    fn new() -> Self {
        Shared { n: Cell::new(1) }
    }

    fn get(&self) -> u64 {
        self.n.get()
    }
}

fn main() {}
