//! One side of a dialog: a call, a context or a stream.
//!
//! [`OpenerDialog`] is the side that sent the `Start`, [`CalleeDialog`] the side that serves it. Both own a [`Flow`] when
//! the dialog streams. They know no link, no table and no encoding: the payload is any `P`, bytes on a link and values
//! in one process. Whoever owns a dialog sends what its methods say and wakes whom they name.
//!
//! ```text
//!   opener                              callee
//!   Sent ──────────── Start ──────────▶ Offered
//!   Accepted ◀─────── StartAck ──────── Accepted        contexts and streams only
//!   Started  ◀─────── Started ───────── Started         contexts only
//!            ◀──── Yield, Credit, Stop ────▶
//!   Ended    ◀─────── Return | Fail ─── (gone)
//! ```
//!
//! - DLG-1: the opener's side has exactly one outcome, the callee's side sends exactly one end.
//! - DLG-2: a message that does not fit the phase is a [`DialogViolation`] and changes nothing.
//! - DLG-3: an opener's dialog is settled only when its handle is released *and* the far side has ended.

mod callee;
mod flow;
mod opener;

pub use callee::CalleeDialog;
pub use flow::{Admission, AtZero, Flow, Inbox, Outbound, Pushed, Recv};
pub use opener::{CancelStep, OpenerDialog, ReleaseStep};

use tractor_ipc::id::ActorId;
use tractor_ipc::msg::{CancelReason, Fault};

use crate::proto::Loss;

/// How a callee ends its side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<P> {
    /// Well, with a result.
    Return(P),
    /// Badly.
    Fail(Fault),
}

/// How a dialog ended, as its opener sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<P> {
    /// The callee's result.
    Return(P),
    /// The callee's failure.
    Fail(Fault),
    /// The link, or the actor, went away before the callee had ended.
    Lost(Loss),
    /// The far side broke the rules of this dialog; it has been asked to end.
    Broken(DialogViolation),
    /// It was cancelled before anything was sent.
    Cancelled {
        /// Who asked.
        canceller: ActorId,
        /// Why.
        reason: CancelReason,
    },
}

/// A message that does not fit its dialog. It ends that dialog and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialogViolation {
    /// A message the dialog's phase has no place for.
    #[error("{message} in phase {phase}")]
    OutOfPhase {
        /// The message.
        message: &'static str,
        /// The phase it met.
        phase: &'static str,
    },
    /// A value that no credit covers.
    #[error("a value beyond the stream's window of {window}")]
    Overdrawn {
        /// The window it was given.
        window: u32,
    },
    /// More credit than any window holds.
    #[error("more credit than any window holds")]
    TooMuchCredit,
    /// A window above the largest there is.
    #[error("a window of {window}, above the largest allowed")]
    WindowTooLarge {
        /// The window asked for.
        window: u32,
    },
    /// A payload that the dialog itself has to read does not decode.
    #[error("the payload of {message} does not decode")]
    Undecodable {
        /// The message.
        message: &'static str,
    },
}

/// A command of the local side that the dialog's phase has no place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongPhase {
    /// The phase it met.
    pub phase: &'static str,
}
