//! The life of an actor's process: take the link, prove who it is, be told what to be, be it, and leave in order.

use std::sync::Arc;

use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;
use tractor_ipc::msg::{
    ActorPlan, Credential, EndedHow, Features, Hello, PROTOCOL, Role, SpawnSpec,
};
use tractor_ipc::{Link, LinkLimits, UdsTransport};

use super::role::ActorRole;
use crate::actor::{ACTORS, BootPlan, Ending, Service, run_actor};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::guardian;
use crate::limits::{FLUSH, HANDSHAKE, NURSERY_CAP};
use crate::message::AnyError;
use crate::node::{
    Hosted, LinkEvent, LinkPlan, Node, Peer, PostMortem, Registry, drive, lifeline, reaper,
};
use crate::proto::{ActorEvent, RouterConfig};
use crate::rpc::catalog_fingerprint;

/// Runs the actor this process is; never returns.
pub fn main(role: ActorRole) -> ! {
    let ActorRole {
        link,
        guardian,
        lifeline,
        actor,
        tree,
    } = role;
    let name = actor.to_string();
    let started = guardian::inherit(guardian).and_then(|()| lifeline::watch(lifeline));
    if let Err(error) = started {
        fail(&name, &error);
    }
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => fail(&name, &error),
    };
    let code = runtime.block_on(async {
        let transport = UdsTransport::from_inherited(link).map_err(AnyError::from)?;
        let hello = Hello {
            versions: PROTOCOL,
            features: Features::SUPPORTED,
            identity: actor.clone(),
            role: Role::Child,
            tree,
            epoch: 0,
            catalog: catalog_fingerprint(),
            credential: Credential::Inherited,
        };
        let node = Node::new(actor.clone(), tree, false, Handle::current());
        let clock = node.clock().clone();
        let link = tokio::select! {
            link = tractor_ipc::dial(Box::new(transport), hello, LinkLimits::default()) => link?,
            () = clock.sleep_until(clock.now() + HANDSHAKE) => {
                return Err(AnyError::message("the handshake with the parent took too long"));
            }
        };
        Ok::<_, AnyError>(live(node, link).await)
    });
    runtime.shutdown_background();
    if let Err(left) = reaper::wait_empty(NURSERY_CAP) {
        eprintln!(
            "tractor: {name} leaves while {} of its children have not ended",
            left.len()
        );
    }
    match code {
        Ok(code) => std::process::exit(code),
        Err(error) => fail(&name, &error),
    }
}

/// Serves what the parent asks for until the end, and says how it came.
async fn live(node: Arc<Node>, link: Link) -> i32 {
    // Tasks the user's code starts by itself find their actor by the runtime.
    let _entered = Registry::enter(&node);
    let id = node.id().clone();
    let mut config = RouterConfig::new(id.clone(), Role::Parent);
    config.awaits_spec = true;
    let message_max = LinkLimits::default().message_max;
    let plan = LinkPlan {
        link,
        config,
        message_max,
        post_mortem: std::future::pending::<PostMortem>(),
    };
    let (peer, mut orders) = drive(&node, plan);
    let ending = match wait_for_spec(&mut orders).await {
        Some(spec) => run(&node, &peer, orders, spec).await,
        None => return LEFT_ALONE,
    };
    let code = match ending.how {
        EndedHow::Stopped | EndedHow::Cancelled => 0,
        EndedHow::Failed => FAILED,
    };
    let fault = ending.error.map(|error| error.to_fault());
    peer.ended(ending.how, fault.as_ref());
    peer.bye();
    let flushed = peer.unwritten().wait_empty();
    let clock = node.clock();
    tokio::select! {
        () = flushed => {}
        () = clock.sleep_until(clock.now() + FLUSH) => {}
    }
    code
}

async fn wait_for_spec(orders: &mut mpsc::UnboundedReceiver<LinkEvent>) -> Option<SpawnSpec> {
    loop {
        match orders.recv().await? {
            LinkEvent::Actor(ActorEvent::SpawnSpec(bytes)) => {
                return postcard::from_bytes(&bytes).ok();
            }
            LinkEvent::Actor(ActorEvent::Cancel { .. }) | LinkEvent::Lost(_) => return None,
            LinkEvent::Actor(_) => {}
        }
    }
}

async fn run(
    node: &Arc<Node>,
    peer: &Arc<Peer>,
    orders: mpsc::UnboundedReceiver<LinkEvent>,
    spec: SpawnSpec,
) -> Ending {
    node.set_parent(spec.parent.id);
    let hosted = Hosted::new(node.clone(), node.id().clone(), &spec.exposed);
    let (node, peer) = (node.clone(), peer.clone());
    match spec.plan {
        ActorPlan::Service => {
            let init = postcard::to_allocvec(&()).unwrap_or_default().into();
            run_actor::<Service>(BootPlan {
                node,
                peer,
                orders,
                hosted,
                init,
            })
            .await
        }
        ActorPlan::Stateful { type_name, init } => {
            let found = ACTORS.iter().find(|entry| entry.type_name() == &*type_name);
            match found {
                Some(entry) => {
                    entry
                        .run(BootPlan {
                            node,
                            peer,
                            orders,
                            hosted,
                            init,
                        })
                        .await
                }
                None => Ending {
                    how: EndedHow::Failed,
                    error: Some(unknown(&hosted, &type_name)),
                },
            }
        }
    }
}

fn unknown(hosted: &Hosted, type_name: &str) -> RemoteError {
    let text = format!(
        "this image has no actor type `{type_name}`; a generic actor names its instances with \
         `tractor::register!(…)`, and a crate that nothing names is not linked"
    );
    RemoteError::new(RemoteErrorKind::NotExposed, hosted.id().clone(), text)
}

/// Ends this process with the reason on its standard error, which the parent keeps the tail of.
fn fail(name: &str, error: &dyn std::fmt::Display) -> ! {
    eprintln!("tractor: {name} cannot run: {error}");
    std::process::exit(FAILED)
}

/// The exit code of an actor that failed; its parent has been told how.
const FAILED: i32 = 1;

/// The exit code of an actor whose parent went before it said what to be.
const LEFT_ALONE: i32 = 2;
