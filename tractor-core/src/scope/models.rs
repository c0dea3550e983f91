//! The scope tree in every interleaving of who cancels, who waits and who is let finish.

use std::future::pending;

use loom::thread;
use tractor_ipc::ActorName;

use super::*;
use crate::clock::ManualClock;
use crate::sync::model::block_on;

fn root() -> Scope {
    let me = ActorId::from_parts(ActorName::new("me").unwrap(), uuid::Uuid::nil());
    Scope::root(Arc::new(ManualClock::new()), me)
}

fn cancellation(scope: &Scope, reason: CancelReason) -> Cancellation {
    Cancellation {
        canceller: scope.me().clone(),
        reason,
    }
}

fn cancel(scope: &Scope) -> bool {
    scope.cancel(cancellation(scope, CancelReason::User))
}

/// `SCOPE-2`.
#[test]
fn loom_a_cancel_and_a_future_that_begins_to_wait() {
    loom::model(|| {
        let scope = root();
        let theirs = scope.clone();
        let thread = thread::spawn(move || cancel(&theirs));
        assert!(block_on(scope.run(pending::<()>())).is_err());
        assert!(thread.join().unwrap());
    });
}

/// `SCOPE-1`, `SCOPE-2`: the scopes in between are made while the cancel is on its way down.
#[test]
fn loom_a_cancel_and_scopes_that_are_being_made() {
    loom::model(|| {
        let top = root();
        let theirs = top.clone();
        let thread = thread::spawn(move || cancel(&theirs));
        assert!(block_on(top.child().child().run(pending::<()>())).is_err());
        assert!(thread.join().unwrap());
        assert_eq!((top.0.children(), top.0.waiting()), (0, 0));
    });
}

/// `SCOPE-2`, `SCOPE-7`: the inner one leaves the catching to the outer one, and the outer one must be woken for it.
#[test]
fn loom_a_cancel_and_a_scope_in_a_scope() {
    loom::model(|| {
        let outer = root();
        let inner = outer.child();
        let theirs = outer.clone();
        let thread = thread::spawn(move || cancel(&theirs));
        let cut = block_on(outer.run(inner.run(pending::<()>())));
        assert!(cut.is_err());
        thread.join().unwrap();
    });
}

/// `SCOPE-1`.
#[test]
fn loom_two_cancels_race_and_the_first_stands() {
    loom::model(|| {
        let scope = root();
        let theirs = scope.clone();
        let thread = thread::spawn(move || cancel(&theirs));
        let mine = scope.cancel(cancellation(&scope, CancelReason::Requested));
        let seen = scope.cancellation().map(|it| it.reason);
        let other = thread.join().unwrap();
        assert!(mine != other);
        let expected = if mine {
            CancelReason::Requested
        } else {
            CancelReason::User
        };
        assert_eq!(seen, Some(expected));
    });
}

/// `SCOPE-4`: the last aware node goes on another thread while the cancel comes from a third.
#[test]
fn loom_a_cancel_and_the_last_aware_node() {
    loom::model(|| {
        let scope = root();
        let guard = scope.aware();
        let theirs = scope.clone();
        let goes = thread::spawn(move || drop(guard));
        let cancels = thread::spawn(move || cancel(&theirs));
        assert!(block_on(scope.run(pending::<()>())).is_err());
        goes.join().unwrap();
        cancels.join().unwrap();
        assert_eq!(scope.aware_count(), 0);
    });
}

/// `SCOPE-4`: it is counted before the cancel, so the future is there when the node goes.
#[test]
fn loom_an_aware_node_is_waited_for() {
    loom::model(|| {
        let scope = root();
        let guard = scope.child().aware();
        let gone = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let theirs = (scope.clone(), gone.clone());
        let goes = thread::spawn(move || {
            cancel(&theirs.0);
            theirs.1.store(true, std::sync::atomic::Ordering::SeqCst);
            drop(guard);
        });
        assert!(block_on(scope.run(pending::<()>())).is_err());
        assert!(gone.load(std::sync::atomic::Ordering::SeqCst));
        goes.join().unwrap();
    });
}

/// `SCOPE-2`.
#[test]
fn loom_a_cancel_and_somebody_who_only_waits_for_it() {
    loom::model(|| {
        let scope = root();
        let theirs = scope.child();
        let thread = thread::spawn(move || block_on(theirs.cancelled()));
        assert!(cancel(&scope));
        assert_eq!(thread.join().unwrap().reason, CancelReason::User);
    });
}

/// `SCOPE-2`: a future that goes while it is being woken.
#[test]
fn loom_a_cancel_and_a_future_that_is_dropped() {
    loom::model(|| {
        let scope = root();
        let theirs = scope.clone();
        let thread = thread::spawn(move || {
            let mut run = std::pin::pin!(theirs.child().run(pending::<()>()));
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            let _ended = run.as_mut().poll(&mut cx);
        });
        assert!(cancel(&scope));
        thread.join().unwrap();
        assert_eq!(scope.0.children(), 0);
    });
}

/// `SCOPE-2`: both have the scopes in between known to the top, at once.
#[test]
fn loom_a_cancel_and_two_who_begin_to_wait_below() {
    loom::model(|| {
        let top = root();
        let below = top.child().child();
        let theirs = below.clone();
        let waits = thread::spawn(move || block_on(theirs.cancelled()));
        let cancels = {
            let top = top.clone();
            thread::spawn(move || cancel(&top))
        };
        assert_eq!(block_on(below.cancelled()).reason, CancelReason::User);
        assert_eq!(waits.join().unwrap().reason, CancelReason::User);
        assert!(cancels.join().unwrap());
        drop(below);
        assert_eq!(top.0.children(), 0);
    });
}
