//! One fails, all end: three daemons serve, a one-shot beside them fails. Its error is the nursery's, with its type, and
//! the daemons have been cancelled and reaped by the time it is here.

use std::fmt;

use serde::{Deserialize, Serialize};
use tractor::prelude::*;

/// An error of ours; it crosses processes as the value it is.
#[derive(Debug, Serialize, Deserialize)]
struct OutOfStock {
    wanted: u32,
    left: u32,
}

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} wanted, {} left", self.wanted, self.left)
    }
}

impl std::error::Error for OutOfStock {}

#[tractor::rpc]
async fn order(wanted: u32) -> Result<u32, OutOfStock> {
    let left = 2;
    if wanted > left {
        return Err(OutOfStock { wanted, left });
    }
    Ok(left - wanted)
}

#[tractor::rpc]
async fn well() -> bool {
    true
}

#[tractor::main]
async fn main() -> tractor::Result<()> {
    let mut daemons = Vec::new();
    let result = open_nursery(async |an| {
        for name in ["ann", "bob", "cid"] {
            let daemon = an.start_actor(name, tractor::expose![well]).await?;
            println!("{name} is well: {}", daemon.run(well()).await?);
            daemons.push(daemon);
        }
        an.run_in_actor(order(7)).name("dan").start().await?;
        an.wait().await; // would serve for ever, did not dan's failure end it
        Ok(())
    })
    .await;
    for daemon in &daemons {
        let gone = daemon.run(well()).await.is_err();
        println!("{} has ended: {gone}", daemon.id().name());
    }
    match result {
        Err(tractor::Error::Actor(error)) => {
            let typed: Option<OutOfStock> = error.downcast();
            println!("{} failed: {typed:?}", error.origin().name());
            Ok(())
        }
        other => other,
    }
}
