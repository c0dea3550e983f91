//! The scopes' promises, one by one, on a clock moved by hand and polled by hand.

mod fuzz;
mod threads;
mod unwinding;

use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tractor_ipc::ActorName;

use super::*;
use crate::clock::ManualClock;

fn me() -> ActorId {
    ActorId::from_parts(ActorName::new("me").unwrap(), uuid::Uuid::nil())
}

fn by(reason: CancelReason) -> Cancellation {
    Cancellation {
        canceller: me(),
        reason,
    }
}

fn root() -> Scope {
    timed_root().0
}

fn timed_root() -> (Scope, ManualClock) {
    let clock = ManualClock::new();
    (Scope::root(Arc::new(clock.clone()), me()), clock)
}

fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn with_deadline(parent: &Scope, millis: u64) -> Scope {
    parent.child_with(ScopeOptions {
        deadline: Some(at(millis)),
        ..ScopeOptions::default()
    })
}

fn shield(parent: &Scope) -> Scope {
    parent.child_with(ScopeOptions {
        shield: true,
        ..ScopeOptions::default()
    })
}

/// Polls once, with a waker that does nothing.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (count.clone(), count.into())
    }

    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// Runs a closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// `SCOPE-1`.
#[test]
fn the_first_cancel_stands_and_reaches_down_to_shields() {
    let root = root();
    let middle = root.child();
    let inner = middle.child();
    let behind = shield(&inner);
    let below = behind.child();
    assert_eq!(inner.cancellation(), None);

    assert!(middle.cancel(by(CancelReason::User)));
    assert!(!middle.cancel(by(CancelReason::Requested)));
    assert_eq!(middle.cancel_called(), Some(by(CancelReason::User)));
    assert_eq!(inner.cancellation(), Some(by(CancelReason::User)));
    assert_eq!(inner.cancel_called(), None);
    assert!(!root.is_cancelled() && !behind.is_cancelled() && !below.is_cancelled());
    assert!(middle.child().is_cancelled(), "one made later, too");

    assert!(inner.cancel(by(CancelReason::Failure)));
    assert_eq!(
        inner.cancellation(),
        Some(by(CancelReason::Failure)),
        "its own comes first"
    );
    assert!(behind.cancel(by(CancelReason::LinkLost)));
    assert_eq!(below.cancellation(), Some(by(CancelReason::LinkLost)));
}

#[test]
fn what_ends_before_it_waits_is_never_cut() {
    let root = root();
    root.cancel(by(CancelReason::User));
    let mut run = pin!(root.run(async { 7 }));
    assert_eq!(poll(run.as_mut()), Poll::Ready(Ok(7)));
    let mut late = pin!(with_deadline(&root, 0).run(async { 8 }));
    assert_eq!(poll(late.as_mut()), Poll::Ready(Ok(8)));
}

#[test]
fn a_cancel_drops_the_future_at_its_next_await_inside_its_scope() {
    let root = root();
    let scope = root.child_with(ScopeOptions {
        ambient: Some(Arc::new("mine")),
        ..ScopeOptions::default()
    });
    let seen = RefCell::new(Vec::new());
    let note = |what: &'static str| {
        let here = Scope::current().and_then(|scope| scope.ambient::<&str>());
        seen.borrow_mut()
            .push((what, here.as_deref() == Some(&"mine")));
    };
    let mut run = pin!(scope.run(async {
        let _dropped = OnDrop(|| note("dropped"));
        note("polled");
        poll_fn(|_| Poll::<()>::Pending).await;
        note("never");
    }));
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    assert!(run.as_mut().poll(&mut cx).is_pending());
    assert_eq!(count.take(), 0);
    scope.cancel(by(CancelReason::User));
    assert_eq!(count.take(), 1);
    assert_eq!(
        run.as_mut().poll(&mut cx),
        Poll::Ready(Err(by(CancelReason::User)))
    );
    assert_eq!(*seen.borrow(), [("polled", true), ("dropped", true)]);
    assert!(Scope::current().is_none());
}

/// `SCOPE-8`.
#[test]
fn the_current_scope_is_put_back_across_a_panic() {
    let root = root();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut run = pin!(root.run(root.child().run(async { panic!("on purpose") })));
        let _never = poll(run.as_mut());
    }));
    assert!(outcome.is_err());
    assert!(Scope::current().is_none());
    let mut run = pin!(root.run(async { Scope::current().is_some() }));
    assert_eq!(poll(run.as_mut()), Poll::Ready(Ok(true)));
    assert!(Scope::current().is_none());
}

/// `SCOPE-3`.
#[test]
fn the_innermost_are_woken_first() {
    struct Name(u32, Arc<Mutex<Vec<u32>>>);
    impl Wake for Name {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut runs: Vec<Pin<Box<Run<std::future::Pending<()>>>>> = Vec::new();
    let top = root().child();
    let mut scope = top.clone();
    for depth in 0..5 {
        for scope in [&scope.child(), &scope] {
            let mut run = Box::pin(scope.run(pending()));
            let waker = Waker::from(Arc::new(Name(depth, order.clone())));
            assert!(
                run.as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
            runs.push(run);
        }
        scope = scope.child();
    }
    top.cancel(by(CancelReason::User));
    let order = order.lock().unwrap();
    assert_eq!(order.len(), 10);
    let (last, before) = order.split_last().unwrap();
    assert_eq!(*last, 0);
    let first_of = |depth| before.iter().position(|d| *d == depth).unwrap();
    assert!((1..4).all(|depth| first_of(depth + 1) < first_of(depth)));
}

#[test]
fn several_futures_run_in_one_scope_and_several_wait_for_it() {
    let scope = root();
    let mut runs: Vec<_> = (0..5)
        .map(|_| Box::pin(scope.run(pending::<()>())))
        .collect();
    let mut waits: Vec<_> = (0..5).map(|_| Box::pin(scope.cancelled())).collect();
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    for _ in 0..3 {
        assert!(
            runs.iter_mut()
                .all(|run| run.as_mut().poll(&mut cx).is_pending())
        );
        assert!(
            waits
                .iter_mut()
                .all(|wait| wait.as_mut().poll(&mut cx).is_pending())
        );
    }
    drop(runs.remove(2));
    drop(waits.remove(2));
    assert_eq!(scope.0.waiting(), 8);
    scope.cancel(by(CancelReason::User));
    assert_eq!(count.take(), 8);
    for mut run in runs {
        assert!(run.as_mut().poll(&mut cx).is_ready());
    }
    for mut wait in waits {
        assert_eq!(
            wait.as_mut().poll(&mut cx),
            Poll::Ready(by(CancelReason::User))
        );
    }
    assert_eq!(scope.0.waiting(), 0);
}

#[test]
fn a_future_that_moves_to_another_task_is_woken_there() {
    let scope = root();
    let mut run = pin!(scope.run(pending::<()>()));
    let ((first, one), (second, two)) = (Count::new(), Count::new());
    assert!(
        run.as_mut()
            .poll(&mut Context::from_waker(&one))
            .is_pending()
    );
    assert!(
        run.as_mut()
            .poll(&mut Context::from_waker(&two))
            .is_pending()
    );
    scope.cancel(by(CancelReason::User));
    assert_eq!((first.take(), second.take()), (0, 1));
}

/// `SCOPE-6`.
#[test]
fn a_deadline_cuts_at_its_instant_and_never_before() {
    let (root, clock) = timed_root();
    let scope = with_deadline(&root, 50);
    let mut run = pin!(scope.run(pending::<()>()));
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    assert!(run.as_mut().poll(&mut cx).is_pending());
    clock.advance(ms(49));
    assert_eq!(count.take(), 0);
    assert!(run.as_mut().poll(&mut cx).is_pending());
    clock.advance(ms(1));
    assert_eq!(count.take(), 1);
    assert_eq!(
        run.as_mut().poll(&mut cx),
        Poll::Ready(Err(by(CancelReason::Deadline)))
    );
    assert_eq!(scope.cancel_called(), Some(by(CancelReason::Deadline)));
    assert!(!root.is_cancelled());
}

/// `SCOPE-6`.
#[test]
fn work_that_does_not_wait_sets_no_timer() {
    let (root, clock) = timed_root();
    let scope = with_deadline(&root, 50);
    let mut run = pin!(scope.run(async { 1 }));
    assert!(poll(run.as_mut()).is_ready());
    assert_eq!(clock.next_alarm(), None);
    let mut passed = pin!(with_deadline(&root, 0).run(pending::<()>()));
    assert!(
        poll(passed.as_mut()).is_ready(),
        "a deadline that has passed cuts the first wait"
    );
    assert_eq!(clock.next_alarm(), None);
}

/// `SCOPE-6`.
#[test]
fn a_deadline_can_be_moved_both_ways_and_taken_away() {
    let (root, clock) = timed_root();
    let scope = with_deadline(&root, 50);
    let mut run = pin!(scope.run(pending::<()>()));
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    assert!(run.as_mut().poll(&mut cx).is_pending());
    scope.set_deadline(Some(at(80)));
    assert_eq!(count.take(), 1);
    clock.advance(ms(60));
    assert!(run.as_mut().poll(&mut cx).is_pending());
    scope.set_deadline(None);
    clock.advance(ms(60));
    assert!(run.as_mut().poll(&mut cx).is_pending());
    count.take();
    scope.set_deadline(Some(at(130)));
    assert_eq!(count.take(), 1);
    assert!(run.as_mut().poll(&mut cx).is_pending());
    scope.set_deadline(Some(at(125)));
    assert!(run.as_mut().poll(&mut cx).is_pending());
    clock.advance(ms(5));
    assert!(run.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn a_deadline_reaches_in_to_the_nearest_shield() {
    let root = root();
    let outer = with_deadline(&root, 50);
    assert_eq!(outer.child().deadline(), Some(at(50)));
    assert_eq!(with_deadline(&outer, 70).deadline(), Some(at(50)));
    assert_eq!(with_deadline(&outer, 20).child().deadline(), Some(at(20)));
    assert_eq!(shield(&outer).child().deadline(), None);
    let options = ScopeOptions {
        shield: true,
        deadline: Some(at(90)),
        ..ScopeOptions::default()
    };
    assert_eq!(outer.child_with(options).child().deadline(), Some(at(90)));
}

#[test]
fn the_nearest_ambient_of_the_type_is_found() {
    let of = |scope: &Scope, value: Arc<dyn Any + Send + Sync>| {
        scope.child_with(ScopeOptions {
            ambient: Some(value),
            ..ScopeOptions::default()
        })
    };
    let number = of(&root(), Arc::new(1_u32));
    let text = of(&shield(&number), Arc::new("text"));
    let inner = of(&text, Arc::new(2_u32)).child();
    assert_eq!(inner.ambient::<u32>().as_deref(), Some(&2));
    assert_eq!(text.ambient::<u32>().as_deref(), Some(&1));
    assert_eq!(inner.ambient::<&str>().as_deref(), Some(&"text"));
    assert_eq!(inner.ambient::<u64>(), None);
    assert_eq!(inner.me(), &me());
}

#[test]
fn inherit_and_enter_carry_the_scope_and_cut_nothing() {
    let root = root();
    let mut carried = pin!(root.enter(|| {
        inherit(async {
            let scope = Scope::current().unwrap();
            scope.cancelled().await;
            checkpoint()
        })
    }));
    assert!(poll(carried.as_mut()).is_pending());
    root.cancel(by(CancelReason::User));
    assert_eq!(
        poll(carried.as_mut()),
        Poll::Ready(Checkpoint::Cancelled(by(CancelReason::User)))
    );
    assert!(Scope::current().is_none());
    assert_eq!(checkpoint(), Checkpoint::Clear);
    assert!(root.enter(|| Scope::current().unwrap().is_cancelled()));
    let mut given = pin!(root.inherit(async { Scope::current().is_some() }));
    assert_eq!(poll(given.as_mut()), Poll::Ready(true));
    let mut plain = pin!(inherit(async { Scope::current().is_none() }));
    assert_eq!(poll(plain.as_mut()), Poll::Ready(true));
}

#[test]
fn a_checkpoint_says_whether_somebody_will_drop_us() {
    let root = root();
    let mut run = pin!(root.run(poll_fn(|_| {
        let before = checkpoint();
        root.cancel(by(CancelReason::User));
        Poll::Ready((before, checkpoint()))
    })));
    assert_eq!(
        poll(run.as_mut()),
        Poll::Ready(Ok((Checkpoint::Clear, Checkpoint::Unwinding)))
    );
}

#[test]
fn scopes_that_end_leave_nothing_at_their_parent() {
    let root = root();
    let parent = root.child();
    for _ in 0..100 {
        let children: Vec<_> = (0..10).map(|_| parent.child()).collect();
        assert_eq!(parent.0.children(), 0, "nobody waits in one yet");
        let mut runs: Vec<_> = children
            .iter()
            .flat_map(|scope| [scope.run(pending::<()>()), shield(scope).run(pending())])
            .map(Box::pin)
            .collect();
        assert!(runs.iter_mut().all(|run| poll(run.as_mut()).is_pending()));
        assert_eq!((root.0.children(), parent.0.children()), (1, 10));
        drop(children);
        assert_eq!(parent.0.children(), 10);
    }
    assert_eq!(parent.0.children(), 0);
    drop(parent);
    assert_eq!(root.0.children(), 0);
}
