//! Time, as a node has it: one [`Clock`] per node, reached through its scope, never global.
//!
//! This is the only place of the runtime that reads a clock or sets a timer. The clock of a running node is
//! [`TokioClock`], so a paused tokio test pauses the node too; tests also have `ManualClock`, moved by hand.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::Handle;
use tractor_ipc::Instant;

/// A wait for a point in time: any executor may poll it, and dropping it forgets the timer.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a node knows of time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present, on this clock's own time line.
    fn now(&self) -> Instant;

    /// Ends at `at`, never before it.
    fn sleep_until(&self, at: Instant) -> Sleep;
}

/// The machine's own time, for threads that belong to no node; its line begins when it is first asked.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where it is read"
)]
pub(crate) fn machine_time() -> Instant {
    static ZERO: OnceLock<std::time::Instant> = OnceLock::new();
    Instant::ZERO + ZERO.get_or_init(std::time::Instant::now).elapsed()
}

/// The clock of a tokio runtime, usable from any thread.
#[derive(Clone)]
pub struct TokioClock {
    handle: Handle,
    zero: tokio::time::Instant,
}

impl TokioClock {
    /// The clock of the runtime behind `handle`; its time line begins now.
    pub fn new(handle: Handle) -> Self {
        let zero = {
            let _inside = handle.enter();
            tokio::time::Instant::now()
        };
        Self { handle, zero }
    }

    /// The clock of the runtime this is called on, if it is called on one.
    pub fn current() -> Option<Self> {
        Handle::try_current().ok().map(Self::new)
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        // A paused runtime shows its own time only to those inside it. A task is; asking is cheaper than entering.
        let _inside = tokio::task::try_id().is_none().then(|| self.handle.enter());
        Instant::ZERO + self.zero.elapsed()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        let _inside = self.handle.enter();
        match self.zero.checked_add(Duration::from_nanos(at.as_nanos())) {
            Some(at) => Box::pin(tokio::time::sleep_until(at)),
            None => Box::pin(std::future::pending()),
        }
    }
}

impl fmt::Debug for TokioClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioClock")
            .field("zero", &self.zero)
            .finish_non_exhaustive()
    }
}

#[cfg(any(test, feature = "testing"))]
pub use manual::ManualClock;

#[cfg(any(test, feature = "testing"))]
mod manual {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use tractor_ipc::Instant;

    use super::{Clock, Sleep};

    /// A clock that stands still until a test moves it.
    #[derive(Clone, Debug, Default)]
    pub struct ManualClock(Arc<Mutex<Face>>);

    #[derive(Debug, Default)]
    struct Face {
        now: Instant,
        sleepers: Vec<(Instant, Waker)>,
    }

    impl ManualClock {
        /// A clock that shows zero.
        pub fn new() -> Self {
            Self::default()
        }

        /// Moves time on by `span` and wakes whoever waited for a point up to there, earliest first.
        pub fn advance(&self, span: Duration) {
            let mut due: Vec<(Instant, Waker)> = {
                let mut face = self.face();
                face.now = face.now + span;
                let now = face.now;
                face.sleepers.extract_if(.., |(at, _)| *at <= now).collect()
            };
            due.sort_by_key(|(at, _)| *at);
            due.into_iter().for_each(|(_, waker)| waker.wake());
        }

        /// The earliest point anybody waits for.
        pub fn next_alarm(&self) -> Option<Instant> {
            self.face().sleepers.iter().map(|(at, _)| *at).min()
        }

        fn face(&self) -> MutexGuard<'_, Face> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> Instant {
            self.face().now
        }

        fn sleep_until(&self, at: Instant) -> Sleep {
            Box::pin(Alarm {
                clock: self.clone(),
                at,
            })
        }
    }

    /// Every poll adds a waker; the list is cleared as time passes, which is enough for a test.
    struct Alarm {
        clock: ManualClock,
        at: Instant,
    }

    impl Future for Alarm {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let mut face = self.clock.face();
            if face.now >= self.at {
                return Poll::Ready(());
            }
            let known = face
                .sleepers
                .iter()
                .any(|(at, w)| *at == self.at && w.will_wake(cx.waker()));
            if !known {
                face.sleepers.push((self.at, cx.waker().clone()));
            }
            Poll::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_runtime_pauses_the_clock_for_other_threads_too() {
        let clock = TokioClock::current().unwrap();
        assert_eq!(clock.now(), Instant::ZERO);
        tokio::time::advance(Duration::from_secs(3)).await;
        let elsewhere = clock.clone();
        let seen = std::thread::spawn(move || elsewhere.now()).join().unwrap();
        assert_eq!(seen, Instant::ZERO + Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_made_off_the_runtime_ends_there_too() {
        let clock = TokioClock::current().unwrap();
        let at = clock.now() + Duration::from_millis(70);
        let elsewhere = clock.clone();
        let sleep = std::thread::spawn(move || elsewhere.sleep_until(at))
            .join()
            .unwrap();
        sleep.await;
        assert_eq!(clock.now(), at);
    }

    #[test]
    fn a_runtime_is_needed() {
        assert!(TokioClock::current().is_none());
    }

    #[tokio::test]
    async fn the_end_of_the_time_line_is_far_away() {
        let clock = TokioClock::current().unwrap();
        let mut sleep = clock.sleep_until(Instant::from_nanos(u64::MAX));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
    }

    #[test]
    fn a_manual_clock_moves_by_hand_alone() {
        let clock = ManualClock::new();
        let at = Instant::ZERO + Duration::from_secs(1);
        let mut sleep = std::pin::pin!(clock.sleep_until(at));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        assert_eq!(clock.next_alarm(), Some(at));
        clock.advance(Duration::from_millis(999));
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        clock.advance(Duration::from_millis(1));
        assert!(sleep.as_mut().poll(&mut cx).is_ready());
        assert_eq!(clock.next_alarm(), None);
    }
}
