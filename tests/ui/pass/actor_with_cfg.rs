//! A method that is not compiled takes no number.
#![forbid(unsafe_code)]
#![deny(warnings)]

use tractor::__private::{Actor, MethodKind};
use tractor::{Context, Me};

struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    fn first(&mut self) {}

    #[cfg(any())]
    fn never(&mut self, missing: Missing) -> Missing {
        missing
    }

    #[cfg(all())]
    #[cfg(not(any()))]
    #[cast]
    fn always(&self) {}

    #[cfg(any())]
    #[context]
    async fn never_opened(me: Me<Self>, ctx: Context<Missing, (), ()>) {}

    #[context]
    async fn last(_me: Me<Self>, _ctx: Context<(), (), ()>) {}

    #[cfg(any())]
    #[on_start]
    fn never_run(&mut self) {}
}

#[tractor::rpc]
#[cfg(any())]
async fn never(missing: Missing) {}

#[cfg(any())]
#[tractor::context]
async fn never_opened(ctx: Context<Missing, (), ()>) {}

fn main() {
    let methods = Counter::methods();
    let names: Vec<_> = methods.iter().map(|method| method.name()).collect();
    assert_eq!(names, ["first", "always", "last"]);
    assert_eq!(methods[1].kind(), MethodKind::Shared);
}
