//! Nothing in scope at the user's changes what the output means.
#![forbid(unsafe_code)]
#![allow(dead_code, non_camel_case_types, unused_macros)]

mod core {}
mod std {}
struct Result;
struct Option;
struct Box;
struct Vec;
struct String;
struct Send;
struct Sync;
struct Future;
struct Clone;
struct From;
struct Into;
struct Ok;
struct Err;
struct Some;
struct None;
struct Actor;
struct Portal;
struct Message;
struct CounterMsg;
struct T;
fn travels() {}
fn is_error() {}
fn todo() {}
const M0: u8 = 1;
const INDEX_0: usize = 2;
macro_rules! vec {
    () => {};
}
macro_rules! concat {
    () => {};
}
macro_rules! cfg {
    () => {};
}

struct Counter {
    n: u64,
}

#[tractor::actor]
impl Counter {
    #[init]
    fn new(n: u64) -> Self {
        Counter { n }
    }

    fn add(&mut self, by: u64, list: [u8; INDEX_0]) -> u64 {
        self.n += by + u64::from(list[0]);
        self.n
    }

    #[cast]
    async fn log(&self) -> ::std::result::Result<(), tractor::AnyError> {
        ::std::result::Result::Ok(())
    }

    fn init(&self) {}
    fn methods(&self) {}
    fn decode(&self) {}
    fn handle_mut(&self) {}
    fn handle_ref(&mut self) {}
    fn on_start(&self) {}
    fn cast_failed(&self) {}

    #[on_stop]
    fn on_stop(&mut self) {}
}

/// Actors with the names of type parameters.
struct A;
struct S;
struct D;

#[tractor::actor]
impl A {
    #[init]
    fn new() -> Self {
        A
    }

    fn give(&self, other: u8) -> u8 {
        other
    }
}

#[tractor::actor]
impl S {
    #[init]
    fn new() -> Self {
        S
    }
}

#[tractor::actor]
impl D {
    #[init]
    fn new() -> Self {
        D
    }
}

struct Holder<S, A>(S, A);

#[tractor::actor]
impl<S, A> Holder<S, A>
where
    S: tractor::Message,
    A: tractor::Message,
{
    #[init]
    fn new(first: S, second: A) -> Self {
        Holder(first, second)
    }

    fn put(&mut self, second: A) {
        self.1 = second;
    }
}

#[tractor::rpc]
async fn double(n: u64) -> u64 {
    2 * n
}

#[tractor::context]
async fn feed(_ctx: tractor::Context<(), (), ()>, a0: u64) -> u64 {
    a0
}

fn main() {
    let _ = Counter::spec(1);
    let _ = double(1);
    let _ = feed(1);
    let _ = tractor::expose![double, feed];
}
