//! A type that cannot travel is reported once, where it stands in the signature.
#![allow(unused)]

use futures_util::Stream;
use tractor::{Context, Me, Message};

struct NoSerde;

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct NoError;

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new(config: Config) -> Self { //~ E0277
        Store
    }

    async fn argument(&mut self, good: u64, bad: NoSerde) -> u64 { //~ E0277
        0
    }

    async fn error(&self) -> Result<u64, NoError> { //~ E0277
        Ok(0)
    }

    #[stream]
    fn items(&self) -> impl Stream<Item = Item> { //~ E0277
        futures_util::stream::iter([])
    }

    #[context]
    async fn chat(me: Me<Self>, ctx: Context<u8, Incoming, u8>) {} //~ E0277
}

struct Config;

struct Item;

struct Incoming;

struct Value;

#[tractor::actor]
impl Value {
    #[init]
    fn new() -> Result<Self, InitError> { //~ E0277
        Ok(Value)
    }

    fn value(&self) -> Option<NoSerde> { //~ E0277
        None
    }

    #[cast]
    fn log(&mut self) -> Result<(), NoError> { //~ E0277
        Ok(())
    }
}

#[derive(Debug)]
struct InitError;

#[tractor::rpc]
async fn argument(bad: NoSerde) {} //~ E0277

#[tractor::rpc]
async fn result() -> Result<NoSerde, tractor::AnyError> { //~ E0277
    Ok(NoSerde)
}

#[tractor::context]
async fn feed(ctx: Context<NoSerde, (), ()>) {} //~ E0277

#[derive(Message)]
struct Line {
    good: u64,
    bad: NoSerde, //~ E0277
}

#[derive(Message)]
enum Event {
    Opened(Vec<NoSerde>), //~ E0277
}

async fn used(store: StorePortal, value: ValuePortal) -> tractor::Result<()> {
    store.argument(1, NoSerde);
    value.value();
    store.run(argument(NoSerde));
    Ok(())
}

fn main() {}
