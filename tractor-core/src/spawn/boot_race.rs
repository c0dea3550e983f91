//! A boot is a race: the child's handshake and its first word against its exit, its deadline, and the wish to give it up.
//! Whoever loses, nothing of the child is left when this returns an error.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::mpsc;
use tractor_ipc::ActorId;
use tractor_ipc::msg::EndedHow;

use super::{Child, GiveUp};
use crate::error::SpawnError;
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::host::{ExitStatus, ExitWatch, Signal};
use crate::limits::{BOOT, INIT, LOSS_STATUS};
use crate::message::AnyError;
use crate::node::reaper::OwnedProcess;
use crate::node::{LinkEvent, Node, Peer};
use crate::proto::ActorEvent;
use crate::scope::Cancellation;

/// A child whose process runs and which has not said a word.
pub(super) struct Booting {
    node: Arc<Node>,
    id: ActorId,
    process: OwnedProcess,
}

type Linked = (Arc<Peer>, mpsc::UnboundedReceiver<LinkEvent>);

enum Lost {
    Handshake(AnyError),
    Exited,
    Late(std::time::Duration),
    GivenUp(Cancellation),
    Failed(RemoteError),
}

impl Booting {
    pub(super) fn new(node: &Arc<Node>, id: ActorId, process: OwnedProcess) -> Self {
        Self {
            node: node.clone(),
            id,
            process,
        }
    }
}

/// Runs `connect` and waits for the child to serve, against everything that can go wrong meanwhile.
pub(super) async fn race<F>(
    booting: Booting,
    mut give_up: GiveUp<'_>,
    connect: impl FnOnce(ExitWatch) -> F,
) -> Result<Child, SpawnError>
where
    F: Future<Output = Result<Linked, AnyError>>,
{
    let Booting { node, id, process } = booting;
    let exit = process.exit.clone();
    let clock = node.clock();
    let connecting = connect(exit.clone());
    let lost = {
        let deadline = clock.sleep_until(clock.now() + BOOT);
        tokio::select! {
            biased;
            linked = connecting => match linked {
                Ok((peer, events)) => match ready(&node, &peer, events, &mut give_up).await {
                    Ok(events) => return Ok(Child { peer, events, process }),
                    Err(lost) => lost,
                },
                Err(error) => Lost::Handshake(error),
            },
            _ = exit.wait() => Lost::Exited,
            cancel = &mut give_up => Lost::GivenUp(cancel),
            () = deadline => Lost::Late(BOOT),
        }
    };
    let lost = match lost {
        // A child that dies closes its end first; how it died is the better news.
        Lost::Handshake(error) => {
            let patience = clock.sleep_until(clock.now() + LOSS_STATUS);
            tokio::select! {
                biased;
                _ = exit.wait() => Lost::Exited,
                () = patience => Lost::Handshake(error),
            }
        }
        other => other,
    };
    Err(bury(process, id, lost).await)
}

/// Waits until the child says that it serves.
async fn ready(
    node: &Node,
    peer: &Peer,
    mut events: mpsc::UnboundedReceiver<LinkEvent>,
    give_up: &mut GiveUp<'_>,
) -> Result<mpsc::UnboundedReceiver<LinkEvent>, Lost> {
    let clock = node.clock();
    let mut deadline = clock.sleep_until(clock.now() + INIT);
    loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(LinkEvent::Actor(ActorEvent::Ready { .. })) => return Ok(events),
                Some(LinkEvent::Actor(ActorEvent::Ended { how: EndedHow::Failed, fault, .. })) => {
                    let error = match fault {
                        Some(fault) => RemoteError::from_fault(fault, peer.id()),
                        None => RemoteError::new(RemoteErrorKind::Lost, peer.id().clone(), "it ended"),
                    };
                    return Err(Lost::Failed(error));
                }
                Some(LinkEvent::Actor(_)) => {}
                // A child that dies loses its link first; `race` waits a little for its status.
                Some(LinkEvent::Lost(_)) | None => {
                    return Err(Lost::Handshake(AnyError::message("its link ended before it served")));
                }
            },
            cancel = &mut *give_up => return Err(Lost::GivenUp(cancel)),
            () = &mut deadline => return Err(Lost::Late(INIT)),
        }
    }
}

/// Kills what is left and waits until it has been reaped.
async fn bury(process: OwnedProcess, id: ActorId, lost: Lost) -> SpawnError {
    if process.exit.status().is_none()
        && let Err(error) = process.signal(Signal::Kill)
    {
        tracing::debug!(actor = %id, %error, "cannot be killed; its host is gone, and it with it");
    }
    let status = process.exit.wait().await;
    let name = id.to_string();
    let lost = match lost {
        // It was ending by itself, only slower than it was waited for.
        Lost::Handshake(_)
            if status != ExitStatus::Signaled(rustix::process::Signal::KILL.as_raw()) =>
        {
            Lost::Exited
        }
        other => other,
    };
    match lost {
        Lost::Exited => {
            let stderr = process.stderr.take();
            SpawnError::DiedBooting {
                name,
                how: how_it_ended(status),
                stderr,
            }
        }
        Lost::Late(limit) => {
            let stderr = process.stderr.take();
            SpawnError::BootTimeout {
                name,
                limit,
                stderr,
            }
        }
        Lost::Handshake(error) => SpawnError::Handshake { name, error },
        Lost::GivenUp(cancel) => SpawnError::Cancelled(cancel),
        Lost::Failed(error) => SpawnError::Init { name, error },
    }
}

/// An exit status in words that fit behind "it".
pub(crate) fn how_it_ended(status: ExitStatus) -> String {
    match status {
        ExitStatus::Exited(code) => format!("exited with code {code}"),
        ExitStatus::Signaled(signal) => format!("was killed by signal {signal}"),
        ExitStatus::Unreported => "was killed together with its guardian".to_owned(),
    }
}
