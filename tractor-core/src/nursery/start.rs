//! Starting an actor: a builder, and the wait for its portal.

use std::ffi::OsString;
use std::fmt;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use tractor_ipc::{ActorId, ActorName};

use super::child::{ChildRun, Reaped, Started};
use super::core::{Core, Order};
use crate::actor::portal::Portal;
use crate::actor::{Actor, Spec};
use crate::error::SpawnError;
use crate::node::reply::{ReplyReceiver, slot};
use crate::proto::supervisor::ChildId;
use crate::proto::{ChildKind, Ladder};
use crate::scope::{Checkpoint, checkpoint};
use crate::spawn::{ProcessOptions, SpawnMethodKey, SpawnPlan, StderrTo, StdioTo, refusal};

/// An actor to be started. Does nothing until it is awaited.
#[must_use = "an actor is not started until this is awaited"]
pub struct StartActor<'n, A: Actor> {
    core: &'n Arc<Core>,
    name: String,
    spec: Spec<A>,
    options: StartOptions,
}

/// How an actor is to be started.
#[derive(Debug, Default)]
pub(super) struct StartOptions {
    pub(super) method: Option<SpawnMethodKey>,
    pub(super) process: ProcessOptions,
    pub(super) ladder: Option<Ladder>,
}

impl<'n, A: Actor> StartActor<'n, A> {
    pub(super) fn new(core: &'n Arc<Core>, name: &str, spec: Spec<A>) -> Self {
        Self {
            core,
            name: name.to_owned(),
            spec,
            options: StartOptions::default(),
        }
    }

    /// Starts it by this method instead of the default one.
    pub fn method(mut self, method: SpawnMethodKey) -> Self {
        self.options.method = Some(method);
        self
    }

    /// The times of its ladder, from the request to end to the kill.
    pub fn ladder(mut self, ladder: Ladder) -> Self {
        self.options.ladder = Some(ladder);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.options.process.set_env(name.into(), value.into());
        self
    }

    /// Takes a variable out of its environment.
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.options.process.remove_env(name.into());
        self
    }

    /// Starts from an empty environment instead of this process's own.
    pub fn env_clear(mut self) -> Self {
        self.options.process.clear_env();
        self
    }

    /// Its working directory.
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.options.process.set_cwd(directory.into());
        self
    }

    /// Its standard input.
    pub fn stdin(mut self, to: StdioTo) -> Self {
        self.options.process.set_stdin(to);
        self
    }

    /// Its standard output.
    pub fn stdout(mut self, to: StdioTo) -> Self {
        self.options.process.set_stdout(to);
        self
    }

    /// Its standard error.
    pub fn stderr(mut self, to: StderrTo) -> Self {
        self.options.process.set_stderr(to);
        self
    }
}

impl<'n, A: Actor> IntoFuture for StartActor<'n, A> {
    type Output = Result<A::Portal, SpawnError>;
    type IntoFuture = BoxFuture<'n, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                core,
                name,
                spec,
                options,
            } = self;
            let pending = begin(core, ChildKind::Daemon, &name, spec, options, Weak::new())?;
            Ok(Portal::<A>::far(pending.started().await?).into())
        })
    }
}

/// A child that was admitted; dropped before it has started, it is told to end.
pub(super) struct Pending {
    core: Arc<Core>,
    id: ChildId,
    started: ReplyReceiver<Started>,
    waiting: bool,
}

impl Pending {
    pub(super) fn id(&self) -> ChildId {
        self.id
    }

    /// Waits until the child serves.
    pub(super) async fn started(mut self) -> Result<Arc<crate::node::Peer>, SpawnError> {
        let started = (&mut self.started).await;
        self.waiting = false;
        started.unwrap_or(Err(SpawnError::Closed {
            reason: "its runtime is being shut down",
        }))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.waiting {
            self.core.order(self.id, Order::Stop);
        }
    }
}

/// Admits a child and starts its task.
pub(super) fn begin<A: Actor>(
    core: &Arc<Core>,
    kind: ChildKind,
    name: &str,
    spec: Spec<A>,
    options: StartOptions,
    awaited: Weak<()>,
) -> Result<Pending, SpawnError> {
    if let Checkpoint::Cancelled(cancel) = checkpoint() {
        return Err(SpawnError::Cancelled(cancel));
    }
    let name = ActorName::new(name)?;
    let method = match options.method {
        Some(method) => method,
        None => default_method()?,
    };
    if let Some(refusal) = refusal(method) {
        return Err(refusal);
    }
    let (actor, exposed) = spec.plan().map_err(SpawnError::Encode)?;
    let mut process = options.process;
    process.snapshot();
    let (id, orders) = core.admit(kind)?;
    let reaped = Reaped::new(core, id);
    let node = core.node().clone();
    let plan = SpawnPlan {
        host: node.host(),
        intake: node.intake(),
        parent: core.actor().clone(),
        id: ActorId::new(name),
        actor,
        exposed,
        process,
        node: node.clone(),
    };
    let (sender, started) = slot();
    let run = ChildRun {
        core: core.clone(),
        id,
        reaped,
        orders,
        method,
        plan,
        started: sender,
        awaited,
        ladder: options.ladder.unwrap_or_else(|| core.ladder()),
    };
    let counted = node.children().enter();
    node.tasks().spawn(async move {
        let _unreaped = counted;
        run.run().await;
    });
    Ok(Pending {
        core: core.clone(),
        id,
        started,
        waiting: true,
    })
}

/// The method where none is named: that of the environment, or `Exec`.
fn default_method() -> Result<SpawnMethodKey, SpawnError> {
    match std::env::var(SpawnMethodKey::VARIABLE) {
        Ok(name) => name.parse(),
        Err(std::env::VarError::NotPresent) => Ok(SpawnMethodKey::default()),
        Err(std::env::VarError::NotUnicode(name)) => name.to_string_lossy().parse(),
    }
}

impl<A: Actor> fmt::Debug for StartActor<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StartActor({:?}: {})", self.name, A::type_name())
    }
}
