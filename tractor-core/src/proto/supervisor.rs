//! What a nursery does when something in it ends: one cancels all.
//!
//! The supervisor knows children by number, failures and cancellers as opaque values, and neither processes nor time. A
//! child is *admitted* before it is started and *reaped* when nothing of it is left; between the two it fails, ends, or
//! is told to end. Who walks a told child down its ladder is its [`Teardown`](super::Teardown).
//!
//! ```text
//!   Serving ── body ended well ──▶ Joining ── one-shots and tasks reaped ──▶ Stopping ── all reaped ──▶ Finished
//!      └──────────┬───────────────────┴────────────────────────────────────────┘                          ▲
//!                 └── failure, cancel ──▶ Cancelling ── body ended, all reaped ───────────────────────────┘
//! ```
//!
//! - SUP-1: `Finish` comes once, after the body has ended and every admitted child was reaped.
//! - SUP-2: every failure is a member of the verdict, in the order they came, also one that came after the cancel was
//!   sent; who ended as cancelled is none.
//! - SUP-3: once something failed or was cancelled, every child is told to cancel exactly once, one admitted later at once.
//! - SUP-4: daemons are stopped only after the body ended well and every one-shot and local task was reaped.
//! - SUP-5: a child is never told anything after it was reaped, nor to stop after it was told to cancel.

use std::collections::{BTreeMap, VecDeque};

/// One nursery's decisions. `F` is a failure, `C` says who cancelled and why.
#[derive(Debug)]
pub struct Supervisor<F, C> {
    phase: Phase,
    children: BTreeMap<ChildId, Child>,
    next: u64,
    failures: Vec<F>,
    cancelled_by: Option<C>,
    actions: VecDeque<SupervisorAction<F, C>>,
}

/// A child's number in its nursery; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId(u64);

/// What kind of child it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChildKind {
    /// An actor that serves until it is stopped.
    Daemon,
    /// An actor for one result.
    OneShot,
    /// A task of this process, borrowed by the nursery's block.
    LocalTask,
}

/// How the nursery's block ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd<F> {
    /// Well.
    Done,
    /// With an error of its own.
    Failed(F),
    /// It was cancelled.
    Cancelled,
}

/// What the nursery's driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupervisorAction<F, C> {
    /// Start this child's ladder at the drain. Not given for local tasks.
    StopChild(ChildId),
    /// Start this child's ladder at the cancel request, or go on there.
    CancelChild(ChildId),
    /// Cancel the scope of the block.
    CancelBody,
    /// Everything has ended.
    Finish(Verdict<F, C>),
}

/// How a nursery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<F, C> {
    /// Every failure, in the order they came.
    pub failures: Vec<F>,
    /// Who cancelled it first, if somebody did (and not a failure in it).
    pub cancelled_by: Option<C>,
}

/// The nursery has ended, or is past admitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the nursery's block has ended")]
pub struct Closed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    Joining,
    Stopping,
    Cancelling {
        body: Body,
    },
    /// All is over, `early` if it was told to end before its time.
    Finished {
        early: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// Somebody asked for the children's end; the block runs on.
    Running,
    Told,
    Ended,
}

#[derive(Debug)]
struct Child {
    kind: ChildKind,
    told: Told,
    /// Its call is under way: how that ends is still to be said, whatever has become of the child.
    owes: bool,
    reaped: bool,
}

impl Child {
    fn new(kind: ChildKind) -> Self {
        Self {
            kind,
            told: Told::Nothing,
            owes: false,
            reaped: false,
        }
    }

    fn is_gone(&self) -> bool {
        self.reaped && !self.owes
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing,
    Stop,
    Cancel,
}

impl<F, C> Supervisor<F, C> {
    /// A nursery whose block begins.
    pub fn new() -> Self {
        Self {
            phase: Phase::Serving,
            children: BTreeMap::new(),
            next: 0,
            failures: Vec::new(),
            cancelled_by: None,
            actions: VecDeque::new(),
        }
    }

    /// Children admitted and not reaped.
    pub fn children(&self) -> usize {
        self.children.len()
    }

    /// Whether everything in it has been told to end before its time.
    pub fn is_cancelling(&self) -> bool {
        match self.phase {
            Phase::Cancelling { .. } => true,
            Phase::Finished { early } => early,
            Phase::Serving | Phase::Joining | Phase::Stopping => false,
        }
    }

    /// Who asked for its end before its time, until it has ended; nobody if a failure in it did.
    pub fn cancelled_by(&self) -> Option<&C> {
        self.cancelled_by.as_ref()
    }

    /// Takes a child in, before it is started.
    ///
    /// # Errors
    ///
    /// [`Closed`] once the daemons are being stopped or all is over.
    pub fn child_admitted(&mut self, kind: ChildKind) -> Result<ChildId, Closed> {
        match self.phase {
            Phase::Serving | Phase::Joining => {}
            Phase::Cancelling { body } if body != Body::Ended || !self.children.is_empty() => {}
            Phase::Cancelling { .. } | Phase::Stopping | Phase::Finished { .. } => {
                return Err(Closed);
            }
        }
        let id = ChildId(self.next);
        self.next += 1;
        self.children.insert(id, Child::new(kind));
        if let Phase::Cancelling { .. } = self.phase {
            self.tell(id, Told::Cancel);
        }
        Ok(id)
    }

    /// The child's call is under way: [`child_done`](Self::child_done) will say that it has ended.
    pub fn child_called(&mut self, id: ChildId) {
        if let Some(child) = self.children.get_mut(&id) {
            child.owes = true;
        }
    }

    /// The child has failed: by an error, a crash, an exit nobody asked for.
    pub fn child_failed(&mut self, id: ChildId, failure: F) {
        if self.children.contains_key(&id) {
            self.failures.push(failure);
            self.cancel_all(Body::Told);
        }
    }

    /// The child has ended well, or because it was cancelled; what is left of it is still to be reaped.
    pub fn child_done(&mut self, id: ChildId) {
        let Some(child) = self.children.get_mut(&id) else {
            return;
        };
        child.owes = false;
        match child.kind {
            // Its result is there: nothing more is wanted of it.
            ChildKind::OneShot => self.tell(id, Told::Stop),
            ChildKind::Daemon | ChildKind::LocalTask => {}
        }
        self.remove_if_gone(id);
    }

    /// Nothing of the child is left.
    pub fn child_reaped(&mut self, id: ChildId) {
        if let Some(child) = self.children.get_mut(&id) {
            child.reaped = true;
        }
        self.remove_if_gone(id);
    }

    /// The block has ended.
    pub fn body_ended(&mut self, end: BodyEnd<F>) {
        match self.phase {
            Phase::Serving
            | Phase::Cancelling {
                body: Body::Running | Body::Told,
            } => {}
            Phase::Joining
            | Phase::Stopping
            | Phase::Cancelling { body: Body::Ended }
            | Phase::Finished { .. } => return,
        }
        match (end, self.phase) {
            (BodyEnd::Done, Phase::Serving) => self.phase = Phase::Joining,
            (BodyEnd::Done | BodyEnd::Cancelled, _) => self.cancel_all(Body::Ended),
            (BodyEnd::Failed(failure), _) => {
                self.failures.push(failure);
                self.cancel_all(Body::Ended);
            }
        }
        self.advance();
    }

    /// Somebody who holds the nursery asks for the end of its children. Its block runs on.
    pub fn cancel_requested(&mut self, by: C) {
        if self.cancel_begins(by) {
            self.cancel_all(Body::Running);
        }
    }

    /// The scope around the nursery was cancelled: block and children end.
    pub fn outer_cancelled(&mut self, by: C) {
        self.cancel_begins(by);
        self.cancel_all(Body::Told);
    }

    /// The next thing to do; until there is none.
    pub fn poll_action(&mut self) -> Option<SupervisorAction<F, C>> {
        self.actions.pop_front()
    }

    /// Notes who cancelled, unless it is cancelling already.
    fn cancel_begins(&mut self, by: C) -> bool {
        match self.phase {
            Phase::Serving | Phase::Joining | Phase::Stopping => {
                self.cancelled_by = Some(by);
                true
            }
            Phase::Cancelling { .. } | Phase::Finished { .. } => false,
        }
    }

    /// Everything is to end; `body` says how far the block is, or how far it is to be taken.
    fn cancel_all(&mut self, body: Body) {
        let before = match self.phase {
            Phase::Serving => Body::Running,
            Phase::Joining | Phase::Stopping => Body::Ended,
            Phase::Cancelling { body } => body,
            Phase::Finished { .. } => return,
        };
        let body = match (before, body) {
            (Body::Ended, _) | (_, Body::Ended) => Body::Ended,
            (Body::Running, Body::Told) => {
                self.actions.push_back(SupervisorAction::CancelBody);
                Body::Told
            }
            (Body::Told, Body::Running | Body::Told) => Body::Told,
            (Body::Running, Body::Running) => Body::Running,
        };
        self.phase = Phase::Cancelling { body };
        let ids: Vec<ChildId> = self.children.keys().copied().collect();
        for id in ids {
            self.tell(id, Told::Cancel);
        }
    }

    fn remove_if_gone(&mut self, id: ChildId) {
        if self.children.get(&id).is_some_and(Child::is_gone) {
            self.children.remove(&id);
            self.advance();
        }
    }

    /// Goes on to what the children left allow.
    fn advance(&mut self) {
        let daemons_only = self
            .children
            .values()
            .all(|child| child.kind == ChildKind::Daemon);
        if self.phase == Phase::Joining && daemons_only {
            self.phase = Phase::Stopping;
            let ids: Vec<ChildId> = self.children.keys().copied().collect();
            for id in ids {
                self.tell(id, Told::Stop);
            }
        }
        let over = match self.phase {
            Phase::Stopping | Phase::Cancelling { body: Body::Ended } => self.children.is_empty(),
            Phase::Cancelling {
                body: Body::Running | Body::Told,
            }
            | Phase::Serving
            | Phase::Joining
            | Phase::Finished { .. } => false,
        };
        if over {
            let early = self.is_cancelling();
            self.phase = Phase::Finished { early };
            self.actions.push_back(SupervisorAction::Finish(Verdict {
                failures: std::mem::take(&mut self.failures),
                cancelled_by: self.cancelled_by.take(),
            }));
        }
    }

    fn tell(&mut self, id: ChildId, what: Told) {
        let Some(child) = self.children.get_mut(&id) else {
            return;
        };
        if child.told >= what {
            return;
        }
        child.told = what;
        self.actions.push_back(match what {
            Told::Nothing => return,
            Told::Stop => SupervisorAction::StopChild(id),
            Told::Cancel => SupervisorAction::CancelChild(id),
        });
    }
}

impl<F, C> Default for Supervisor<F, C> {
    fn default() -> Self {
        Self::new()
    }
}
