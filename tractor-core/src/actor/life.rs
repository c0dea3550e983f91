//! An actor's span: from its `#[init]` to the last word to its parent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use linkme::distributed_slice;
use tokio::sync::mpsc;
use tractor_ipc::msg::{CancelReason, EndedHow};

use super::cell::{ActorCell, Shared};
use super::letter::Letter;
use super::{Actor, LoopEnd, Turns};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::limits::{LADDER_LEFT, MAILBOX, NURSERY_CAP};
use crate::node::{
    Hosted, Intake, LinkEvent, Node, Peer, catch_in, catch_now, close_exit_stack, decode,
    failure_of, reply,
};
use crate::proto::ActorEvent;
use crate::scope::Cancellation;

/// Every type of actor the macros registered: what a child looks its own up in.
#[distributed_slice]
pub static ACTORS: [ActorEntry];

/// One type of actor.
#[derive(Debug)]
pub struct ActorEntry {
    type_name: fn() -> &'static str,
    run: fn(BootPlan) -> BoxFuture<'static, Ending>,
}

impl ActorEntry {
    /// The entry of `A`.
    pub const fn of<A: Actor>() -> Self {
        Self {
            type_name: A::type_name,
            run: |plan| Box::pin(run_actor::<A>(plan)),
        }
    }

    /// Name of the type.
    pub fn type_name(&self) -> &'static str {
        (self.type_name)()
    }

    /// Runs one from its first step to its end.
    pub(crate) fn run(&self, plan: BootPlan) -> BoxFuture<'static, Ending> {
        (self.run)(plan)
    }
}

/// What an actor is run from.
#[derive(Debug)]
pub struct BootPlan {
    pub(crate) node: Arc<Node>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) orders: mpsc::UnboundedReceiver<LinkEvent>,
    pub(crate) hosted: Arc<Hosted>,
    pub(crate) init: Bytes,
}

/// How an actor ended.
#[derive(Debug)]
pub struct Ending {
    pub(crate) how: EndedHow,
    pub(crate) error: Option<RemoteError>,
}

/// Runs one actor: builds it, serves, and ends as it is told to or as it fails.
pub(crate) async fn run_actor<A: Actor>(plan: BootPlan) -> Ending {
    let BootPlan {
        node,
        peer,
        mut orders,
        hosted,
        init,
    } = plan;
    let (cell, inbox) = ActorCell::<A>::new(hosted.clone(), MAILBOX);
    // What its children ask of their parent comes to it too.
    let intake: Arc<dyn Intake> = Arc::new(Shared(cell.clone()));
    node.set_intake(&intake);
    node.set_hosted_cell(&cell);
    let serving = async {
        let state = match build::<A>(&hosted, &init).await {
            Ok(state) => state,
            Err(end) => return end,
        };
        peer.serve(intake.clone());
        state
            .run(Turns::new(cell.clone(), inbox, peer.clone()))
            .await
    };
    let mut serving = std::pin::pin!(serving);
    let mut draining: Option<BoxFuture<'_, ()>> = None;
    let mut linked = true;
    let end = loop {
        tokio::select! {
            biased;
            // Before the serving, which may always have something to do.
            order = orders.recv(), if linked => match order {
                Some(LinkEvent::Actor(ActorEvent::Drain { .. })) if draining.is_none() => {
                    draining = Some(Box::pin(drain(&cell, &node)));
                }
                Some(LinkEvent::Actor(order)) => obey(order, &hosted, &peer),
                Some(LinkEvent::Lost(_)) | None => {
                    linked = false;
                    cap_by_loss(&node);
                    let (canceller, reason) = (peer.id().clone(), CancelReason::LinkLost);
                    hosted.scope().cancel(Cancellation { canceller, reason });
                }
            },
            end = &mut serving => break end,
            () = async { match &mut draining { Some(work) => work.await, None => std::future::pending().await } } => {
                draining = None;
            }
        }
    };
    let mut ending = conclude(hosted.crashed(), end);
    hosted.owed().abandon(last_words(&ending, &hosted));
    let failure = end_all_below(&hosted, &ending, orders, &peer).await;
    if let (Some(error), EndedHow::Stopped | EndedHow::Cancelled) = (failure, ending.how) {
        ending = Ending {
            how: EndedHow::Failed,
            error: Some(error),
        };
    }
    ending
}

/// Ends what the actor's own tasks still have: nurseries of theirs, and actors whose nurseries are gone; then its exit
/// stack, whose failure it gives. The parent is answered meanwhile; it is not told of an end before there is one, and does not
/// wait for it without bound.
async fn end_all_below(
    hosted: &Hosted,
    ending: &Ending,
    mut orders: mpsc::UnboundedReceiver<LinkEvent>,
    peer: &Arc<Peer>,
) -> Option<RemoteError> {
    let node = hosted.node();
    let reason = match ending.how {
        EndedHow::Failed => CancelReason::Failure,
        EndedHow::Stopped | EndedHow::Cancelled => CancelReason::BlockEnded,
    };
    let canceller = node.id().clone();
    node.scope().cancel(Cancellation { canceller, reason });
    let ended = async {
        node.nurseries().wait_empty().await;
        node.children().wait_empty().await;
    };
    let cap = node.clock().sleep_until(node.clock().now() + NURSERY_CAP);
    let end = async {
        tokio::select! {
            biased;
            () = ended => {}
            () = cap => {
                tracing::error!(actor = %node.id(), "what is below it has not ended in time");
            }
        }
        close_exit_stack(hosted).await
    };
    let mut end = std::pin::pin!(end);
    let mut linked = true;
    loop {
        tokio::select! {
            biased;
            failure = &mut end => return failure,
            order = orders.recv(), if linked => match order {
                Some(LinkEvent::Actor(ActorEvent::Cancel { left, .. })) => accept_cancel(left, node, peer),
                Some(LinkEvent::Actor(_)) => {}
                Some(LinkEvent::Lost(_)) | None => {
                    linked = false;
                    cap_by_loss(node);
                }
            },
        }
    }
}

fn conclude(crash: Option<RemoteError>, end: LoopEnd) -> Ending {
    match (crash, end) {
        (Some(error), _) | (None, LoopEnd::Crashed(error)) => Ending {
            how: EndedHow::Failed,
            error: Some(error),
        },
        (None, LoopEnd::Drained) => Ending {
            how: EndedHow::Stopped,
            error: None,
        },
        (None, LoopEnd::Cancelled(_)) => Ending {
            how: EndedHow::Cancelled,
            error: None,
        },
    }
}

/// What callers in this process are told that the actor will not answer any more.
fn last_words(ending: &Ending, hosted: &Hosted) -> RemoteError {
    let gone = RemoteError::new(
        RemoteErrorKind::Lost,
        hosted.id().clone(),
        "the actor has ended",
    );
    match &ending.error {
        Some(error) => gone.caused_by(error.clone()),
        None => gone,
    }
}

async fn build<A: Actor>(hosted: &Arc<Hosted>, init: &[u8]) -> Result<A, LoopEnd> {
    let read = || decode::<A::Init>(init, "the arguments of `#[init]`", hosted.id());
    let args = catch_now(read, hosted.id()).flatten();
    let args = args.map_err(LoopEnd::Crashed)?;
    match catch_in(hosted.scope(), A::init(args), hosted.id()).await {
        Ok(Ok(Ok(state))) => Ok(state),
        Ok(Ok(Err(error))) => {
            let error = failure_of(&error, hosted.id());
            let text = format!("`#[init]` of {} failed", hosted.id());
            let spawn = RemoteError::new(RemoteErrorKind::Spawn, hosted.id().clone(), text);
            Err(LoopEnd::Crashed(spawn.caused_by(error)))
        }
        Ok(Err(panic)) => Err(LoopEnd::Crashed(panic)),
        Err(cancel) => Err(LoopEnd::Cancelled(cancel)),
    }
}

/// Without a link it has as long as its parent, where that is still there, waits for its process to leave.
fn cap_by_loss(node: &Node) {
    node.set_cap(node.clock().now() + LADDER_LEFT * 9 / 10);
}

/// Says how long the end may take, in the time there is for it.
fn accept_cancel(left: Option<Duration>, node: &Node, peer: &Arc<Peer>) {
    let ladder = left.map_or(LADDER_LEFT, |left| left.min(LADDER_LEFT));
    peer.accept_cancel(ladder);
    // Of its own time it keeps a tenth for itself: what is below it has ended by then.
    node.set_cap(node.clock().now() + ladder * 9 / 10);
}

fn obey(order: ActorEvent, hosted: &Hosted, peer: &Arc<Peer>) {
    match order {
        ActorEvent::Cancel {
            canceller,
            reason,
            left,
            ..
        } => {
            accept_cancel(left, hosted.node(), peer);
            hosted.scope().cancel(Cancellation { canceller, reason });
        }
        event @ (ActorEvent::Drain { .. }
        | ActorEvent::SpawnSpec(_)
        | ActorEvent::CancelAcked { .. }
        | ActorEvent::Ready { .. }
        | ActorEvent::Ended { .. }) => {
            tracing::debug!(?event, "an order that means nothing to this actor now");
        }
    }
}

/// The orderly end: nothing new, what is queued, then the dialogs, then the queue itself.
async fn drain<A: Actor>(cell: &ActorCell<A>, node: &Node) {
    let hosted = cell.hosted();
    hosted.stop_taking();
    // What was queued before this barrier has been run once the barrier is.
    let (sender, passed) = reply::slot::<()>();
    let barrier = Letter::With(Box::new(move |_: &mut A| {
        let _left = sender.send(());
    }));
    // A closed mailbox has drained already.
    let _closed = cell.mailbox().push_unbounded(barrier);
    let _ended_otherwise = passed.await;
    hosted.wait_calls().await;
    let canceller = node.id().clone();
    hosted.cancel_dialogs(&Cancellation {
        canceller,
        reason: CancelReason::BlockEnded,
    });
    hosted.wait_idle().await;
    cell.mailbox().close();
}
