//! The life of a process actor: from its start to its first reply, and on until it is reaped, beside re-executing a bare
//! tokio program over a socket pair. The guardian's own start, which the first spawn of a program pays, is told apart.
//!
//! `cargo bench --bench spawn` prints the table of `docs/benchmarks.md`.

mod common;

use std::time::Duration;

use common::peer::{self, Part};
use common::{Comparison, HEAD, Spread, now, pin, rounds};
use tokio::io::AsyncReadExt;
use tractor::prelude::*;

fn main() {
    if peer::play() {
        return;
    }
    pin();
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
        open_nursery(async |_| {
            let first = ours().await?;
            if std::env::var_os(FIRST).is_some() {
                println!("{}", first.replied.as_secs_f64());
                return Ok(());
            }
            table().await
        })
        .await
    }
}

/// How long one life took.
struct Life {
    replied: Duration,
    reaped: Duration,
}

async fn ours() -> tractor::Result<Life> {
    let start = now();
    let replied = open_nursery(async |an| -> tractor::Result<_> {
        let child = an.start_actor("child", tractor::expose![reply]).await?;
        assert_eq!(child.run(reply()).await?, b'!');
        Ok(start.elapsed())
    })
    .await?;
    let reaped = start.elapsed();
    Ok(Life { replied, reaped })
}

async fn floor() -> Life {
    let start = now();
    let (mut child, mut stream) = peer::start(Part::Reply);
    assert_eq!(stream.read_u8().await.ok(), Some(b'!'));
    let replied = start.elapsed();
    assert!(child.wait().expect("it is our child").success());
    let reaped = start.elapsed();
    Life { replied, reaped }
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
    println!("{}", replied.row("spawn → first reply", 2.0));
    println!("{}", reaped.row("spawn → first reply → reaped", 2.0));
    let firsts = (0..rounds.div_ceil(10)).map(|_| first());
    let firsts = Spread::of(firsts);
    println!(
        "\nThe first spawn of a program, guardian and nanny started with it, to its reply: {}",
        firsts.times()
    );
    Ok(())
}

/// Seconds to the first reply in a program that has just begun.
fn first() -> f64 {
    let image = std::env::current_exe().expect("this image");
    let output = std::process::Command::new(image).env(FIRST, "1").output();
    let text = output.expect("it runs").stdout;
    let text = String::from_utf8(text).expect("a number");
    text.trim().parse().expect("a number")
}

/// Asks for the time of the first spawn alone.
const FIRST: &str = "TRACTOR_BENCH_FIRST";
