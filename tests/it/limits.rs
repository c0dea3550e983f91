//! Many at once: right results, and nothing kept of them once they are over.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::Barrier;
use tractor::prelude::*;
use tractor::{Error, OpenedContext, Result, Statistics};
use tractor_core::testing::case;
use tractor_core::this_test;

use crate::actors::double;
use crate::signs;

#[global_allocator]
static COUNTING: Counting = Counting {
    live: AtomicU64::new(0),
};

/// The system's allocator, which knows how many bytes are in use.
struct Counting {
    live: AtomicU64,
}

impl Counting {
    fn live(&self) -> u64 {
        self.live.load(Relaxed)
    }
}

// SAFETY: all requests go to the system's allocator as they are; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.live.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promises are those the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.live.fetch_sub(layout.size() as u64, Relaxed);
        // SAFETY: the block came from the system's allocator, with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

/// What the second of two equal rounds may keep more than the first.
const SLACK: u64 = 64 << 10;

/// Counts.
struct Counter {
    sum: u64,
}

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self { sum: 0 }
    }

    #[cast]
    fn add(&mut self, n: u64) {
        self.sum += n;
    }

    fn add_up(&mut self, n: u64) -> u64 {
        self.sum += n;
        self.sum
    }

    fn take(&mut self) -> u64 {
        std::mem::take(&mut self.sum)
    }
}

#[tractor::rpc]
async fn used() -> Result<(u64, Statistics)> {
    Ok((COUNTING.live(), tractor::statistics()?))
}

/// Sends back what it is sent, and its result is the sum.
#[tractor::context]
async fn echo(ctx: Context<u64, u64, u64>, first: u64) -> Result<u64> {
    let mut stream = ctx.started(first).await?.open_stream().await?;
    let mut sum = 0;
    while let Some(value) = stream.next().await? {
        stream.send(value).await?;
        sum += value;
    }
    Ok(sum)
}

/// A thousand calls are open at once: of a function, and of a method that takes them in their order.
async fn calls(counter: &CounterPortal) -> Result<()> {
    let mut functions: Vec<_> = (0..1_000)
        .map(|n| counter.run(double(n)).into_future())
        .collect();
    for call in &mut functions {
        assert!(call.now_or_never().is_none());
    }
    assert_eq!(tractor::statistics()?.opened, 1_000);
    for (n, result) in (0..).zip(join_all(functions).await) {
        assert_eq!(result?, 2 * n);
    }
    let methods = (0..1_000).map(|n| counter.add_up(n).into_future());
    let mut sum = 0;
    for (n, result) in (0..).zip(join_all(methods).await) {
        sum += n;
        assert_eq!(result?, sum);
    }
    assert_eq!(counter.take().await?, sum);
    Ok(())
}

/// A hundred contexts are open at once, and all of them stream.
async fn contexts(counter: &CounterPortal) -> Result<()> {
    let all_open = &Barrier::new(100);
    let contexts = (0..100).map(|index| async move {
        let block = async |ctx: OpenedContext<u64, u64, u64, Error>, first| -> Result<_> {
            assert_eq!(first, index);
            let mut stream = ctx.open_stream().await?;
            all_open.wait().await;
            assert_eq!(tractor::statistics()?.opened, 100);
            for value in 0..100 {
                stream.send(index + value).await?;
                assert_eq!(stream.next().await?, Some(index + value));
            }
            stream.stop();
            let sum = stream.ctx().result().await?;
            all_open.wait().await;
            Ok(sum)
        };
        counter.open_context(echo(index), block).await
    });
    for (index, sum) in (0..).zip(join_all(contexts).await) {
        assert_eq!(sum?, 100 * index + 4_950);
    }
    Ok(())
}

/// Ten thousand one-way messages arrive, all of them.
async fn casts(counter: &CounterPortal) -> Result<()> {
    for n in 0..10_000 {
        counter.add(n).await?;
    }
    assert_eq!(counter.take().await?, 49_995_000);
    Ok(())
}

/// Everything once; what is in use then, here and there.
async fn round(counter: &CounterPortal) -> Result<[u64; 2]> {
    calls(counter).await?;
    contexts(counter).await?;
    casts(counter).await?;
    signs::until(|| tractor::statistics().is_ok_and(|own| own.opened == 0)).await;
    let (far, there) = counter.run(used()).await?;
    let here = tractor::statistics()?;
    // The question itself is being served.
    let at_rest = Statistics::default();
    let expected = |of: Statistics| (of.opened, of.queued_calls, of.queued_casts);
    assert_eq!(expected(here), expected(at_rest), "{here:?}");
    assert_eq!(expected(there), expected(at_rest), "{there:?}");
    assert_eq!((here.served, there.served), (0, 1));
    assert_eq!((here.late, here.broken, here.values_dropped), (0, 0, 0));
    Ok([COUNTING.live(), far])
}

/// A thousand calls, a hundred contexts with streams, ten thousand one-way messages over one link, twice: all results
/// are right, no slot stays taken, and the second time leaves no more memory in use than the first, on either side.
#[test]
fn many_at_once_leave_nothing_behind() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let spec = Counter::spec().expose(tractor::expose![double, echo, used]);
            let counter = an.start_actor("counter", spec).await?;
            let first = round(&counter).await?;
            let second = round(&counter).await?;
            for (first, second) in first.into_iter().zip(second) {
                assert!(second <= first + SLACK, "{first} bytes, then {second}");
            }
            Ok(())
        })
        .await
    });
}
