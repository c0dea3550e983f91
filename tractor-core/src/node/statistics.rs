//! What a node has under way and what it has dropped, counted when somebody asks.

use std::sync::Weak;

use serde::{Deserialize, Serialize};

use super::{Node, reaper};
use crate::proto::RouterStatistics;
use crate::sync::atomic::Ordering;

/// What one actor's node has under way, and what it has dropped since it began. At rest everything but the last group is
/// zero, the links to children and parent aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Statistics {
    /// Links that are up: to the parent and to each child.
    pub links: usize,
    /// Calls, contexts and streams opened from here that are not over.
    pub opened: usize,
    /// Calls, contexts and streams served here that are not over.
    pub served: usize,
    /// Calls from here that wait for room at their callee; they are counted as opened too.
    pub queued_calls: usize,
    /// One-way messages from here that wait for room at their receiver.
    pub queued_casts: usize,
    /// Tasks of the node, those of its links among them.
    pub tasks: usize,
    /// Nurseries whose blocks have not ended.
    pub nurseries: usize,
    /// Child processes of this process that have not been reaped.
    pub unreaped: usize,

    /// Frames dropped because their dialog, or their link, had ended.
    pub late: u64,
    /// Calls and one-way messages that were cancelled before they were sent.
    pub unsent: u64,
    /// Results of handlers that nobody waited for any more.
    pub replies_dropped: u64,
    /// Streamed values dropped because a reader was too slow, or had left.
    pub values_dropped: u64,
    /// One-way messages that were accepted here and then refused, not understood, or still queued when their actor ended.
    pub casts_lost: u64,
    /// Dialogs that ended because the far end broke their rules.
    pub broken: u64,
    /// How often a task that this library did not start, and that carries no scope along, was taken for the root's.
    pub adopted: u64,
}

impl Statistics {
    fn add(&mut self, link: RouterStatistics) {
        self.opened += link.opened;
        self.served += link.served;
        self.queued_calls += link.queued_calls;
        self.queued_casts += link.queued_casts;
        self.late += link.late;
        self.unsent += link.unsent;
        self.replies_dropped += link.replies_dropped;
        self.values_dropped += link.values_dropped;
        self.broken += link.broken;
    }
}

impl Node {
    /// What it has under way, and what it has dropped since it began.
    pub(crate) fn statistics(&self) -> Statistics {
        let (links, peers, mut counted) = {
            let peers = self.peers.lock();
            let all = peers.up.values().chain(&peers.lost);
            let all: Vec<_> = all.filter_map(Weak::upgrade).collect();
            (peers.up.len(), all, peers.gone)
        };
        for peer in peers {
            counted.add(peer.statistics());
        }
        Statistics {
            links,
            tasks: self.tasks().len(),
            nurseries: self.nurseries().len(),
            unreaped: reaper::unreaped(),
            casts_lost: self.casts_lost.load(Ordering::Relaxed),
            adopted: self.adopted.load(Ordering::Relaxed),
            ..counted
        }
    }

    /// Keeps of a link that is gone what it had dropped.
    pub(super) fn bury(&self, link: RouterStatistics) {
        self.peers.lock().gone.add(RouterStatistics {
            opened: 0,
            served: 0,
            queued_calls: 0,
            queued_casts: 0,
            ..link
        });
    }
}
