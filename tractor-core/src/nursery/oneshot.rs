//! One-shots: an actor for one call.

use std::fmt;
use std::future::IntoFuture;
use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tractor_ipc::ActorId;
use tractor_ipc::msg::CancelReason;

use super::core::{Core, Order};
use super::start::{Pending, StartOptions, begin};
use crate::actor::portal::Portal;
use crate::actor::{Exposed, IntoSpec, Service};
use crate::error::{CallError, Error, SpawnError};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::message::AppError;
use crate::proto::supervisor::ChildId;
use crate::proto::{ChildKind, Ladder};
use crate::rpc::{FnCall, RpcFn};
use crate::scope::ScopeOptions;
use crate::spawn::SpawnMethodKey;
use crate::sync::Mutex;

/// A function to be run in an actor of its own. Does nothing until it is awaited or started.
#[must_use = "nothing is run until this is awaited or started"]
pub struct RunInActor<'n, F: RpcFn> {
    core: &'n Arc<Core>,
    call: FnCall<F>,
    name: String,
    options: StartOptions,
}

/// Why a one-shot has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError<E: AppError> {
    /// Its actor was not started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// Its call failed.
    #[error(transparent)]
    Call(CallError<E>),
}

impl<E: AppError> From<CallError<E>> for RunError<E> {
    fn from(error: CallError<E>) -> Self {
        Self::Call(error)
    }
}

impl<E: AppError> From<RunError<E>> for Error {
    fn from(error: RunError<E>) -> Self {
        match error {
            RunError::Spawn(error) => error.into(),
            RunError::Call(error) => error.into(),
        }
    }
}

impl<'n, F: RpcFn> RunInActor<'n, F> {
    pub(super) fn new(core: &'n Arc<Core>, call: FnCall<F>) -> Self {
        let name = F::NAME.rsplit("::").next().unwrap_or(F::NAME).to_owned();
        Self {
            core,
            call,
            name,
            options: StartOptions::default(),
        }
    }

    /// Names the actor; by default it has the function's name.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Starts the actor by this method instead of the default one.
    pub fn method(mut self, method: SpawnMethodKey) -> Self {
        self.options.method = Some(method);
        self
    }

    /// The times of its ladder, from the request to end to the kill.
    pub fn ladder(mut self, ladder: Ladder) -> Self {
        self.options.ladder = Some(ladder);
        self
    }

    /// Starts the one-shot and leaves it to the nursery, which waits for it at the end of its block: its failure is the
    /// nursery's. Its result can be asked for at any time.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] if its actor was not started.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, the one-shot is ended.
    pub async fn start(self) -> Result<OneShot<F>, SpawnError> {
        let Self {
            core,
            call,
            name,
            options,
        } = self;
        let pending = launch::<F>(core, ChildKind::OneShot, &name, options, Weak::new())?;
        let id = pending.id();
        let portal = Portal::<Service>::far(pending.started().await?);
        let actor = portal.id().clone();
        let result: Outcome<F> = Arc::default();
        let (sender, done) = watch::channel(false);
        let place = result.clone();
        let running = core.clone();
        core.child_called(id);
        // Of what is around the nursery the call knows all but its end: the nursery ends its actors itself.
        let around = core.scope().child_with(ScopeOptions {
            shield: true,
            deadline: core.scope().deadline(),
            ambient: Some(core.ambient()),
        });
        core.node().tasks().spawn(async move {
            let result = around.inherit(portal.run(call).into_future()).await;
            if let Err(error) = &result
                && !ended_by_us(&running, error)
            {
                running.child_failed(id, failure(error, running.actor()));
            }
            *place.lock() = Some(result);
            sender.send_replace(true);
            running.child_done(id);
        });
        Ok(OneShot {
            actor,
            result,
            done,
        })
    }
}

/// The failure a one-shot's call is to its nursery: its own error comes from its actor.
fn failure<E: AppError>(error: &CallError<E>, parent: &ActorId) -> RemoteError {
    match error {
        CallError::App { error, origin } => RemoteError::app(error, origin.clone()),
        // Whose failure it is stays so: a nursery passes nothing on to itself.
        other => match other.remote() {
            Some(failure) => failure.clone(),
            None => other.rendered().into_remote(parent),
        },
    }
}

/// Whether a call failed because its nursery ended it.
fn ended_by_us<E>(core: &Core, error: &CallError<E>) -> bool {
    match error {
        // That its process has gone is its own task's to tell.
        CallError::Lost(_) => true,
        // The far side may tell of the deadline around the nursery before the timer here does.
        CallError::Cancelled(cancel) if cancel.reason == CancelReason::Deadline => {
            let now = core.node().clock().now();
            core.is_cancelling() || core.scope().deadline().is_some_and(|at| at <= now)
        }
        CallError::Cancelled(_) | CallError::Stopping(_) => core.is_cancelling(),
        CallError::App { .. }
        | CallError::Panicked(_)
        | CallError::Deadlock { .. }
        | CallError::TooDeep { .. }
        | CallError::NotExposed(_)
        | CallError::MsgType(_)
        | CallError::TooLarge { .. }
        | CallError::TooMany { .. }
        | CallError::Failed(_) => false,
    }
}

fn launch<F: RpcFn>(
    core: &Arc<Core>,
    kind: ChildKind,
    name: &str,
    options: StartOptions,
    awaited: Weak<()>,
) -> Result<Pending, SpawnError> {
    let spec = Exposed::new(vec![F::NAME]).into_spec();
    begin(core, kind, name, spec, options, awaited)
}

impl<'n, F: RpcFn> IntoFuture for RunInActor<'n, F> {
    type Output = Result<F::Ok, RunError<F::Err>>;
    type IntoFuture = BoxFuture<'n, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                core,
                call,
                name,
                options,
            } = self;
            let awaiting = Arc::new(());
            let awaited = Arc::downgrade(&awaiting);
            let pending = launch::<F>(core, ChildKind::Daemon, &name, options, awaited)?;
            let ending = Ending {
                core,
                id: pending.id(),
            };
            let portal = Portal::<Service>::far(pending.started().await?);
            let result = portal.run(call).await;
            core.order(ending.id, Order::Stop);
            core.wait_reaped(ending.id).await;
            drop(awaiting);
            Ok(result?)
        })
    }
}

/// Ends the actor of a one-shot that is not waited for any more.
struct Ending<'n> {
    core: &'n Core,
    id: ChildId,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.core.order(self.id, Order::Stop);
    }
}

/// A one-shot that was left to its nursery.
pub struct OneShot<F: RpcFn> {
    actor: ActorId,
    result: Outcome<F>,
    done: watch::Receiver<bool>,
}

type Outcome<F> = Arc<Mutex<Option<Result<<F as RpcFn>::Ok, CallError<<F as RpcFn>::Err>>>>>;

impl<F: RpcFn> OneShot<F>
where
    F::Ok: Clone,
    F::Err: Clone,
{
    /// Waits for the result; any number of times, also after the nursery has ended.
    ///
    /// # Errors
    ///
    /// The call's own.
    ///
    /// # Cancel safety
    ///
    /// Safe: the result is kept.
    pub async fn result(&self) -> Result<F::Ok, CallError<F::Err>> {
        let mut done = self.done.clone();
        // The sender goes without a word only with the runtime its task was dropped with.
        let _dropped = done.wait_for(|done| *done).await.is_err();
        match self.result.lock().clone() {
            Some(result) => result,
            None => {
                let text = "the runtime it was waited for on was shut down";
                let error = RemoteError::new(RemoteErrorKind::Lost, self.actor.clone(), text);
                Err(CallError::Lost(error))
            }
        }
    }
}

impl<F: RpcFn> fmt::Debug for RunInActor<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunInActor({})", F::NAME)
    }
}

impl<F: RpcFn> fmt::Debug for OneShot<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OneShot({})", F::NAME)
    }
}
