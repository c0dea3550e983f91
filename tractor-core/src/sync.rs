//! One import path for what threads share, in two worlds: std's, and loom's under `cfg(tractor_loom)`.
//!
//! The scope tree, the mailbox and the reply slot take their locks, atomics and thread-locals from here and nowhere
//! else, so that loom can walk every interleaving of them. No tokio type may appear in those files. The models run by
//!
//! ```text
//! RUSTFLAGS="--cfg tractor_loom" CARGO_TARGET_DIR=target/loom LOOM_MAX_PREEMPTIONS=3 \
//!     cargo test --release -p tractor-core --lib loom_
//! ```
//!
//! Reference counts stay std's in both worlds: loom has no weak ones, and no invariant rests on the order they give.

#[cfg(not(tractor_loom))]
use std::sync as imp;

#[cfg(tractor_loom)]
use loom::sync as imp;

pub(crate) use imp::MutexGuard;
pub(crate) use imp::atomic;

/// A lock that a panic does not poison: no critical section here calls code that could leave a value half changed.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(imp::Mutex<T>);

impl<T> Mutex<T> {
    /// A lock around `value`.
    pub(crate) fn new(value: T) -> Self {
        Self(imp::Mutex::new(value))
    }

    /// Waits for the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What the models need beside loom itself.
#[cfg(all(test, tractor_loom))]
pub(crate) mod model {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake};

    use loom::sync::Notify;

    struct Parked(Notify);

    impl Wake for Parked {
        fn wake(self: Arc<Self>) {
            self.0.notify();
        }
    }

    /// Polls whenever it is woken; a wake that is missing is a deadlock, which loom reports.
    pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        let parked = Arc::new(Parked(Notify::new()));
        let waker = parked.clone().into();
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            parked.0.wait();
        }
    }
}
