//! What unwinds, in which order, and who catches.

use futures_util::future::join_all;

use super::*;

type Log = Rc<RefCell<Vec<String>>>;

fn note(log: &Log, what: impl Into<String>) {
    log.borrow_mut().push(what.into());
}

/// Waits for `n` polls.
async fn polls(mut n: usize) {
    poll_fn(|_| {
        if n == 0 {
            return Poll::Ready(());
        }
        n -= 1;
        Poll::Pending
    })
    .await;
}

/// Polls until it ends; says after how many polls.
fn drive<F: Future>(mut future: Pin<&mut F>) -> (usize, F::Output) {
    for n in 1..1000 {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return (n, output);
        }
    }
    panic!("it does not end");
}

/// `SCOPE-5`.
#[test]
fn cleanups_run_innermost_first_and_are_waited_for() {
    let root = root();
    let log = Log::default();
    let mut run = pin!(root.run(async {
        let scope = Scope::current().unwrap();
        let outer = scope.finally(
            async {
                let scope = Scope::current().unwrap();
                let inner = scope.finally(
                    pending::<()>(),
                    async |cut| {
                        assert_eq!(cut, None);
                        polls(3).await;
                        note(&log, "inner");
                    },
                    ms(9),
                );
                inner.await.unwrap();
                pending::<()>().await;
            },
            |_| async {
                polls(2).await;
                note(&log, "outer");
            },
            ms(9),
        );
        outer.await.unwrap();
        note(&log, "up to the next await");
        pending::<()>().await;
        note(&log, "never");
    }));
    assert!(poll(run.as_mut()).is_pending());
    assert_eq!(root.aware_count(), 2);
    root.cancel(by(CancelReason::User));
    assert_eq!(drive(run.as_mut()).1, Err(by(CancelReason::User)));
    assert_eq!(*log.borrow(), ["inner", "outer", "up to the next await"]);
    assert_eq!(
        (root.aware_count(), root.0.waiting(), root.0.children()),
        (0, 0, 0)
    );
}

/// `SCOPE-5`.
#[test]
fn joined_cleanups_all_run() {
    let root = root();
    let log = Log::default();
    let mut run = pin!(root.run(join_all((0..4).map(|n| {
        let (log, scope) = (log.clone(), root.clone());
        async move {
            let cleanup = |_| async {
                polls(n).await;
                note(&log, n.to_string());
            };
            scope.finally(pending::<()>(), cleanup, ms(9)).await
        }
    }))));
    assert!(poll(run.as_mut()).is_pending());
    root.cancel(by(CancelReason::User));
    let (_, outcome) = drive(run.as_mut());
    assert_eq!(
        outcome.unwrap().len(),
        4,
        "all four were through, so there was nothing to cut"
    );
    log.borrow_mut().sort();
    assert_eq!(*log.borrow(), ["0", "1", "2", "3"]);
}

#[test]
fn a_cleanup_sees_what_its_body_returned() {
    let root = root();
    let mut all = pin!(root.finally(async { 7 }, async |output| output, ms(9)));
    assert_eq!(poll(all.as_mut()), Poll::Ready(Ok(Some(7))));
    assert_eq!(root.aware_count(), 0);
}

/// `SCOPE-4`.
#[test]
fn a_future_is_kept_while_somebody_aware_is_inside() {
    let root = root();
    let outer = root.child();
    let inner = outer.child();
    let behind = shield(&inner);
    let mut run = pin!(outer.run(inner.run(pending::<()>())));
    assert!(poll(run.as_mut()).is_pending());
    let guard = behind.aware();
    for scope in [&root, &outer, &inner, &behind] {
        assert_eq!(scope.aware_count(), 1);
    }
    outer.cancel(by(CancelReason::User));
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    for _ in 0..3 {
        assert!(run.as_mut().poll(&mut cx).is_pending());
    }
    count.take();
    drop(guard);
    assert!(count.take() > 0, "the last one out wakes");
    assert_eq!(
        run.as_mut().poll(&mut cx),
        Poll::Ready(Err(by(CancelReason::User)))
    );
}

/// `SCOPE-7`.
#[test]
fn the_outermost_cancelled_scope_catches() {
    let root = root();
    let outer = root.child();
    let inner = outer.child();
    let log = Log::default();
    let mut run = pin!(outer.run(async {
        let caught = Scope::current()
            .unwrap()
            .child()
            .run(inner.run(pending::<()>()))
            .await;
        note(&log, format!("{caught:?}"));
        pending::<()>().await;
    }));
    assert!(poll(run.as_mut()).is_pending());
    inner.cancel(by(CancelReason::Failure));
    assert!(poll(run.as_mut()).is_pending());
    assert_eq!(log.borrow().len(), 1, "a scope of its own catches its own");

    let outer = root.child();
    let inner = outer.child();
    let mut run = pin!(outer.run(async {
        let caught = inner.run(pending::<()>()).await;
        note(&log, format!("{caught:?}"));
    }));
    assert!(poll(run.as_mut()).is_pending());
    inner.cancel(by(CancelReason::Failure));
    outer.cancel(by(CancelReason::User));
    assert_eq!(drive(run.as_mut()).1, Err(by(CancelReason::User)));
    assert_eq!(log.borrow().len(), 1, "the inner one stayed silent");
}

/// `SCOPE-7`.
#[test]
fn a_task_of_its_own_catches_the_cancellation_of_scopes_above() {
    let root = root();
    let mut task = pin!(root.child().run(pending::<()>()));
    let mut carried = pin!(root.inherit(root.child().run(pending::<()>())));
    assert!(poll(task.as_mut()).is_pending());
    assert!(poll(carried.as_mut()).is_pending());
    root.cancel(by(CancelReason::User));
    assert_eq!(
        poll(task.as_mut()),
        Poll::Ready(Err(by(CancelReason::User)))
    );
    assert_eq!(
        poll(carried.as_mut()),
        Poll::Ready(Err(by(CancelReason::User)))
    );
}

/// `SCOPE-7`: were it silent, its owner would wait for ever.
#[test]
fn a_shield_catches_its_own_deadline_inside_a_cancelled_scope() {
    let (root, clock) = timed_root();
    let log = Log::default();
    let mut run = pin!(root.run(async {
        let cut = root
            .finally(pending::<()>(), |_| pending::<()>(), ms(30))
            .await;
        note(&log, format!("{:?}", cut.unwrap_err().reason));
        pending::<()>().await;
    }));
    assert!(poll(run.as_mut()).is_pending());
    root.cancel(by(CancelReason::User));
    assert!(poll(run.as_mut()).is_pending());
    clock.advance(ms(29));
    assert!(poll(run.as_mut()).is_pending());
    clock.advance(ms(1));
    assert_eq!(poll(run.as_mut()), Poll::Ready(Err(by(CancelReason::User))));
    assert_eq!(*log.borrow(), ["Deadline"]);
}

#[test]
fn a_shield_holds_off_what_is_outside_and_the_scope_waits_for_it() {
    let (root, clock) = timed_root();
    let scope = with_deadline(&root, 20);
    let mut run = pin!(scope.run(async {
        let sleep = root.clock().sleep_until(at(60));
        let done = scope.shielded(ms(100), sleep).await;
        assert_eq!(done, Ok(()));
        pending::<()>().await;
    }));
    assert!(poll(run.as_mut()).is_pending());
    clock.advance(ms(59));
    assert!(poll(run.as_mut()).is_pending());
    assert!(scope.is_cancelled());
    clock.advance(ms(1));
    assert_eq!(
        poll(run.as_mut()),
        Poll::Ready(Err(by(CancelReason::Deadline)))
    );
}

/// `SCOPE-5`.
#[test]
fn a_parent_cancelled_while_its_children_unwind_waits_for_them() {
    let root = root();
    let outer = root.child();
    let inner = outer.child();
    let log = Log::default();
    let mut run = pin!(outer.run(async {
        let unwound = inner.run(async {
            let cleanup = |_| async {
                polls(5).await;
                note(&log, "cleaned");
            };
            inner
                .finally(pending::<()>(), cleanup, ms(9))
                .await
                .unwrap();
            pending::<()>().await;
        });
        unwound.await.unwrap_err();
        note(&log, "after");
        pending::<()>().await;
    }));
    assert!(poll(run.as_mut()).is_pending());
    inner.cancel(by(CancelReason::Failure));
    assert!(poll(run.as_mut()).is_pending());
    assert!(poll(run.as_mut()).is_pending());
    outer.cancel(by(CancelReason::User));
    assert_eq!(drive(run.as_mut()).1, Err(by(CancelReason::User)));
    assert_eq!(*log.borrow(), ["cleaned"]);
}

#[test]
fn a_drop_from_outside_gives_everything_back() {
    let (root, _clock) = timed_root();
    let outer = with_deadline(&root, 50);
    let dropped = Rc::new(RefCell::new(0));
    {
        let mut run = pin!(outer.run(async {
            let _count = OnDrop(|| *dropped.borrow_mut() += 1);
            let cleanup = |_| pending::<()>();
            outer
                .finally(outer.child().run(pending::<()>()), cleanup, ms(9))
                .await
        }));
        assert!(poll(run.as_mut()).is_pending());
        assert_eq!(root.aware_count(), 1);
        root.cancel(by(CancelReason::User));
        assert!(poll(run.as_mut()).is_pending());
    }
    assert_eq!(*dropped.borrow(), 1);
    for scope in [&root, &outer] {
        assert_eq!((scope.aware_count(), scope.0.waiting()), (0, 0));
    }
    assert_eq!(outer.0.children(), 0);
}
