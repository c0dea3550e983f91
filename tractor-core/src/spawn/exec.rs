//! `Exec`: a fresh process of this same image, started by the guardian, linked by an inherited socket pair.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tractor_ipc::limits::HEAD_MAX;
use tractor_ipc::msg::{ChildOptions, Role, SpawnSpec};
use tractor_ipc::{ActorRef, Expect, LinkLimits, UdsTransport};

use super::boot_race::{Booting, race};
use super::{Child, GiveUp, SpawnMethod, SpawnPlan};
use crate::error::SpawnError;
use crate::guardian;
use crate::host::{ExitStatus, ExitWatch, ProcessHost, StartError, StartProcess, StderrTail};
use crate::limits::{DRAIN, LADDER_LEFT};
use crate::message::AnyError;
use crate::node::reaper::OwnedProcess;
use crate::node::{LinkPlan, Node, PostMortem, drive};
use crate::proto::{Loss, RouterConfig};
use crate::rpc::catalog_fingerprint;

/// A fresh process of this same image.
pub(super) struct Exec;

#[async_trait]
impl SpawnMethod for Exec {
    async fn spawn(&self, plan: SpawnPlan, give_up: GiveUp<'_>) -> Result<Child, SpawnError> {
        let SpawnPlan {
            node,
            host,
            intake,
            parent,
            id,
            actor,
            exposed,
            process,
        } = plan;
        let spec = SpawnSpec {
            id: id.clone(),
            tree: node.tree(),
            parent: ActorRef {
                id: parent.clone(),
                tree: node.tree(),
                address: None,
            },
            plan: actor,
            exposed,
            options: child_options(),
            registry: Vec::new(),
            log: None,
            trace: None,
        };
        let spec = postcard::to_allocvec(&spec).map(Bytes::from);
        let spec = spec.map_err(|error| SpawnError::Encode(AnyError::of(&error)))?;
        let most = LinkLimits::default().message_max.saturating_sub(HEAD_MAX);
        if spec.len() > most {
            let size = spec.len();
            let text =
                format!("{size} bytes with what goes with them, more than the {most} of a message");
            return Err(SpawnError::Encode(AnyError::message(text)));
        }
        let (transport, theirs) = UdsTransport::pair().map_err(|error| start_error(&error))?;
        let mut request = StartProcess::new(id.clone(), node.tree(), theirs);
        process.apply(&mut request);
        let host = match host {
            Some(host) => host,
            None => process_host(&node).await?,
        };
        let process = OwnedProcess::start(host, request)
            .await
            .map_err(start_failed)?;
        let expect = Expect::child(node.tree(), id.clone(), parent, catalog_fingerprint());
        let tail = process.stderr.clone();
        let booting = Booting::new(&node, id, process);
        let handshake = tractor_ipc::accept(Box::new(transport), expect, LinkLimits::default());
        race(booting, give_up, |exit| async {
            let link = handshake.await.map_err(|error| AnyError::of(&error))?;
            let plan = LinkPlan {
                message_max: LinkLimits::default().message_max,
                config: RouterConfig::new(node.id().clone(), Role::Child),
                link,
                post_mortem: post_mortem(exit, tail),
            };
            let (peer, events) = drive(&node, plan);
            peer.send_spec(spec);
            if let Some(intake) = intake {
                peer.serve(intake);
            }
            Ok((peer, events))
        })
        .await
    }
}

/// What starts processes for this node; the root's guardian comes to be on first use.
async fn process_host(node: &Node) -> Result<Arc<dyn ProcessHost>, SpawnError> {
    if let Some(host) = node.host() {
        return Ok(host);
    }
    let starting = node
        .tasks()
        .runtime()
        .spawn_blocking(guardian::for_this_process);
    match starting.await {
        Ok(host) => Ok(node.keep_host(host.map_err(start_failed)?)),
        Err(error) => Err(start_error(&error)),
    }
}

/// How the process behind a lost link ended.
async fn post_mortem(exit: ExitWatch, tail: StderrTail) -> PostMortem {
    let loss = match exit.wait().await {
        ExitStatus::Exited(code) => Loss::Exited { code },
        ExitStatus::Signaled(signal) => Loss::Killed { signal },
        ExitStatus::Unreported => Loss::Io("its guardian is gone, and the process with it".into()),
    };
    PostMortem {
        loss,
        last_words: tail.take(),
    }
}

fn child_options() -> ChildOptions {
    ChildOptions {
        request_window: tractor_ipc::limits::REQUEST_WINDOW,
        message_max: u32::try_from(tractor_ipc::limits::MESSAGE_MAX).unwrap_or(u32::MAX),
        drain: DRAIN,
        ladder_left: LADDER_LEFT,
    }
}

fn start_failed(error: StartError) -> SpawnError {
    match error {
        StartError::GuardianLost(_) => SpawnError::GuardianLost,
        StartError::NoEntry => SpawnError::NotInitialized {
            reason: AnyError::of(&error),
        },
        error => start_error(&error),
    }
}

fn start_error<E: std::error::Error>(error: &E) -> SpawnError {
    SpawnError::Start(AnyError::of(error))
}
