//! What every piece of work knows of where it runs: carried by its scope.

use std::sync::Arc;

use tractor_ipc::limits::CHAIN_MAX;
use tractor_ipc::{ActorId, Instant};

use super::Node;
use crate::scope::Scope;

/// The node, actor and request a piece of work belongs to.
#[derive(Debug)]
pub(crate) struct Ambient {
    /// The node it runs on.
    pub(crate) node: Arc<Node>,
    /// The actor it belongs to.
    pub(crate) actor: ActorId,
    /// The actors whose exclusive handler awaits it, outermost first.
    pub(crate) chain: Arc<[ActorId]>,
    /// The deadline of the request it serves, where that does not cut it off: what it calls gets what is left.
    pub(crate) budget: Option<Instant>,
}

impl Ambient {
    /// That of an actor's own work, which serves no request.
    pub(crate) fn of_actor(node: Arc<Node>, actor: ActorId) -> Arc<Self> {
        Arc::new(Self {
            node,
            actor,
            chain: Arc::default(),
            budget: None,
        })
    }

    /// That of the work around.
    pub(crate) fn current() -> Option<Arc<Self>> {
        Scope::current()?.ambient()
    }

    /// Whether an exclusive handler of this actor awaits the work around: until that ends, it takes nothing else up.
    pub(crate) fn is_awaited_by(&self, actor: &ActorId) -> bool {
        self.chain.contains(actor)
    }

    /// Why a call from here to `target` must not be made.
    pub(crate) fn check_chain(&self, target: &ActorId) -> Result<(), ChainError> {
        if let Some(first) = self.chain.iter().position(|actor| actor == target) {
            let mut cycle = self.chain[first..].to_vec();
            cycle.push(target.clone());
            return Err(ChainError::Deadlock { cycle });
        }
        match self.chain.len() {
            CHAIN_MAX.. => Err(ChainError::TooDeep {
                depth: self.chain.len(),
            }),
            _ => Ok(()),
        }
    }
}

/// A call that would wait for itself, or behind too many.
#[derive(Debug)]
pub(crate) enum ChainError {
    /// The target is in the call's own chain.
    Deadlock { cycle: Vec<ActorId> },
    /// The chain is full.
    TooDeep { depth: usize },
}

/// What the caller's surroundings make of a call.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// The earliest of all deadlines: what is left of it travels.
    pub(crate) deadline: Option<Instant>,
    /// When the call itself has to give up: its own deadline, or that of the request its exclusive handler serves. A
    /// scope cuts its own.
    pub(crate) gives_up: Option<Instant>,
    /// The actors whose exclusive handler awaits it.
    pub(crate) chain: Arc<[ActorId]>,
}

/// Looks around for a call to `target` with this deadline of its own.
pub(crate) fn surroundings(
    target: &ActorId,
    own: Option<Instant>,
) -> Result<Surroundings, ChainError> {
    let Some(scope) = Scope::current() else {
        return Ok(Surroundings {
            deadline: own,
            gives_up: own,
            ..Surroundings::default()
        });
    };
    let ambient = scope.ambient::<Ambient>();
    let budget = ambient.as_ref().and_then(|ambient| ambient.budget);
    let gives_up = [own, budget].into_iter().flatten().min();
    let deadline = [gives_up, scope.deadline()].into_iter().flatten().min();
    let chain = match ambient {
        Some(ambient) => {
            ambient.check_chain(target)?;
            ambient.chain.clone()
        }
        None => Arc::default(),
    };
    Ok(Surroundings {
        deadline,
        gives_up,
        chain,
    })
}
