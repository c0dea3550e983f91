//! The driver of one link: two tasks that read and write, and the end of the link told to everybody once.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tractor_ipc::channel::{Link, LinkReceiver};
use tractor_ipc::error::RecvError;
use tractor_ipc::msg::Msg;

use super::Node;
use super::effects::Effects;
use super::peer::Peer;
use crate::limits::LOSS_STATUS;
use crate::proto::{ActorEvent, Loss, Router, RouterConfig};

/// What a link tells of the actor at its far end, and of its own end.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// Something about an actor.
    Actor(ActorEvent),
    /// The link is gone: the last event.
    Lost(Loss),
}

/// What a link is driven by.
pub(crate) struct LinkPlan<F> {
    /// The handshaken link.
    pub(crate) link: Link,
    /// How the router is to be set up.
    pub(crate) config: RouterConfig,
    /// Longest message.
    pub(crate) message_max: usize,
    /// Tells a better cause for the end of the link, if it comes to know one soon: how the process behind it ended.
    pub(crate) post_mortem: F,
}

/// Starts the link's two tasks. The receiver gets what the far end says of actors; it ends with the link.
pub(crate) fn drive<F>(
    node: &Arc<Node>,
    plan: LinkPlan<F>,
) -> (Arc<Peer>, mpsc::UnboundedReceiver<LinkEvent>)
where
    F: Future<Output = PostMortem> + Send + 'static,
{
    let LinkPlan {
        link,
        config,
        message_max,
        post_mortem,
    } = plan;
    let router = Router::new(link.side, config);
    let id = link.peer.identity.clone();
    let (peer, events) = Peer::new(
        node.clone(),
        id,
        link.side,
        message_max,
        link.sender,
        router,
    );
    node.add_peer(&peer);
    let flusher = link.flusher;
    let writing = peer.clone();
    let unwritten = peer.unwritten().enter();
    node.tasks().spawn(async move {
        let _unwritten = unwritten;
        if let Err(down) = flusher.run().await {
            tracing::debug!(peer = %writing.id(), %down, "the link cannot be written");
        }
    });
    let end = LinkEnd {
        peer: peer.clone(),
        loss: Loss::Closed,
    };
    node.tasks().spawn(async move {
        let loss = read(&end.peer, link.receiver).await;
        let loss = match loss {
            Loss::Bye | Loss::Protocol(_) | Loss::Crashed(_) => loss,
            Loss::Closed | Loss::Io(_) | Loss::Exited { .. } | Loss::Killed { .. } => {
                better_cause(&end.peer, loss, post_mortem).await
            }
        };
        end.by(loss);
    });
    (peer, events)
}

/// The end of a link, told to everybody once: also where its task is dropped with its runtime.
struct LinkEnd {
    peer: Arc<Peer>,
    loss: Loss,
}

impl LinkEnd {
    fn by(mut self, loss: Loss) {
        self.loss = loss;
    }
}

impl Drop for LinkEnd {
    fn drop(&mut self) {
        let (peer, loss) = (&self.peer, self.loss.clone());
        tracing::debug!(peer = %peer.id(), %loss, "the link has ended");
        peer.node().remove_peer(peer);
        peer.lose(loss.clone());
        peer.emit(LinkEvent::Lost(loss));
        peer.sender().close();
    }
}

/// How the process behind a link ended, and what it last wrote.
#[derive(Debug)]
pub(crate) struct PostMortem {
    pub(crate) loss: Loss,
    pub(crate) last_words: String,
}

/// Reads until the link ends and says why it did.
async fn read(peer: &Arc<Peer>, mut receiver: LinkReceiver) -> Loss {
    loop {
        match receiver.recv().await {
            Ok(Some((msg, payload))) => {
                if let Err(loss) = handle_batch(peer, &mut receiver, msg, payload) {
                    return loss;
                }
            }
            Ok(None) => return Loss::Closed,
            Err(error) => return loss_of(&error),
        }
    }
}

/// Handles everything one read brought, under one lock.
fn handle_batch(
    peer: &Arc<Peer>,
    receiver: &mut LinkReceiver,
    msg: Msg,
    payload: Bytes,
) -> Result<(), Loss> {
    let now = peer.node().clock().now();
    let mut effects = Effects::default();
    let mut next = Some((msg, payload));
    let mut result = Ok(());
    {
        let mut state = peer.lock();
        while let Some((msg, payload)) = next.take() {
            let handled = state.router.handle(msg, payload, now);
            effects.drain(peer, &mut state);
            if let Err(violation) = handled {
                result = Err(Loss::Protocol(violation.to_string().into()));
                break;
            }
            if let Some(loss) = state.router.loss() {
                // The peer has said goodbye, or the link was given up here: what else comes has no meaning.
                result = Err(loss.clone());
                break;
            }
            match receiver.try_recv() {
                Ok(more) => next = more,
                Err(error) => {
                    result = Err(loss_of(&error));
                    break;
                }
            }
        }
    }
    effects.perform(peer);
    result
}

async fn better_cause(
    peer: &Peer,
    loss: Loss,
    post_mortem: impl Future<Output = PostMortem>,
) -> Loss {
    let clock = peer.node().clock();
    let patience = clock.sleep_until(clock.now() + LOSS_STATUS);
    tokio::select! {
        biased;
        better = post_mortem => {
            peer.keep_last_words(better.last_words);
            better.loss
        }
        () = patience => loss,
    }
}

fn loss_of(error: &RecvError) -> Loss {
    match error {
        RecvError::Down(down) => Loss::Io(down.to_string().into()),
        other => Loss::Protocol(other.to_string().into()),
    }
}
