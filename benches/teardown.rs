//! Eight process actors started side by side, and the end of their nursery by a cancel, beside eight bare tokio programs
//! over socket pairs that end when those close.
//!
//! `cargo bench --bench teardown` prints the table of `docs/benchmarks.md`. It is not pinned to one CPU: what is done side
//! by side may be.

#[expect(dead_code, reason = "it is not pinned")]
mod common;

use std::time::Duration;

use common::peer::{self, Part, frame, read_frame};
use common::{Comparison, HEAD, now, rounds};
use futures_util::future::try_join_all;
use tokio::io::{AsyncWriteExt, BufReader};
use tractor::prelude::*;

const MANY: usize = 8;

/// What a start and an end of eight may take.
const GOAL: Duration = Duration::from_millis(10);

fn main() {
    if peer::play() {
        return;
    }
    if let Err(error) = root::main() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

#[tractor::rpc]
async fn reply() -> u8 {
    b'!'
}

mod root {
    use super::*;

    #[tractor::main(flavor = "current_thread")]
    pub(crate) async fn main() -> tractor::Result<()> {
        // One actor before: the guardian's own start is not measured.
        open_nursery(async |an| {
            assert_eq!(an.run_in_actor(reply()).await?, b'!');
            table().await
        })
        .await
    }
}

/// How long the start of all took, to the last reply; and the end of all, to the last reaping.
struct Lives {
    replied: Duration,
    reaped: Duration,
}

async fn ours() -> tractor::Result<Lives> {
    let start = now();
    let (replied, cancelled) = open_nursery(async |an| -> tractor::Result<_> {
        let an = &an;
        let children = (0..MANY).map(|index| async move {
            let name = format!("child{index}");
            let child = an.start_actor(&name, tractor::expose![reply]).await?;
            assert_eq!(child.run(reply()).await?, b'!');
            tractor::Result::<_>::Ok(child)
        });
        let _children = try_join_all(children).await?;
        let replied = start.elapsed();
        let cancelled = now();
        an.cancel().await;
        Ok((replied, cancelled))
    })
    .await?;
    let reaped = cancelled.elapsed();
    Ok(Lives { replied, reaped })
}

async fn floor() -> Lives {
    let start = now();
    let mut peers: Vec<_> = (0..MANY).map(|_| peer::start(Part::Echo)).collect();
    for (_, stream) in &mut peers {
        let asked = stream.write_all(&frame(b"!")).await;
        asked.expect("it is there");
    }
    let mut reading = Vec::new();
    for (child, stream) in peers {
        let mut stream = BufReader::new(stream);
        assert!(read_frame(&mut stream, &mut Vec::new()).await);
        reading.push((child, stream));
    }
    let replied = start.elapsed();
    let closed = now();
    let children: Vec<_> = reading.into_iter().map(|(child, _closed)| child).collect();
    for mut child in children {
        assert!(child.wait().expect("it is our child").success());
    }
    let reaped = closed.elapsed();
    Lives { replied, reaped }
}

async fn table() -> tractor::Result<()> {
    let tests_only = std::env::args().any(|argument| argument == "--test");
    let rounds = if tests_only { 1 } else { rounds(101) };
    let (mut replied, mut reaped) = (Comparison::default(), Comparison::default());
    for _ in 0..rounds {
        let (floor, ours) = (floor().await, ours().await?);
        replied.add(floor.replied, ours.replied);
        reaped.add(floor.reaped, ours.reaped);
    }
    println!("Medians of {rounds} rounds [the middle eight tenths of them]:\n\n{HEAD}");
    println!("{}", replied.row("8 side by side → replies", GOAL));
    println!("{}", reaped.row("cancel of 8 → reaped", GOAL));
    Ok(())
}
