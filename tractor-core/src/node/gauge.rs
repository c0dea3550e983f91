//! A count that can be waited for.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::sync::Mutex;

/// How many of something there are; whoever wants none of them waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: Mutex<usize>,
    empty: Notify,
}

/// One of what is counted.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Shared>);

impl Gauge {
    /// Counts one more, until the guard is dropped.
    pub(crate) fn enter(&self) -> Counted {
        *self.0.count.lock() += 1;
        Counted(self.0.clone())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        *self.0.count.lock()
    }

    /// Waits until there is none.
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped wait changes nothing.
    pub(crate) async fn wait_empty(&self) {
        loop {
            let empty = self.0.empty.notified();
            if *self.0.count.lock() == 0 {
                return;
            }
            empty.await;
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let left = {
            let mut count = self.0.count.lock();
            *count -= 1;
            *count
        };
        if left == 0 {
            self.0.empty.notify_waiters();
        }
    }
}
