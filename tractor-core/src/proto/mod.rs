//! The pure machines: what two peers owe each other, and what a nursery owes its children.
//!
//! [`Router`] keeps one link's dialogs, [`OpenerDialog`] and [`CalleeDialog`] are the two sides of one,
//! [`Supervisor`] decides what a nursery does when something in it ends, [`Teardown`] walks one child down the ladder,
//! [`Interrupts`] decides what a signal means to a root's process.
//! Each is a plain struct with the same grammar:
//!
//! - getters;
//! - `handle_*` for what came from outside, commands for what the local side wants;
//! - `poll_action` for what the driver has to do, drained after every event and command.
//!
//! Nothing here is `async`, reads a clock, takes a lock or touches the operating system: `now` is an argument, the same
//! inputs give the same outputs. Drivers hold the lock and do the waiting.

pub mod dialog;
pub mod interrupt;
pub mod router;
pub mod slots;
pub mod supervisor;
pub mod teardown;
#[cfg(test)]
mod tests;
pub mod window;

use std::ops::{BitOr, BitOrAssign};
use std::sync::Arc;

use tractor_ipc::msg::Fault;

pub use dialog::{CalleeDialog, DialogViolation, OpenerDialog, Outcome, Recv, Reply};
pub use interrupt::{InterruptAction, Interrupts, Termination};
pub use router::{
    Action, ActorEvent, Cancelled, Cast, CastPlace, CastRefused, CommandError, Open, OpenRefused,
    Request, Router, RouterConfig, RouterStatistics, SendPlace, Ticket, Violation,
};
pub use supervisor::{BodyEnd, ChildId, ChildKind, Closed, Supervisor, SupervisorAction, Verdict};
pub use teardown::{Ladder, Rung, Teardown, TeardownAction};

/// Why a link, or the actor behind it, is no more. Every waiter gets the same one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// It was closed from our side, or the actor ended in order.
    #[error("closed")]
    Closed,
    /// Reading or writing failed.
    #[error("input or output failed: {0}")]
    Io(Arc<str>),
    /// The peer broke the protocol.
    #[error("the peer broke the protocol: {0}")]
    Protocol(Arc<str>),
    /// Its process ended with this exit code.
    #[error("its process exited with code {code}")]
    Exited {
        /// The exit code.
        code: i32,
    },
    /// Its process was ended by this signal.
    #[error("its process was killed by signal {signal}")]
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// The actor failed and said how.
    #[error("the actor crashed")]
    Crashed(Arc<Fault>),
    /// The peer closed it in order.
    #[error("the peer closed the link")]
    Bye,
}

/// What a local task waiting on a dialog may want to look at again: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wake(u8);

impl Wake {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The first value, or that there will be none.
    pub const STARTED: Self = Self(1);
    /// A streamed value, or the end of the stream.
    pub const RECV: Self = Self(2);
    /// Room to send, or that there will be none.
    pub const SEND: Self = Self(4);
    /// The outcome.
    pub const OUTCOME: Self = Self(8);
    /// The acceptance of a cancel.
    pub const CANCEL_ACK: Self = Self(16);
    /// All of them: the dialog is over.
    pub const ALL: Self = Self(31);

    /// Whether all of `other` is in this set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is in it.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Wake {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Wake {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
