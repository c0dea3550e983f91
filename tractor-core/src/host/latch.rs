//! A value that is set once and seen by every waiter, on an executor or on a plain thread.
//!
//! Needs no runtime: the guardian's connection is read by a thread of its own, which must be able to wake a future of any
//! executor as well as the reaper's thread. It must never call a waker while it holds its lock.

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

/// A set-once value with any number of waiters; cloning gives another handle to the same one.
pub struct Latch<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    threads: Condvar,
}

enum State<T> {
    /// Not set yet; one waker per future that waits, bounded by the number of those futures.
    Waiting {
        next: u64,
        wakers: Vec<(u64, Waker)>,
    },
    Set(T),
}

impl<T: Clone> Latch<T> {
    /// A latch that is not set.
    pub fn new() -> Self {
        let state = Mutex::new(State::Waiting {
            next: 0,
            wakers: Vec::new(),
        });
        Self {
            shared: Arc::new(Shared {
                state,
                threads: Condvar::new(),
            }),
        }
    }

    /// Sets it and wakes everybody; `false` if it was set before, which then stays.
    pub fn set(&self, value: T) -> bool {
        let wakers = {
            let mut state = self.lock();
            match &mut *state {
                State::Set(_) => return false,
                State::Waiting { wakers, .. } => {
                    let wakers = std::mem::take(wakers);
                    *state = State::Set(value);
                    wakers
                }
            }
        };
        self.shared.threads.notify_all();
        for (_, waker) in wakers {
            waker.wake();
        }
        true
    }

    /// The value, if it is set.
    pub fn peek(&self) -> Option<T> {
        match &*self.lock() {
            State::Set(value) => Some(value.clone()),
            State::Waiting { .. } => None,
        }
    }

    /// Waits for the value.
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped wait takes its waker with it and changes nothing else.
    pub fn wait(&self) -> impl Future<Output = T> + Send + use<T>
    where
        T: Send,
    {
        let mut place = Place {
            latch: self.clone(),
            key: None,
        };
        poll_fn(move |cx| place.poll(cx.waker()))
    }

    /// Blocks this thread until the value is there, at most `within`.
    pub fn wait_blocking(&self, within: Duration) -> Option<T> {
        let unset = |state: &mut State<T>| matches!(state, State::Waiting { .. });
        let waited = self
            .shared
            .threads
            .wait_timeout_while(self.lock(), within, unset);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Set(value) => Some(value.clone()),
            State::Waiting { .. } => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Default for Latch<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Latch<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T: Clone + fmt::Debug> fmt::Debug for Latch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Latch").field(&self.peek()).finish()
    }
}

/// One future's place among the waiters.
struct Place<T: Clone> {
    latch: Latch<T>,
    key: Option<u64>,
}

impl<T: Clone> Place<T> {
    fn poll(&mut self, waker: &Waker) -> Poll<T> {
        match &mut *self.latch.lock() {
            State::Set(value) => Poll::Ready(value.clone()),
            State::Waiting { next, wakers } => {
                let key = *self.key.get_or_insert_with(|| {
                    *next += 1;
                    *next
                });
                match wakers.iter_mut().find(|(at, _)| *at == key) {
                    Some((_, old)) => old.clone_from(waker),
                    None => wakers.push((key, waker.clone())),
                }
                Poll::Pending
            }
        }
    }
}

impl<T: Clone> Drop for Place<T> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let gone = match &mut *self.latch.lock() {
            State::Set(_) => None,
            State::Waiting { wakers, .. } => {
                let at = wakers.iter().position(|(at, _)| *at == key);
                at.map(|at| wakers.swap_remove(at))
            }
        };
        drop(gone); // a waker's drop is foreign code: not under the lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// HOST-1: threads and futures of any executor all see the one value, and the first value stays.
    #[test]
    fn every_waiter_sees_the_first_value() {
        let latch = Latch::new();
        let counter = Arc::new(Counter(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&counter));
        let mut cx = Context::from_waker(&waker);
        let mut first = pin!(latch.wait());
        let mut second = pin!(latch.wait());
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(second.as_mut().poll(&mut cx).is_pending());
        let blocked = {
            let latch = latch.clone();
            std::thread::spawn(move || latch.wait_blocking(Duration::from_secs(30)))
        };
        assert!(latch.set(7));
        assert!(!latch.set(8));
        assert_eq!(counter.0.load(Ordering::SeqCst), 2);
        assert_eq!(first.poll(&mut cx), Poll::Ready(7));
        assert_eq!(second.poll(&mut cx), Poll::Ready(7));
        assert_eq!(blocked.join().unwrap(), Some(7));
        assert_eq!(latch.peek(), Some(7));
    }

    #[test]
    fn a_dropped_wait_leaves_no_waker_behind() {
        let latch = Latch::<u8>::new();
        let counter = Arc::new(Counter(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&counter));
        let mut cx = Context::from_waker(&waker);
        {
            let mut wait = pin!(latch.wait());
            assert!(wait.as_mut().poll(&mut cx).is_pending());
        }
        assert!(latch.set(1));
        assert_eq!(counter.0.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_blocked_thread_gives_up_in_time() {
        let latch = Latch::<u8>::new();
        assert_eq!(latch.wait_blocking(Duration::from_millis(1)), None);
    }
}
