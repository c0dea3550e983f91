//! Scopes cancelled from other threads. Every interleaving of the small cases is loom's (`models.rs`); this is the crowd.

use std::sync::Barrier;

use super::*;

const ROUNDS: usize = 300;

fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// `SCOPE-2`.
#[test]
fn a_cancel_from_another_thread_is_never_missed() {
    let top = root();
    let barrier = Arc::new(Barrier::new(2));
    let (scopes, cancels) = std::sync::mpsc::sync_channel::<Scope>(1);
    let theirs = barrier.clone();
    let canceller = std::thread::spawn(move || {
        for scope in cancels {
            theirs.wait();
            assert!(scope.cancel(by(CancelReason::User)));
        }
    });
    for _ in 0..ROUNDS {
        let scope = top.child();
        scopes.send(scope.clone()).unwrap();
        let barrier = barrier.clone();
        let cut = block_on(async move {
            barrier.wait();
            // Made while the cancel is on its way.
            scope
                .run(scope.child().run(scope.child().run(pending::<()>())))
                .await
        });
        assert!(matches!(cut, Err(cut) if cut == by(CancelReason::User)));
    }
    drop(scopes);
    canceller.join().unwrap();
    assert_eq!((top.0.children(), top.0.waiting()), (0, 0));
}

/// `SCOPE-4`: the aware node lives in another task, as a nursery in an inherited one does.
#[test]
fn the_last_aware_node_to_go_wakes_the_scope_across_threads() {
    let top = root();
    for _ in 0..ROUNDS {
        let scope = top.child();
        let guard = scope.child().aware();
        let barrier = Arc::new(Barrier::new(3));
        std::thread::scope(|threads| {
            threads.spawn(|| {
                barrier.wait();
                drop(guard);
            });
            threads.spawn(|| {
                barrier.wait();
                scope.cancel(by(CancelReason::User));
            });
            let (here, scope) = (barrier.clone(), scope.clone());
            let cut = block_on(async move {
                here.wait();
                scope.run(pending::<()>()).await
            });
            assert_eq!(cut, Err(by(CancelReason::User)));
        });
        assert_eq!(top.aware_count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_tasks_ends_when_the_scope_above_is_cancelled() {
    let clock = crate::clock::TokioClock::current().unwrap();
    let top = Scope::root(Arc::new(clock), me());
    let cleaned = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    let started = Arc::new(tokio::sync::Semaphore::new(0));
    for _ in 0..200 {
        let (top, cleaned, started) = (top.clone(), cleaned.clone(), started.clone());
        tasks.spawn(top.child().run(async move {
            let scope = Scope::current().unwrap();
            let body = async {
                started.add_permits(1);
                pending::<()>().await;
            };
            let cleanup = |_| async {
                tokio::task::yield_now().await;
                cleaned.fetch_add(1, Ordering::SeqCst);
            };
            scope
                .finally(body, cleanup, Duration::from_secs(60))
                .await
                .unwrap();
            pending::<()>().await;
        }));
    }
    started.acquire_many(200).await.unwrap().forget();
    top.cancel(by(CancelReason::User));
    while let Some(ended) = tasks.join_next().await {
        assert_eq!(ended.unwrap(), Err(by(CancelReason::User)));
    }
    assert_eq!(cleaned.load(Ordering::SeqCst), 200);
    assert_eq!((top.aware_count(), top.0.children()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_exact_on_a_paused_runtime() {
    let clock = crate::clock::TokioClock::current().unwrap();
    let top = Scope::root(Arc::new(clock), me());
    let start = top.clock().now();
    let scope = with_deadline(&top, 50);
    assert_eq!(
        scope.run(pending::<()>()).await,
        Err(by(CancelReason::Deadline))
    );
    assert_eq!(top.clock().now().saturating_since(start), ms(50));
}
