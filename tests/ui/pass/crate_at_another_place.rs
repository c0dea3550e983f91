//! `crate = path`: for a crate that hands tractor on under another name.
#![forbid(unsafe_code)]
#![deny(warnings)]

mod vendor {
    pub(crate) use ::tractor as actors;
}

/// Hides the crate's own name.
#[allow(dead_code, reason = "it only hides a name")]
mod tractor {}

use vendor::actors::{Context, Me, Message};

struct Counter;

#[vendor::actors::actor(crate = crate::vendor::actors)]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    fn add(&mut self, by: u64) -> u64 {
        by
    }

    #[vendor::actors::context]
    async fn chat(_me: Me<Self>, _ctx: Context<(), (), ()>) {}
}

#[vendor::actors::rpc(crate = crate::vendor::actors)]
async fn is_prime(n: u64) -> bool {
    n > 1
}

#[vendor::actors::context(crate = "crate::vendor::actors")]
async fn feed(_ctx: Context<(), (), ()>) {}

#[derive(serde::Serialize, serde::Deserialize, Message)]
#[message(crate = crate::vendor::actors)]
struct Ping;

struct Worker<T>(T);

#[vendor::actors::actor(crate = vendor::actors)]
impl<T: Message> Worker<T> {
    #[init]
    fn new(first: T) -> Self {
        Self(first)
    }

    fn put(&mut self, value: T) {
        self.0 = value;
    }
}

vendor::actors::register!(crate = crate::vendor::actors; Worker<Ping>);

/// A macro of one's own around ours.
macro_rules! actor_named {
    ($name:ident) => {
        struct $name;

        #[$crate::vendor::actors::actor(crate = $crate::vendor::actors)]
        impl $name {
            #[init]
            fn new() -> Self {
                Self
            }

            fn ping(&self, n: u64) -> u64 {
                n
            }
        }
    };
}

actor_named!(Made);

#[vendor::actors::test(crate = crate::vendor::actors)]
async fn works() {}

#[vendor::actors::main(crate = crate::vendor::actors)]
async fn main() {
    let _ = Counter::spec();
    let _ = Made::spec();
    let _ = |portal: &MadePortal| {
        let _ = portal.ping(1);
    };
    let _ = vendor::actors::expose![crate = crate::vendor::actors; is_prime, feed];
}
