//! One child's way down the ladder: drain → cancel request → wait → terminate → kill → reaped.
//!
//! It knows no process and no link: it says what to send or signal and until when it waits, and is told what came back.
//! Only the reaping of the child ends it.
//!
//! ```text
//!   Serving ─stop─▶ Draining ─time─▶ Asked ─ack─▶ Accepted ─time─▶ Terminated ─time─▶ Killed
//!      └────────────cancel───────────▲ └────────────time──────────────▲                  ▲
//!      └────────────kill─────────────────────────────────────────────────────────────────┘     exited: Done, from each
//! ```
//!
//! - LAD-1: rungs are only ever taken downwards, each at most once.
//! - LAD-2: `Done` comes once, and only when the child was reaped.
//! - LAD-3: from the cancel request on there is always a deadline until the kill: a child's promise is cut to the cap.
//! - LAD-4: nothing is sent once the link is lost; signals still are.

use std::collections::VecDeque;
use std::time::Duration;

use tractor_ipc::time::Instant;

/// The times of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// What a drain may take.
    pub drain: Duration,
    /// Within what a cancel request is accepted.
    pub accept: Duration,
    /// What a process may take to leave once its actor has said that it has ended, or once its link is lost.
    pub leave: Duration,
    /// Between termination and kill.
    pub kill_after: Duration,
    /// From the cancel request to the termination at the latest, whatever the child promises.
    pub cap: Duration,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            drain: Duration::from_secs(5),
            accept: Duration::from_millis(500),
            leave: Duration::from_millis(1600),
            kill_after: Duration::from_millis(500),
            cap: Duration::from_secs(3),
        }
    }
}

/// One child's ladder.
#[derive(Debug)]
pub struct Teardown {
    ladder: Ladder,
    phase: Phase,
    /// The lowest rung taken.
    rung: Rung,
    actions: VecDeque<TeardownAction>,
}

/// How far a child had to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// It ended by itself.
    Untouched,
    /// It was asked to drain.
    Drain,
    /// It was asked to end.
    Cancel,
    /// It got the signal to terminate.
    Terminate,
    /// It was killed.
    Kill,
}

/// What the child's driver has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeardownAction {
    /// Send `Drain`.
    SendDrain {
        /// How long it may take.
        within: Duration,
    },
    /// Send `Cancel`.
    SendCancel {
        /// Time until the child is terminated at the latest.
        left: Duration,
    },
    /// Signal termination.
    Terminate,
    /// Kill it.
    Kill,
    /// It is reaped.
    Done {
        /// How far it had to be taken.
        rung: Rung,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    Draining {
        until: Instant,
    },
    Asked {
        until: Instant,
        cap_at: Instant,
    },
    Accepted {
        until: Instant,
    },
    /// It has ended, or its link is lost: its process should leave by itself, and is not talked to any more.
    Leaving {
        until: Instant,
    },
    Terminated {
        until: Instant,
    },
    Killed,
    Done,
}

impl Teardown {
    /// The ladder of a child that serves.
    pub fn new(ladder: Ladder) -> Self {
        Self {
            ladder,
            phase: Phase::Serving,
            rung: Rung::Untouched,
            actions: VecDeque::new(),
        }
    }

    /// How far the child has been taken.
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// When [`Teardown::poll_action`] has to be called again, unless something happens before.
    pub fn next_deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Draining { until }
            | Phase::Asked { until, .. }
            | Phase::Accepted { until }
            | Phase::Leaving { until }
            | Phase::Terminated { until } => Some(until),
            Phase::Serving | Phase::Killed | Phase::Done => None,
        }
    }

    /// The child is wanted no more, and may finish what it has.
    pub fn start_stop(&mut self, now: Instant) {
        match self.phase {
            Phase::Serving => {
                let within = self.ladder.drain;
                self.take(Rung::Drain, TeardownAction::SendDrain { within });
                let until = now + within;
                self.phase = Phase::Draining { until };
            }
            Phase::Draining { .. }
            | Phase::Asked { .. }
            | Phase::Accepted { .. }
            | Phase::Leaving { .. }
            | Phase::Terminated { .. }
            | Phase::Killed
            | Phase::Done => {}
        }
    }

    /// The child is to end. `left`: what is left of a cap around it, if that is shorter than its own.
    pub fn start_cancel(&mut self, left: Option<Duration>, now: Instant) {
        let cap = left.map_or(self.ladder.cap, |left| left.min(self.ladder.cap));
        let cap_at = now + cap;
        match &mut self.phase {
            Phase::Serving | Phase::Draining { .. } => self.ask(cap, now),
            Phase::Asked {
                until,
                cap_at: cap_before,
            } => {
                *cap_before = cap_at.min(*cap_before);
                *until = cap_at.min(*until);
            }
            Phase::Accepted { until } | Phase::Leaving { until } => *until = cap_at.min(*until),
            Phase::Terminated { .. } | Phase::Killed | Phase::Done => {}
        }
    }

    /// The child is to end now.
    pub fn start_kill(&mut self) {
        match self.phase {
            Phase::Serving
            | Phase::Draining { .. }
            | Phase::Asked { .. }
            | Phase::Accepted { .. }
            | Phase::Leaving { .. }
            | Phase::Terminated { .. } => {
                self.take(Rung::Kill, TeardownAction::Kill);
                self.phase = Phase::Killed;
            }
            Phase::Killed | Phase::Done => {}
        }
    }

    /// The child accepted the cancel request and says how long its own teardown may take.
    pub fn handle_accepted(&mut self, ladder_left: Duration, now: Instant) {
        match self.phase {
            Phase::Asked { cap_at, .. } => {
                let until = cap_at.min(now + ladder_left);
                self.phase = Phase::Accepted { until };
            }
            Phase::Serving
            | Phase::Draining { .. }
            | Phase::Accepted { .. }
            | Phase::Leaving { .. }
            | Phase::Terminated { .. }
            | Phase::Killed
            | Phase::Done => {}
        }
    }

    /// The actor and all below it have ended; only its process is left.
    pub fn handle_ended(&mut self, now: Instant) {
        self.leave(now);
    }

    /// There is nobody left to talk to.
    pub fn handle_link_lost(&mut self, now: Instant) {
        self.actions.retain(|action| match action {
            TeardownAction::SendDrain { .. } | TeardownAction::SendCancel { .. } => false,
            TeardownAction::Terminate | TeardownAction::Kill | TeardownAction::Done { .. } => true,
        });
        self.leave(now);
    }

    /// The child's process was reaped.
    pub fn handle_exited(&mut self) {
        if self.phase != Phase::Done {
            self.phase = Phase::Done;
            self.actions.clear();
            let rung = self.rung;
            self.actions.push_back(TeardownAction::Done { rung });
        }
    }

    /// The next thing to do at this time; until there is none.
    pub fn poll_action(&mut self, now: Instant) -> Option<TeardownAction> {
        while let Some(until) = self.next_deadline()
            && until <= now
        {
            match self.phase {
                Phase::Draining { .. } => self.ask(self.ladder.cap, now),
                Phase::Asked { .. } | Phase::Accepted { .. } | Phase::Leaving { .. } => {
                    self.take(Rung::Terminate, TeardownAction::Terminate);
                    let until = now + self.ladder.kill_after;
                    self.phase = Phase::Terminated { until };
                }
                Phase::Terminated { .. } => {
                    self.take(Rung::Kill, TeardownAction::Kill);
                    self.phase = Phase::Killed;
                }
                Phase::Serving | Phase::Killed | Phase::Done => break,
            }
        }
        self.actions.pop_front()
    }

    fn ask(&mut self, cap: Duration, now: Instant) {
        self.take(Rung::Cancel, TeardownAction::SendCancel { left: cap });
        self.phase = Phase::Asked {
            until: now + self.ladder.accept.min(cap),
            cap_at: now + cap,
        };
    }

    /// The process should leave by itself now; never beyond a promise it made, or the cap.
    fn leave(&mut self, now: Instant) {
        let until = now + self.ladder.leave;
        match self.phase {
            Phase::Serving | Phase::Draining { .. } => self.phase = Phase::Leaving { until },
            Phase::Asked { cap_at, .. } => {
                let until = until.min(cap_at);
                self.phase = Phase::Leaving { until };
            }
            Phase::Accepted { until: before } | Phase::Leaving { until: before } => {
                let until = until.min(before);
                self.phase = Phase::Leaving { until };
            }
            Phase::Terminated { .. } | Phase::Killed | Phase::Done => {}
        }
    }

    fn take(&mut self, rung: Rung, action: TeardownAction) {
        debug_assert!(rung > self.rung, "rungs are taken downwards");
        self.rung = rung;
        self.actions.push_back(action);
    }
}
