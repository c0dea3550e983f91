//! A service that runs until Ctrl-C (or SIGTERM): its actors are cancelled and say goodbye in their own way, and the
//! program ends as a shell expects it to, with exit code 130. A second Ctrl-C kills what does not end.

use std::time::Duration;

use tractor::prelude::*;

struct Ledger {
    entries: u32,
}

#[tractor::actor]
impl Ledger {
    #[init]
    fn new() -> Self {
        Self { entries: 0 }
    }

    fn enter(&mut self) -> u32 {
        self.entries += 1;
        self.entries
    }

    #[on_stop]
    fn close(&mut self) {
        println!("the ledger is closed");
    }
}

#[tractor::main]
async fn main() -> tractor::Result<()> {
    let served = open_nursery(async |an| {
        let ledger = an.start_actor("ledger", Ledger::spec()).await?;
        println!("serving; entry {}", ledger.enter().await?);
        loop {
            tractor::sleep(Duration::from_secs(1)).await?;
            ledger.enter().await?;
        }
    });
    let ended = served.await;
    println!("nothing is left");
    ended
}
