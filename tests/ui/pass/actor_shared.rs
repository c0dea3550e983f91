//! Actors whose methods all take `&self`, actors without methods, actors that may fail to start.
#![forbid(unsafe_code)]
#![deny(warnings)]

use std::sync::atomic::{AtomicU64, Ordering};

use tractor::__private::{ACTORS, Actor, SharedActor};
use tractor::{Context, Me};

struct Room {
    visits: AtomicU64,
}

#[tractor::actor]
impl Room {
    #[init]
    fn new() -> Self {
        Self { visits: AtomicU64::new(0) }
    }

    async fn visits(&self) -> u64 {
        self.visits.load(Ordering::Relaxed)
    }

    #[context]
    async fn chat(&self, ctx: Context<(), String, String>, name: String) -> u64 {
        let _ = (ctx, name);
        self.visits.fetch_add(1, Ordering::Relaxed)
    }
}

struct OnlyContexts;

#[tractor::actor]
impl OnlyContexts {
    #[init]
    fn new() -> Self {
        Self
    }

    #[context]
    async fn chat(&self, _ctx: Context<(), (), ()>) {}
}

struct OnlyMe {
    n: std::cell::Cell<u64>,
}

#[tractor::actor]
impl OnlyMe {
    #[init]
    fn new() -> Self {
        Self { n: std::cell::Cell::new(0) }
    }

    #[context]
    async fn count(me: Me<Self>, _ctx: Context<(), (), ()>) -> Result<(), tractor::AnyError> {
        let _change = me.with(|state| state.n.set(1));
        Ok(())
    }
}

struct Fragile;

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

#[tractor::actor]
impl Fragile {
    #[init]
    async fn new(fails: bool) -> Result<Self, Broken> {
        if fails { Err(Broken) } else { Ok(Self) }
    }
}

fn is_shared<A: SharedActor>() {}

fn main() {
    is_shared::<Room>();
    is_shared::<OnlyContexts>();
    assert_eq!(Fragile::methods().len(), 0);
    assert_eq!(ACTORS.len(), 4);
    let _ = Fragile::spec(true);
    let _ = OnlyMe::spec();
}
