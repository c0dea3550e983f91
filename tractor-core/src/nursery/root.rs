//! Roots: where a tree begins, and how a nursery finds the one it belongs to.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tractor_ipc::msg::CancelReason;
use tractor_ipc::{ActorId, ActorName, Instant, TreeId};

use crate::actor::{ActorCell, Exposed, Portal, Service};
use crate::clock::{Clock, TokioClock};
use crate::error::{Error, Result, SpawnError};
use crate::host::linux;
use crate::node::{
    Ambient, Counted, Hosted, Intake, Interruptible, Node, Registry, RootGuard, Statistics,
    close_exit_stack, default_root_name,
};
use crate::proto::Ladder;
use crate::rpc::FunctionIntake;
use crate::scope::{Cancellation, Scope, give_way};

/// Describes a root; [`run`](RootBuilder::run) opens it. Without it, the first nursery of a runtime opens one with these
/// defaults.
pub fn root() -> RootBuilder {
    RootBuilder {
        name: default_root_name().to_owned(),
        exposed: Exposed::default(),
        clock: None,
        ladder: None,
    }
}

/// A root to be opened.
#[derive(Debug)]
#[must_use = "a root is not opened until `run` is awaited"]
pub struct RootBuilder {
    name: String,
    exposed: Exposed,
    clock: Option<Arc<dyn Clock>>,
    ladder: Option<Ladder>,
}

/// A root, as the block it runs holds it.
#[derive(Debug, Clone)]
pub struct Root {
    node: Arc<Node>,
    portal: Portal<Service>,
}

impl RootBuilder {
    /// Names the root actor; `root` by default.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Lets the root's children call these functions of it, by the portal that [`Root::portal`] gives and they are sent.
    pub fn expose(mut self, functions: Exposed) -> Self {
        self.exposed = functions;
        self
    }

    /// The clock of the root's node; the runtime's own by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The times of the ladder of the root's children, where nothing else is said of them.
    pub fn ladder(mut self, ladder: Ladder) -> Self {
        self.ladder = Some(ladder);
        self
    }

    /// Opens the root and runs `block` in it. Returns when the block and all nurseries attached to the root have ended and
    /// nothing of the tree is left; if the block fails, they are cancelled.
    ///
    /// # Errors
    ///
    /// The block's own; [`Error::RootExists`] if this runtime has a root, [`Error::NoRuntime`] outside of one.
    ///
    /// # Cancel safety
    ///
    /// Dropped from outside, the tree's actors are ended in the background.
    pub async fn run<F, Fut, T, E>(self, block: F) -> Result<T, E>
    where
        F: FnOnce(Root) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        self.enter().map_err(E::from)?.run(block).await
    }

    /// Makes the root of this runtime.
    fn enter(self) -> Result<EnteredRoot> {
        let Self {
            name,
            exposed,
            clock,
            ladder,
        } = self;
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        if let Some(ambient) = Ambient::current() {
            let root = ambient.node.id().clone();
            return Err(Error::RootExists { root });
        }
        let id = ActorId::new(ActorName::new(&name).map_err(SpawnError::Name)?);
        let clock = clock.unwrap_or_else(|| Arc::new(TokioClock::new(runtime.clone())));
        let node = Node::with_clock(id.clone(), TreeId::new(), true, runtime, clock);
        if let Some(ladder) = ladder {
            node.set_ladder(ladder);
        }
        let entered = Registry::enter(&node).map_err(|root| Error::RootExists { root })?;
        linux::fill_standard_streams();
        let interruptible = Interruptible::new(&node);
        let names: Vec<Box<str>> = exposed.names().iter().map(|name| (*name).into()).collect();
        let hosted = Hosted::new(node.clone(), id, &names);
        let intake: Arc<dyn Intake> = Arc::new(FunctionIntake(hosted.clone()));
        node.set_intake(&intake);
        // It has functions and no methods: nothing is ever taken out of its mailbox, nor put in.
        let (cell, _no_methods) = ActorCell::<Service>::new(hosted.clone(), 1);
        node.set_hosted_cell(&cell);
        Ok(EnteredRoot {
            node,
            hosted,
            portal: Portal::local(cell),
            _intake: intake,
            entered,
            interruptible,
        })
    }
}

/// A root that its runtime has, and whose block has not been run.
pub(super) struct EnteredRoot {
    node: Arc<Node>,
    hosted: Arc<Hosted>,
    portal: Portal<Service>,
    /// What children ask of the root; the node knows it weakly.
    _intake: Arc<dyn Intake>,
    entered: RootGuard,
    /// Signals cancel it until it has ended.
    interruptible: Interruptible,
}

impl EnteredRoot {
    /// Runs the block, and everything of the root to its end.
    pub(super) async fn run<F, Fut, T, E>(self, block: F) -> Result<T, E>
    where
        F: FnOnce(Root) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        let Self {
            node,
            hosted,
            portal,
            _intake,
            entered,
            interruptible: _until_the_end,
        } = self;
        let canceller = node.id().clone();
        let _closed = ExitStackGuard(&node);
        // Whatever scope it is opened in waits for its end.
        let waited_for = node.scope().aware();
        // The cell behind the portal lives as long as the root, whatever the block does with its handle.
        let root = Root {
            node: node.clone(),
            portal: portal.clone(),
        };
        let result = hosted.scope().run(block(root)).catching().await;
        if !matches!(result, Ok(Ok(_))) {
            let (canceller, reason) = (canceller.clone(), CancelReason::Failure);
            node.scope().cancel(Cancellation { canceller, reason });
        }
        // A nursery of another task that comes from now on has a root of its own.
        drop(entered);
        node.nurseries().wait_empty().await;
        hosted.stop_taking();
        let reason = CancelReason::BlockEnded;
        hosted.scope().cancel(Cancellation { canceller, reason });
        node.tasks().wait_idle().await;
        let failure = close_exit_stack(&hosted).await;
        node.tasks().wait_idle().await;
        drop(waited_for);
        match result {
            Ok(Ok(value)) => match failure {
                Some(error) => Err(E::from(Error::Actor(error))),
                None => Ok(value),
            },
            Ok(Err(error)) => Err(error),
            Err(cancel) => {
                give_way().await;
                Err(E::from(Error::Cancelled(cancel)))
            }
        }
    }
}

/// A root that cannot wait any more does nothing of what is on its exit stack, and keeps none of it.
struct ExitStackGuard<'n>(&'n Node);

impl Drop for ExitStackGuard<'_> {
    fn drop(&mut self) {
        self.0.exit_stack().abandon(self.0.id());
    }
}

impl Root {
    /// Where its block's nurseries open.
    pub(super) fn place(self) -> Place {
        let scope = Scope::current().unwrap_or_else(|| self.node.scope().clone());
        Place {
            actor: self.node.id().clone(),
            node: self.node,
            scope,
            counted: None,
        }
    }

    /// A portal to the root itself, to be sent to its children: they call the functions it exposes.
    pub fn portal(&self) -> Portal<Service> {
        self.portal.clone()
    }

    /// Who the root actor is.
    pub fn id(&self) -> &ActorId {
        self.node.id()
    }

    /// The tree it is the root of.
    pub fn tree(&self) -> TreeId {
        self.node.tree()
    }

    /// What the root has under way, and what it has dropped.
    pub fn statistics(&self) -> Statistics {
        self.node.statistics()
    }
}

/// The actor this task belongs to.
///
/// # Errors
///
/// [`Error::NoActor`] if it belongs to none; [`Error::NoRuntime`] outside of a runtime.
pub fn current_actor() -> Result<ActorId> {
    match attach()? {
        Attached::Here(place) => Ok(place.actor),
        Attached::Nowhere => Err(Error::NoActor),
    }
}

/// The tree the actor of this task belongs to.
///
/// # Errors
///
/// [`Error::NoActor`] if it belongs to none; [`Error::NoRuntime`] outside of a runtime.
pub fn current_tree() -> Result<TreeId> {
    match attach()? {
        Attached::Here(place) => Ok(place.node.tree()),
        Attached::Nowhere => Err(Error::NoActor),
    }
}

/// The parent of the actor this task belongs to; `None` for a root.
///
/// # Errors
///
/// [`Error::NoActor`] if it belongs to none; [`Error::NoRuntime`] outside of a runtime.
pub fn current_parent() -> Result<Option<ActorId>> {
    match attach()? {
        Attached::Here(place) => Ok(place.node.parent().cloned()),
        Attached::Nowhere => Err(Error::NoActor),
    }
}

/// What the actor this task belongs to has under way, and what it has dropped.
///
/// # Errors
///
/// [`Error::NoActor`] if it belongs to none; [`Error::NoRuntime`] outside of a runtime.
pub fn statistics() -> Result<Statistics> {
    match attach()? {
        Attached::Here(place) => Ok(place.node.statistics()),
        Attached::Nowhere => Err(Error::NoActor),
    }
}

/// The present on the clock of this task's node: what the deadline of a call is counted from.
///
/// # Errors
///
/// [`Error::NoActor`] if it belongs to none; [`Error::NoRuntime`] outside of a runtime.
pub fn now() -> Result<Instant> {
    match attach()? {
        Attached::Here(place) => Ok(place.node.clock().now()),
        Attached::Nowhere => Err(Error::NoActor),
    }
}

/// Whether this task belongs to the root of its tree.
pub fn is_root() -> bool {
    matches!(attach(), Ok(Attached::Here(place)) if place.node.is_root())
}

/// Where a nursery opens: whose it is, and the scope around it.
pub(super) struct Place {
    pub(super) node: Arc<Node>,
    pub(super) actor: ActorId,
    pub(super) scope: Scope,
    /// Counted already, where its root might be ending.
    pub(super) counted: Option<Counted>,
}

/// What is around a new nursery.
pub(super) enum Attached {
    Here(Place),
    Nowhere,
}

/// Finds the node and scope a new nursery belongs to.
pub(super) fn attach() -> Result<Attached> {
    if let Some(scope) = Scope::current()
        && let Some(ambient) = scope.ambient::<Ambient>()
    {
        let (node, actor) = (ambient.node.clone(), ambient.actor.clone());
        let counted = None;
        return Ok(Attached::Here(Place {
            node,
            actor,
            scope,
            counted,
        }));
    }
    if Handle::try_current().is_err() {
        return Err(Error::NoRuntime);
    }
    let Some((node, counted)) = Registry::adopt_nursery() else {
        return Ok(Attached::Nowhere);
    };
    let scope = node.scope().clone();
    Ok(Attached::Here(Place {
        actor: node.id().clone(),
        node,
        scope,
        counted: Some(counted),
    }))
}

/// A root with default options; nothing if another task has made one meanwhile.
pub(super) fn implicit_root() -> Result<Option<EnteredRoot>> {
    match root().enter() {
        Ok(entered) => Ok(Some(entered)),
        Err(Error::RootExists { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
