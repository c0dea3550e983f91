//! What a root's process makes of the signals that ask it to end.
//!
//! ```text
//!   Quiet ─signal─▶ Cancelling ─signal─▶ Killing ─signal, or time─▶ Left
//!     ▲───────────────┴── all have ended ───┘
//! ```
//!
//! - INT-1: the first signal cancels every root there is; one that finds none is as if nobody had looked for it.
//! - INT-2: a second one while they end goes to the last rung, and a third one, or a root that has not left a while after
//!   that, ends the process.

use std::collections::VecDeque;
use std::time::Duration;

use tractor_ipc::time::Instant;

/// Who asks a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Termination {
    /// The person at the terminal: SIGINT.
    Interrupt,
    /// A supervisor: SIGTERM.
    Terminate,
}

impl Termination {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Interrupt, Self::Terminate];

    /// The exit code of a program that has ended by it: 128 and the number of the signal.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// What the driver has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterruptAction {
    /// Die of the signal, as without a handler.
    Default(Termination),
    /// Cancel every root.
    Cancel(Termination),
    /// Kill every process below the roots.
    Kill,
    /// End this process now.
    Leave(Termination),
}

/// The signals of one process.
#[derive(Debug, Default)]
pub struct Interrupts {
    phase: Phase,
    actions: VecDeque<InterruptAction>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Quiet,
    Cancelling,
    Killing {
        by: Termination,
        leaves: Instant,
    },
    Left,
}

impl Interrupts {
    /// Nothing has come.
    pub fn new() -> Self {
        Self::default()
    }

    /// When time itself does something.
    pub fn next_deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Killing { leaves, .. } => Some(leaves),
            Phase::Quiet | Phase::Cancelling | Phase::Left => None,
        }
    }

    /// A signal has come; `roots` says whether there is a root it could cancel.
    pub fn handle_signal(&mut self, by: Termination, roots: bool, now: Instant) {
        if !roots {
            // What it was about has ended meanwhile.
            self.phase = Phase::Quiet;
        }
        match self.phase {
            Phase::Quiet if roots => {
                self.phase = Phase::Cancelling;
                self.actions.push_back(InterruptAction::Cancel(by));
            }
            Phase::Quiet => self.actions.push_back(InterruptAction::Default(by)),
            Phase::Cancelling => {
                let leaves = now + LEAVE;
                self.phase = Phase::Killing { by, leaves };
                self.actions.push_back(InterruptAction::Kill);
            }
            Phase::Killing { .. } => self.leave(by),
            Phase::Left => {}
        }
    }

    /// Every root has ended.
    pub fn handle_ended(&mut self) {
        if self.phase != Phase::Left {
            self.phase = Phase::Quiet;
        }
    }

    /// The next thing to do; until there is none.
    pub fn poll_action(&mut self, now: Instant) -> Option<InterruptAction> {
        if let Phase::Killing { by, leaves } = self.phase
            && leaves <= now
        {
            self.leave(by);
        }
        self.actions.pop_front()
    }

    fn leave(&mut self, by: Termination) {
        self.phase = Phase::Left;
        self.actions.push_back(InterruptAction::Leave(by));
    }
}

/// How long a root may take to leave once everything below it has been killed: what it still does is its own, and somebody
/// has asked twice.
const LEAVE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::InterruptAction::{Cancel, Default, Kill, Leave};
    use super::Termination::{Interrupt, Terminate};
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    fn actions(machine: &mut Interrupts, now: Instant) -> Vec<InterruptAction> {
        std::iter::from_fn(|| machine.poll_action(now)).collect()
    }

    /// INT-1.
    #[test]
    fn the_first_signal_cancels_what_there_is() {
        let mut machine = Interrupts::new();
        machine.handle_signal(Interrupt, false, at(0));
        assert_eq!(actions(&mut machine, at(0)), [Default(Interrupt)]);
        machine.handle_signal(Terminate, true, at(0));
        assert_eq!(actions(&mut machine, at(0)), [Cancel(Terminate)]);
        machine.handle_ended();
        machine.handle_signal(Interrupt, true, at(1));
        assert_eq!(actions(&mut machine, at(1)), [Cancel(Interrupt)]);
        // It ended without a word; what comes now is about nothing.
        machine.handle_signal(Interrupt, false, at(2));
        assert_eq!(actions(&mut machine, at(2)), [Default(Interrupt)]);
    }

    /// INT-2.
    #[test]
    fn who_asks_again_is_heard() {
        let mut machine = Interrupts::new();
        for now in [0, 10] {
            machine.handle_signal(Interrupt, true, at(now));
        }
        assert_eq!(actions(&mut machine, at(10)), [Cancel(Interrupt), Kill]);
        assert_eq!(machine.next_deadline(), Some(at(1010)));
        assert_eq!(actions(&mut machine, at(1009)), []);
        assert_eq!(actions(&mut machine, at(1010)), [Leave(Interrupt)]);
        machine.handle_signal(Interrupt, true, at(1011));
        machine.handle_ended();
        assert_eq!(actions(&mut machine, at(9999)), [], "it has left");

        let mut machine = Interrupts::new();
        for _ in 0..3 {
            machine.handle_signal(Terminate, true, at(0));
        }
        assert_eq!(
            actions(&mut machine, at(0)),
            [Cancel(Terminate), Kill, Leave(Terminate)]
        );

        let mut machine = Interrupts::new();
        for _ in 0..2 {
            machine.handle_signal(Interrupt, true, at(0));
        }
        machine.handle_ended();
        assert_eq!(machine.next_deadline(), None, "all have left in time");
    }
}
