//! How children come to be: one file per method, chosen by [`SpawnMethodKey`]. A method returns a [`Child`] and knows no
//! nursery.

mod boot_race;
mod exec;
mod key;
mod options;
mod unsupported;

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tractor_ipc::ActorId;
use tractor_ipc::msg::ActorPlan;

pub(crate) use boot_race::how_it_ended;
pub use key::SpawnMethodKey;
pub use options::{ProcessOptions, StderrTo, StdioTo};
pub(crate) use unsupported::refusal;

use crate::error::SpawnError;
use crate::host::ProcessHost;
use crate::node::reaper::OwnedProcess;
use crate::node::{Intake, LinkEvent, Node, Peer};
use crate::scope::Cancellation;

/// An actor to be started.
pub(crate) struct SpawnPlan {
    /// The node that starts it.
    pub(crate) node: Arc<Node>,
    /// What starts processes.
    pub(crate) host: Option<Arc<dyn ProcessHost>>,
    /// Who serves what the child asks of its parent.
    pub(crate) intake: Option<Arc<dyn Intake>>,
    /// Its logical parent.
    pub(crate) parent: ActorId,
    /// Who it will be.
    pub(crate) id: ActorId,
    /// What it will be.
    pub(crate) actor: ActorPlan,
    /// The functions it exposes.
    pub(crate) exposed: Vec<Box<str>>,
    /// Its process's surroundings.
    pub(crate) process: ProcessOptions,
}

/// A child that has been built and serves.
pub(crate) struct Child {
    /// The link to it.
    pub(crate) peer: Arc<Peer>,
    /// What it says of itself.
    pub(crate) events: mpsc::UnboundedReceiver<LinkEvent>,
    /// Its process.
    pub(crate) process: OwnedProcess,
}

/// The wish that a start be given up.
pub(crate) type GiveUp<'a> = std::pin::Pin<&'a mut (dyn Future<Output = Cancellation> + Send)>;

/// One way to start a child.
#[async_trait]
trait SpawnMethod {
    /// Starts it and returns once it serves; given up, or failed, once nothing of it is left.
    async fn spawn(&self, plan: SpawnPlan, give_up: GiveUp<'_>) -> Result<Child, SpawnError>;
}

/// Starts a child by this method.
pub(crate) async fn spawn(
    method: SpawnMethodKey,
    plan: SpawnPlan,
    give_up: GiveUp<'_>,
) -> Result<Child, SpawnError> {
    match method {
        SpawnMethodKey::Exec => exec::Exec.spawn(plan, give_up).await,
        SpawnMethodKey::ForkServer
        | SpawnMethodKey::Command
        | SpawnMethodKey::Thread
        | SpawnMethodKey::Task
        | SpawnMethodKey::ThreadFork => match refusal(method) {
            Some(refusal) => Err(refusal),
            None => exec::Exec.spawn(plan, give_up).await,
        },
    }
}
