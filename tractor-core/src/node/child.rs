//! A child of this node, as whoever holds its portal may end it: three verbs, and how far the way down has come.
//!
//! The nursery that owns the child performs them and tells of its progress; this is the plain data between the two.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tractor_ipc::ActorId;

use super::Node;
use crate::error::EndError;
use crate::limits::CANCEL_ACCEPT;
use crate::proto::Rung;
use crate::scope::Cancellation;

/// Where on the ladder a child's way down begins.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    /// With what it has to finish.
    Stop,
    /// With the request to end.
    Cancel(Cancellation),
    /// At the last rung.
    Kill,
}

/// How far a child has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It serves, or finishes what it has.
    Serving,
    /// It was asked to end.
    Asked,
    /// It has accepted that, and said how long it may take; or it has ended, and its process has so long to leave.
    Accepted { left: Duration },
    /// It has been reaped, having been taken so far.
    Gone { rung: Rung },
}

/// The way to a child's owner.
pub(crate) struct ChildHandle {
    actor: ActorId,
    order: Box<dyn Fn(Verb) + Send + Sync>,
    progress: watch::Receiver<Progress>,
}

impl ChildHandle {
    /// For the child of this name: `order` has its owner perform a verb.
    pub(crate) fn new(
        actor: ActorId,
        order: impl Fn(Verb) + Send + Sync + 'static,
        progress: watch::Receiver<Progress>,
    ) -> Self {
        Self {
            actor,
            order: Box::new(order),
            progress,
        }
    }

    /// Performs a verb and waits until the child has been reaped, in the time the verb has for it.
    pub(crate) async fn end(&self, verb: Verb, node: &Node) -> Result<(), EndError> {
        let asks = matches!(verb, Verb::Cancel(_));
        let mut progress = self.progress.clone();
        let gone = |progress: &Progress| matches!(progress, Progress::Gone { .. });
        if gone(&progress.borrow()) {
            return Ok(());
        }
        (self.order)(verb);
        if asks {
            let clock = node.clock();
            let heard = |progress: &Progress| {
                matches!(progress, Progress::Accepted { .. }) || gone(progress)
            };
            let left = tokio::select! {
                biased;
                heard = progress.wait_for(heard) => match heard.as_deref() {
                    Ok(Progress::Accepted { left }) => *left,
                    Ok(_) | Err(_) => Duration::ZERO,
                },
                () = clock.sleep_until(clock.now() + CANCEL_ACCEPT) => return Err(self.too_slow()),
            };
            let late = clock.sleep_until(clock.now() + left + LEAVING);
            tokio::select! {
                biased;
                // The sender goes only with the child's task, which sees it to its end.
                _ended = progress.wait_for(gone) => {}
                () = late => return Err(self.too_slow()),
            }
        } else {
            let _ended = progress.wait_for(gone).await;
        }
        let rung = match *progress.borrow() {
            Progress::Gone { rung } => rung,
            Progress::Serving | Progress::Asked | Progress::Accepted { .. } => Rung::Untouched,
        };
        match rung {
            Rung::Terminate | Rung::Kill if asks => Err(self.too_slow()),
            _ => Ok(()),
        }
    }

    fn too_slow(&self) -> EndError {
        EndError::TooSlow {
            actor: self.actor.clone(),
        }
    }
}

impl fmt::Debug for ChildHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildHandle")
            .field("actor", &self.actor)
            .field("progress", &*self.progress.borrow())
            .finish_non_exhaustive()
    }
}

/// From the end of an actor to that of its process: what its exit takes, on a machine that is busy.
const LEAVING: Duration = Duration::from_millis(200);
