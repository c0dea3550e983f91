//! The block of a nursery, polled beside everything it started: a loop without policy.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Cx, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tractor_ipc::msg::CancelReason;

use super::ActorNursery;
use super::core::{Action, Core, Failure, Local, Order};
use super::options::NurseryOptions;
use super::root::{Attached, Place, Root, attach, implicit_root};
use crate::error::Error;
use crate::fault::RemoteError;
use crate::node::{catch, dropped_cancellation};
use crate::proto::supervisor::{BodyEnd, ChildId, Verdict};
use crate::proto::{ChildKind, SupervisorAction};
use crate::scope::{Cancellation, Scope, ScopeOptions, give_way};

/// Opens a nursery and runs `block` in it. Returns when the block has ended and every actor started in it has ended and
/// been reaped: one-shots are waited for, then the others are stopped. If the block or anything in it fails, everything
/// in it is cancelled.
///
/// Where no tractor is running on this runtime yet, a root with default options is opened around it. Other tasks of the
/// runtime find that root, and it does not end before their nurseries have: a program whose tasks open nurseries of their
/// own has one around all of them, or a [`root`](super::root()).
///
/// # Errors
///
/// The block's own error, if it failed; otherwise, as [`Error::Actor`], the failure of what it started, several as one
/// [`Group`](crate::fault::RemoteErrorKind::Group); [`Error::Cancelled`] if the scope around was cancelled.
///
/// # Cancel safety
///
/// Cancelled by a scope of ours, everything in it is ended before that scope goes on. Dropped from outside, its actors are
/// ended in the background, and the actor or root it belongs to does not end before they have been reaped.
pub async fn open_nursery<'env, F, Fut, T, E>(block: F) -> Result<T, E>
where
    F: FnOnce(ActorNursery<'env>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    open(NurseryOptions::default(), block).await
}

/// Opens a nursery with these options.
pub(super) async fn open<'env, F, Fut, T, E>(options: NurseryOptions, block: F) -> Result<T, E>
where
    F: FnOnce(ActorNursery<'env>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    // Of two tasks that open a runtime's first nursery at once, one makes the root and the other one finds it.
    loop {
        if let Attached::Here(place) = attach().map_err(E::from)? {
            return run(place, options, block).await;
        }
        if let Some(root) = implicit_root().map_err(E::from)? {
            let run = async |root: Root| run(root.place(), options, block).await;
            return root.run(run).await;
        }
    }
}

/// Runs a nursery where it belongs.
async fn run<'env, F, Fut, T, E>(place: Place, options: NurseryOptions, block: F) -> Result<T, E>
where
    F: FnOnce(ActorNursery<'env>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    let scope = place.scope.clone();
    match scope.inherit(drive(place, options, block)).await {
        Ok(result) => result,
        Err(cancel) => {
            // Where the scope around catches it, nothing behind the nursery runs any more.
            give_way().await;
            Err(E::from(Error::Cancelled(cancel)))
        }
    }
}

/// Drives a nursery to its end; the outer error is the cancellation it has ended by and nothing else.
async fn drive<'env, F, Fut, T, E>(
    place: Place,
    options: NurseryOptions,
    block: F,
) -> Result<Result<T, E>, Cancellation>
where
    F: FnOnce(ActorNursery<'env>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    let entered = place.counted;
    let _counted = entered.unwrap_or_else(|| place.node.nurseries().enter());
    let scope = place.scope;
    let _waited_for = scope.aware();
    let core = Core::new(place.node, place.actor, scope.clone(), options.ladder);
    let mut guard = Guard {
        core: core.clone(),
        armed: true,
    };
    let local = Local::new();
    let body_scope = scope.child();
    let body = block(ActorNursery {
        core: core.clone(),
        local: local.clone(),
    });
    let mut driver = Driver {
        core: &core,
        local: &local,
        body_scope: &body_scope,
        tasks: FuturesUnordered::new(),
        scopes: HashMap::new(),
        result: None,
    };
    let mut body = pin!(body_scope.run(body).catching());
    let mut outer = pin!(scope.cancelled());
    let mut outer_seen = false;
    let verdict = poll_fn(|cx| {
        loop {
            if !outer_seen && let Poll::Ready(cancel) = outer.as_mut().poll(cx) {
                outer_seen = true;
                core.outer_cancelled(cancel);
            }
            if driver.result.is_none()
                && let Poll::Ready(result) = body.as_mut().poll(cx)
            {
                driver.body_ended(result);
            }
            driver.poll_tasks(cx);
            match core.poll_action(cx.waker()) {
                Some(SupervisorAction::Finish(verdict)) => return Poll::Ready(verdict),
                Some(action) => driver.perform(action),
                None if driver.has_news() => {}
                None => return Poll::Pending,
            }
        }
    })
    .await;
    guard.armed = false;
    let result = driver.result.take();
    conclude(&core, result, verdict, outer_seen)
}

type BodyResult<T, E> = Result<Result<T, E>, Cancellation>;

/// What the block's own result and the supervisor's verdict come to together.
fn conclude<T, E: From<Error>>(
    core: &Core,
    result: Option<BodyResult<T, E>>,
    verdict: Verdict<Failure, Cancellation>,
    outer: bool,
) -> Result<Result<T, E>, Cancellation> {
    // An error of the block that came after another failure is what its being cancelled came to.
    let body_first = matches!(verdict.failures.first(), Some(Failure::Body));
    let mut failures = Vec::new();
    for failure in verdict.failures {
        match failure {
            Failure::Child(error) => failures.push(error),
            Failure::Body => {}
        }
    }
    let cancelled = verdict.cancelled_by.filter(|_| outer);
    match result {
        Some(Ok(Err(error))) if body_first || failures.is_empty() => {
            for other in &failures {
                tracing::error!(nursery = %core.actor(), %other, "failed beside its nursery's block");
            }
            Ok(Err(error))
        }
        Some(Ok(Ok(value))) if failures.is_empty() && cancelled.is_none() => Ok(Ok(value)),
        Some(Ok(Ok(_)) | Err(_)) | None if guardian_lost(core) => {
            Ok(Err(E::from(Error::GuardianLost)))
        }
        Some(_) | None if !failures.is_empty() => {
            let failure = RemoteError::group(failures, core.actor().clone());
            Ok(Err(E::from(Error::Actor(failure))))
        }
        Some(Err(cancel)) => Err(cancelled.unwrap_or(cancel)),
        Some(Ok(_)) | None => Err(cancelled.unwrap_or_else(|| dropped_cancellation(core.actor()))),
    }
}

/// Whether what kept the promise for this nursery's processes is gone.
fn guardian_lost(core: &Core) -> bool {
    core.node()
        .host()
        .is_some_and(|host| host.lost().peek().is_some())
}

struct Driver<'d, 'env, T, E> {
    core: &'d Core,
    local: &'d Local<'env>,
    body_scope: &'d Scope,
    tasks: FuturesUnordered<BoxFuture<'env, (ChildId, TaskEnd)>>,
    scopes: HashMap<ChildId, Scope>,
    result: Option<BodyResult<T, E>>,
}

/// How a local task ended.
enum TaskEnd {
    Done,
    Cancelled,
    Failed(Error),
    Panicked(RemoteError),
}

impl<'env, T, E> Driver<'_, 'env, T, E> {
    fn body_ended(&mut self, result: BodyResult<T, E>) {
        self.take_up();
        self.core.body_ended(match &result {
            Ok(Ok(_)) => BodyEnd::Done,
            Ok(Err(_)) => BodyEnd::Failed(Failure::Body),
            Err(_) => BodyEnd::Cancelled,
        });
        self.result = Some(result);
    }

    /// Takes new local tasks up, before whoever started them is known to have ended: a nursery without anybody would end.
    fn take_up(&mut self) {
        for task in self.local.take() {
            self.start(task);
        }
    }

    /// Runs the local tasks.
    fn poll_tasks(&mut self, cx: &mut Cx<'_>) {
        self.take_up();
        while let Poll::Ready(Some((id, end))) = self.tasks.poll_next_unpin(cx) {
            self.take_up();
            self.scopes.remove(&id);
            let actor = self.core.actor();
            match end {
                TaskEnd::Done | TaskEnd::Cancelled => self.core.child_done(id),
                // The scope around may be cancelled by another thread while the task runs: an error that says so is no failure.
                TaskEnd::Failed(error)
                    if error.is_cancelled() && self.core.scope().is_cancelled() =>
                {
                    self.core.child_done(id);
                }
                TaskEnd::Failed(error) => {
                    self.core.child_failed(id, error.into_remote(actor));
                }
                TaskEnd::Panicked(error) => self.core.child_failed(id, error),
            }
            self.core.child_reaped(id);
        }
    }

    fn start(&mut self, task: BoxFuture<'env, Result<(), Error>>) {
        // After the nursery's end nothing is started: the task is dropped, as it would be in a cancelled scope.
        let Ok((id, _orders)) = self.core.admit(ChildKind::LocalTask) else {
            return;
        };
        let ambient = Some(self.core.ambient() as Arc<_>);
        let options = ScopeOptions {
            ambient,
            ..ScopeOptions::default()
        };
        let scope = self.core.scope().child_with(options);
        self.scopes.insert(id, scope.clone());
        let actor = self.core.actor().clone();
        self.tasks.push(Box::pin(async move {
            let end = match catch(scope.run(task).catching(), &actor).await {
                Ok(Ok(Ok(()))) => TaskEnd::Done,
                Ok(Ok(Err(error))) => TaskEnd::Failed(error),
                Ok(Err(_)) => TaskEnd::Cancelled,
                Err(panic) => TaskEnd::Panicked(panic),
            };
            (id, end)
        }));
    }

    fn has_news(&self) -> bool {
        !self.local.is_empty()
    }

    fn perform(&self, action: Action) {
        let canceller = self.core.actor().clone();
        match action {
            SupervisorAction::StopChild(id) => self.core.order(id, Order::Stop),
            SupervisorAction::CancelChild(id) => {
                let cancel = self.cancellation();
                match self.scopes.get(&id) {
                    Some(scope) => {
                        scope.cancel(cancel);
                    }
                    None => self.core.order(id, self.core.ending(cancel)),
                }
            }
            SupervisorAction::CancelBody => {
                let cancel = Cancellation {
                    canceller,
                    reason: CancelReason::Failure,
                };
                self.body_scope.cancel(cancel);
            }
            SupervisorAction::Finish(_) => {}
        }
    }

    /// Who ends the children: whoever cancelled the scope around or asked for it, or this nursery, which has failed.
    fn cancellation(&self) -> Cancellation {
        let asked = self.core.scope().cancellation();
        asked
            .or_else(|| self.core.cancelled_by())
            .unwrap_or_else(|| Cancellation {
                canceller: self.core.actor().clone(),
                reason: CancelReason::Failure,
            })
    }
}

/// Ends the children of a nursery whose future was dropped from outside.
struct Guard {
    core: Arc<Core>,
    armed: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let left = self.core.children();
        if left > 0 {
            tracing::warn!(
                nursery = %self.core.actor(),
                children = left,
                "a nursery was dropped from outside; its actors end in the background"
            );
        }
        self.core.abandon(&dropped_cancellation(self.core.actor()));
    }
}
