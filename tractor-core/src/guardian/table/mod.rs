//! The tree of processes below one root, as a pure machine: who is whose child, who must be killed, who is told what.
//!
//! Events in, [`Action`]s out; no pid is looked up, no descriptor held, no clock read. The driver
//! ([`serve`](super::serve)) forks, kills, reaps and sends.

use std::collections::{BTreeMap, VecDeque};

use super::wire::Event;
use crate::host::{ExitStatus, OsError, ProcessId, Signal, StartStage};

/// The owner of the first connection.
pub const ROOT: ProcessId = ProcessId::new(0);

/// Every process of the tree.
#[derive(Debug)]
pub struct Table {
    nodes: BTreeMap<ProcessId, Node>,
    /// The processes that have a pid, for each a node in a phase that has it.
    pids: BTreeMap<u32, ProcessId>,
    actions: VecDeque<Action>,
    last: u64,
    capacity: usize,
}

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Tell a process something, on its own connection.
    Send(ProcessId, Event),
    /// Send a signal to a pid that has not been reaped.
    Kill(u32, Signal),
    /// This process is gone: close its connection.
    Close(ProcessId),
}

#[derive(Debug)]
struct Node {
    parent: ProcessId,
    tag: String,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Admitted; not forked yet.
    Admitted { token: u64 },
    /// Forked; not known to be this image yet.
    Starting { token: u64, pid: u32 },
    /// Its image could not be executed; not reaped yet.
    Failed { pid: u32 },
    /// An actor.
    Running { pid: u32 },
    /// Reaped; processes below it are not. `None`: there is nobody to tell.
    Ended { status: Option<ExitStatus> },
}

impl Phase {
    fn pid(&self) -> Option<u32> {
        match *self {
            Self::Starting { pid, .. } | Self::Failed { pid } | Self::Running { pid } => Some(pid),
            Self::Admitted { .. } | Self::Ended { .. } => None,
        }
    }
}

impl Table {
    /// The table of a root that has no processes yet, and may have at most `capacity`.
    pub fn new(capacity: usize) -> Self {
        Self {
            nodes: BTreeMap::new(),
            pids: BTreeMap::new(),
            actions: VecDeque::new(),
            last: ROOT.number(),
            capacity,
        }
    }

    /// How many processes are not reaped yet.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The process that has this pid now.
    pub fn by_pid(&self, pid: u32) -> Option<ProcessId> {
        self.pids.get(&pid).copied()
    }

    /// Whether an actor with this tag is alive.
    pub fn is_alive(&self, tag: &str) -> bool {
        let alive = |node: &Node| node.phase.pid().is_some() && node.tag == tag;
        self.nodes.values().any(alive)
    }

    /// A request for a process came on the connection of `owner`: the new process's name, or a refusal is queued.
    pub fn handle_spawn(&mut self, owner: ProcessId, token: u64, tag: String) -> Option<ProcessId> {
        let alive = owner == ROOT || self.pid_of(owner).is_some();
        if !alive || self.nodes.len() >= self.capacity {
            self.refuse(owner, token, StartStage::Admit, OsError::from_raw(EAGAIN));
            return None;
        }
        self.last += 1;
        let id = ProcessId::new(self.last);
        let node = Node {
            parent: owner,
            tag,
            phase: Phase::Admitted { token },
        };
        self.nodes.insert(id, node);
        Some(id)
    }

    /// The admitted process could not even be forked.
    pub fn handle_not_forked(&mut self, id: ProcessId, stage: StartStage, error: OsError) {
        if let Some(Node { parent, phase, .. }) = self.nodes.remove(&id)
            && let Phase::Admitted { token } = phase
        {
            self.refuse(parent, token, stage, error);
        }
    }

    /// The admitted process has been forked.
    pub fn handle_forked(&mut self, id: ProcessId, pid: u32) {
        if let Some(node) = self.nodes.get_mut(&id)
            && let Phase::Admitted { token } = node.phase
        {
            node.phase = Phase::Starting { token, pid };
            self.pids.insert(pid, id);
        }
    }

    /// The forked process runs this image.
    pub fn handle_executed(&mut self, id: ProcessId) {
        if let Some(node) = self.nodes.get_mut(&id)
            && let Phase::Starting { token, pid } = node.phase
        {
            node.phase = Phase::Running { pid };
            let parent = node.parent;
            self.tell(parent, Event::Spawned { token, id, pid });
        }
    }

    /// The forked process said why it cannot become this image; it is about to end.
    pub fn handle_exec_failed(&mut self, id: ProcessId, stage: StartStage, error: OsError) {
        if let Some(node) = self.nodes.get_mut(&id)
            && let Phase::Starting { token, pid } = node.phase
        {
            node.phase = Phase::Failed { pid };
            let parent = node.parent;
            self.refuse(parent, token, stage, error);
        }
    }

    /// A child of the guardian was reaped; `false` if it is not one of the tree's.
    pub fn handle_exit(&mut self, pid: u32, status: ExitStatus) -> bool {
        let Some(id) = self.by_pid(pid) else {
            return false;
        };
        let told = match self.nodes.get_mut(&id).map(|node| &mut node.phase) {
            // Whoever asked was answered with a refusal; there is no process to report.
            Some(Phase::Failed { .. }) | None => None,
            Some(Phase::Admitted { .. } | Phase::Ended { .. }) => None,
            Some(Phase::Starting { .. } | Phase::Running { .. }) => Some(status),
        };
        self.handle_executed(id); // a process killed before its exec was known: started and ended
        if let Some(node) = self.nodes.get_mut(&id) {
            node.phase = Phase::Ended { status: told };
        }
        self.pids.remove(&pid);
        self.actions.push_back(Action::Close(id));
        self.kill_below(id);
        self.settle(id);
        true
    }

    /// A signal was asked for on the connection of `owner`; one for a process that is not its own is dropped.
    pub fn handle_signal(&mut self, owner: ProcessId, id: ProcessId, signal: Signal) {
        if let Some(node) = self.nodes.get(&id)
            && node.parent == owner
            && let Some(pid) = node.phase.pid()
        {
            self.actions.push_back(Action::Kill(pid, signal));
        }
    }

    /// A sign of life was asked for on the connection of `owner`.
    pub fn handle_ping(&mut self, owner: ProcessId, number: u64) {
        self.tell(owner, Event::Pong(number));
    }

    /// What is to be done next, in order.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn pid_of(&self, id: ProcessId) -> Option<u32> {
        self.nodes.get(&id).and_then(|node| node.phase.pid())
    }

    fn tell(&mut self, owner: ProcessId, event: Event) {
        if owner == ROOT || self.pid_of(owner).is_some() {
            self.actions.push_back(Action::Send(owner, event));
        }
    }

    fn refuse(&mut self, owner: ProcessId, token: u64, stage: StartStage, error: OsError) {
        let refused = Event::Refused {
            token,
            stage,
            error,
        };
        self.tell(owner, refused);
    }

    fn children_of(&self, id: ProcessId) -> Vec<ProcessId> {
        let mine = self.nodes.iter().filter(|(_, node)| node.parent == id);
        mine.map(|(id, _)| *id).collect()
    }

    /// Kills every living process below `id`, at any depth.
    fn kill_below(&mut self, id: ProcessId) {
        let mut pending = self.children_of(id);
        while let Some(below) = pending.pop() {
            if let Some(pid) = self.pid_of(below) {
                self.actions.push_back(Action::Kill(pid, Signal::Kill));
            }
            pending.extend(self.children_of(below));
        }
    }

    /// Forgets an ended process that has nobody below it, tells its parent, and looks at the parent in turn.
    fn settle(&mut self, id: ProcessId) {
        let mut id = id;
        while let Some(node) = self.nodes.get(&id)
            && let Phase::Ended { status } = node.phase
            && self.children_of(id).is_empty()
        {
            let parent = node.parent;
            self.nodes.remove(&id);
            if let Some(status) = status {
                self.tell(parent, Event::Exited { id, status });
            }
            id = parent;
        }
    }
}

/// "Try again": what `fork` says when there are too many processes.
const EAGAIN: i32 = 11;

#[cfg(test)]
mod tests;
