//! What a cancel scope costs: to enter and to leave one, and to be polled under it, beside the same future bare.
//!
//! `cargo bench --bench scope` prints the table of `docs/benchmarks.md`.

#[expect(dead_code, reason = "it has no peers")]
mod common;

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use common::{Comparison, HEAD, now, pin, rounds};

/// Of each a round.
const OPERATIONS: u32 = 100_000;

/// A future that is polled so often.
struct Polled(u32);

impl Future for Polled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The time of each of so many.
async fn each(work: impl Future<Output = ()>) -> Duration {
    let start = now();
    work.await;
    start.elapsed() / OPERATIONS
}

async fn bare_blocks() {
    for _ in 0..OPERATIONS {
        black_box(async { black_box(1) }.await);
    }
}

async fn scoped_blocks(within: Option<Duration>) {
    for _ in 0..OPERATIONS {
        let scope = tractor::cancel_scope();
        let scope = within.map_or(scope, |within| scope.within(within));
        let left = scope.run(async |_| black_box(1)).await;
        assert!(left.is_ok());
    }
}

async fn scoped_polls(depth: u32) {
    if depth == 0 {
        return Polled(OPERATIONS).await;
    }
    let inner = tractor::cancel_scope().run(async move |_| Box::pin(scoped_polls(depth - 1)).await);
    assert!(inner.await.is_ok());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    pin();
    let tests_only = std::env::args().any(|argument| argument == "--test");
    let rounds = if tests_only { 1 } else { rounds(31) };
    let mut rows = [
        "enter and leave",
        "enter and leave, with a deadline",
        "poll under one",
        "poll under four",
    ]
    .map(|name| (name, Comparison::default()));
    for _ in 0..rounds {
        let (blocks, polls) = (each(bare_blocks()).await, each(Polled(OPERATIONS)).await);
        let day = Some(Duration::from_secs(86_400));
        rows[0].1.add(blocks, each(scoped_blocks(None)).await);
        rows[1].1.add(blocks, each(scoped_blocks(day)).await);
        rows[2].1.add(polls, each(scoped_polls(1)).await);
        rows[3].1.add(polls, each(scoped_polls(4)).await);
    }
    println!("Medians of {rounds} rounds [the middle eight tenths of them]:\n\n{HEAD}");
    let [enter, with_deadline, under_one, under_four] = rows;
    println!("{}", enter.1.row(enter.0, BLOCK));
    println!("{}", with_deadline.1.row(with_deadline.0, BLOCK));
    println!("{}", under_one.1.row(under_one.0, POLL));
    println!("{}", under_four.1.row(under_four.0, POLL));
}

/// What a scope may cost: little beside a call's 15 µs.
const BLOCK: Duration = Duration::from_micros(1);

/// And a poll under one, beside one of tokio's own with its wake.
const POLL: f64 = 1.5;
