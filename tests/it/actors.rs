//! Functions and actors that more than one test has use for.

use serde::{Deserialize, Serialize};

use crate::signs::{self, OnDrop};

/// An error of a user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("no such thing: {what}")]
pub(crate) struct Missing {
    pub(crate) what: String,
}

pub(crate) fn missing(what: &str) -> Missing {
    let what = what.to_owned();
    Missing { what }
}

#[tractor::rpc]
pub(crate) async fn double(n: u64) -> u64 {
    2 * n
}

#[tractor::rpc]
pub(crate) async fn pid() -> u32 {
    std::process::id()
}

#[tractor::rpc]
pub(crate) async fn fail(what: String) -> Result<(), Missing> {
    Err(missing(&what))
}

/// Says that it is there, and stays until it is dropped, which it says too.
#[tractor::rpc]
pub(crate) async fn stay(name: String) {
    let _gone = OnDrop(format!("{name}.gone"));
    signs::give(&name);
    std::future::pending().await
}

/// Fails once as many have arrived as shall fail together. It does not await: no cancel can come in between.
#[tractor::rpc]
pub(crate) async fn fail_together(name: String, many: usize) -> Result<(), Missing> {
    signs::give(&format!("arrived.{name}"));
    signs::block_on_all("arrived.", many);
    Err(missing(&name))
}

/// Blocks its thread until it is killed.
#[tractor::rpc]
pub(crate) async fn block(name: String) {
    signs::give(&name);
    loop {
        std::thread::park();
    }
}

/// Says when it stops.
#[derive(Debug)]
pub(crate) struct Daemon {
    name: String,
    served: u64,
}

#[tractor::actor]
impl Daemon {
    #[init]
    pub(crate) fn new(name: String) -> Self {
        Self { name, served: 0 }
    }

    pub(crate) fn serve(&mut self) -> u64 {
        self.served += 1;
        self.served
    }

    pub(crate) fn fail(&mut self) -> Result<(), Missing> {
        Err(missing(&self.name))
    }

    #[on_stop]
    fn stop(&mut self) {
        signs::give(&format!("{}.stopped", self.name));
    }
}
