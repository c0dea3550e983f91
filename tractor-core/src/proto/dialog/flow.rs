//! The two directions of a stream inside a dialog.
//!
//! The reader's [`Overrun`] decides who acts when it is too slow. `Wait`: the writer has credit and waits for more.
//! `Error`: the writer has credit, given back value by value, and fails when it is out. `DropOldest`, `DropNewest`: the
//! writer needs no credit (the link's room alone holds it back), the reader keeps a window's worth and counts the rest.
//! So nobody ever holds more than one window of values. Under `Wait` a window of the usual size or more grows while its
//! reader keeps up (`WIN-3`).
//!
//! - FLW-1: values leave an inbox in the order they came; with a dropping policy some are missing, none is out of order.
//! - FLW-2: an inbox never holds more values than its window.

use std::collections::VecDeque;

use tractor_ipc::limits::{STREAM_WINDOW, WINDOW_MAX};
use tractor_ipc::msg::Overrun;

use super::DialogViolation;
use crate::proto::Wake;
use crate::proto::window::{RecvWindow, SendWindow};

/// Both directions as one side sees them.
#[derive(Debug)]
pub struct Flow<P> {
    /// What this side writes.
    pub out: Outbound,
    /// What this side reads.
    pub inbox: Inbox<P>,
}

/// The direction this side writes.
#[derive(Debug)]
pub enum Outbound {
    /// The far side has not granted anything yet.
    Ungranted,
    /// Within the reader's credit.
    Credited {
        /// What is left of it.
        window: SendWindow,
        /// What running out of it means.
        at_zero: AtZero,
    },
    /// The reader drops what is too much: no credit is needed.
    Free,
    /// It ran out of credit where that is a failure.
    Overrun,
    /// We said `Stop`, or this direction never was.
    Stopped,
}

/// What running out of credit means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtZero {
    /// Wait for more.
    Wait,
    /// The stream fails.
    Fail,
}

/// Whether one value may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes; its credit is taken.
    Send,
    /// Not before more credit comes.
    NoCredit,
    /// Never again: the reader was too slow under [`Overrun::Error`].
    Overrun,
    /// Never again: this direction has ended.
    Stopped,
}

impl Outbound {
    /// A direction into a reader that granted `window` and has this policy.
    pub fn granted(window: u32, overrun: Overrun) -> Self {
        let credited = |at_zero| Self::Credited {
            window: SendWindow::new(window),
            at_zero,
        };
        match overrun {
            Overrun::Wait => credited(AtZero::Wait),
            Overrun::Error => credited(AtZero::Fail),
            Overrun::DropOldest | Overrun::DropNewest => Self::Free,
        }
    }

    /// Asks to send one value.
    pub fn admit(&mut self) -> Admission {
        match self {
            Self::Ungranted => Admission::NoCredit,
            Self::Credited { window, at_zero } => {
                if window.take() {
                    return Admission::Send;
                }
                match at_zero {
                    AtZero::Wait => Admission::NoCredit,
                    AtZero::Fail => {
                        *self = Self::Overrun;
                        Admission::Overrun
                    }
                }
            }
            Self::Free => Admission::Send,
            Self::Overrun => Admission::Overrun,
            Self::Stopped => Admission::Stopped,
        }
    }

    /// The reader granted more.
    pub fn handle_credit(&mut self, amount: u32) -> Result<Wake, DialogViolation> {
        match self {
            Self::Credited { window, .. } => {
                let dry = window.credit() == 0;
                if !window.add(amount) {
                    return Err(DialogViolation::TooMuchCredit);
                }
                Ok(if dry { Wake::SEND } else { Wake::NONE })
            }
            // Credit given before the reader could know that this direction had ended.
            Self::Overrun | Self::Stopped => Ok(Wake::NONE),
            Self::Ungranted | Self::Free => Err(DialogViolation::OutOfPhase {
                message: "Credit",
                phase: "without a window",
            }),
        }
    }

    /// Ends this direction; true if `Stop` is to be sent.
    pub fn stop(&mut self) -> bool {
        match self {
            Self::Ungranted | Self::Credited { .. } | Self::Free | Self::Overrun => {
                *self = Self::Stopped;
                true
            }
            Self::Stopped => false,
        }
    }
}

/// The direction this side reads.
#[derive(Debug)]
pub struct Inbox<P> {
    values: VecDeque<P>,
    bound: Bound,
    writer: Writer,
    reader: Reader,
}

#[derive(Debug)]
enum Bound {
    /// Nothing may come yet, or ever.
    Closed,
    Credit(RecvWindow),
    DropOldest {
        capacity: u32,
        dropped: u64,
    },
    DropNewest {
        capacity: u32,
        dropped: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Writing,
    Stopped,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Reading,
    /// It left: what comes is dropped as if it had been read, so that the writer is never stuck on it.
    Gone,
}

/// What one value did to an inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Whom to wake.
    pub wake: Wake,
    /// Credit to give back at once.
    pub credit: Option<u32>,
    /// Values dropped for it.
    pub dropped: u32,
}

/// What a reader finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recv<P> {
    /// A value.
    Value(P),
    /// Nothing yet.
    Empty,
    /// The writer ended this direction; all it sent has been read.
    Stopped,
    /// The dialog has ended; all that was streamed before has been read.
    Ended,
}

impl<P> Inbox<P> {
    /// An inbox that admits nothing (yet).
    pub fn closed() -> Self {
        Self {
            values: VecDeque::new(),
            bound: Bound::Closed,
            writer: Writer::Writing,
            reader: Reader::Reading,
        }
    }

    /// An inbox of this window and policy.
    pub fn open(window: u32, overrun: Overrun) -> Self {
        let mut inbox = Self::closed();
        inbox.grant(window, overrun);
        inbox
    }

    /// Opens it with this window and policy.
    pub fn grant(&mut self, window: u32, overrun: Overrun) {
        let capacity = window.clamp(1, WINDOW_MAX);
        self.bound = match overrun {
            Overrun::Wait if window >= STREAM_WINDOW => Bound::Credit(RecvWindow::growing(window)),
            // Who asks for less than is usual has a reason.
            Overrun::Wait => Bound::Credit(RecvWindow::new(window)),
            Overrun::Error => Bound::Credit(RecvWindow::exact(window)),
            Overrun::DropOldest => Bound::DropOldest {
                capacity,
                dropped: 0,
            },
            Overrun::DropNewest => Bound::DropNewest {
                capacity,
                dropped: 0,
            },
        };
    }

    /// Values waiting.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Values dropped because the reader was too slow.
    pub fn dropped(&self) -> u64 {
        match self.bound {
            Bound::Closed | Bound::Credit(_) => 0,
            Bound::DropOldest { dropped, .. } | Bound::DropNewest { dropped, .. } => dropped,
        }
    }

    /// A value of so many bytes came.
    pub fn push(&mut self, value: P, bytes: usize) -> Result<Pushed, DialogViolation> {
        if self.writer != Writer::Writing {
            return Err(DialogViolation::OutOfPhase {
                message: "Yield",
                phase: "after Stop",
            });
        }
        let held = self.values.len();
        let mut pushed = Pushed::default();
        match &mut self.bound {
            Bound::Closed => return Err(DialogViolation::Overdrawn { window: 0 }),
            Bound::Credit(window) => {
                if !window.arrived(bytes) {
                    let window = window.window();
                    return Err(DialogViolation::Overdrawn { window });
                }
                if self.reader == Reader::Gone {
                    pushed.credit = window.consumed();
                    pushed.dropped = 1;
                }
            }
            Bound::DropOldest { capacity, dropped } => {
                if held >= *capacity as usize {
                    self.values.pop_front();
                    *dropped += 1;
                    pushed.dropped = 1;
                }
            }
            Bound::DropNewest { capacity, dropped } => {
                if held >= *capacity as usize {
                    *dropped += 1;
                    pushed.dropped = 1;
                    return Ok(pushed);
                }
            }
        }
        if self.reader == Reader::Reading {
            self.values.push_back(value);
            if held == 0 {
                pushed.wake = Wake::RECV;
            }
        }
        Ok(pushed)
    }

    /// Takes the next value, and says what credit to give back.
    pub fn pop(&mut self) -> (Recv<P>, Option<u32>) {
        let Some(value) = self.values.pop_front() else {
            let end = match self.writer {
                Writer::Writing => Recv::Empty,
                Writer::Stopped => Recv::Stopped,
                Writer::Ended => Recv::Ended,
            };
            return (end, None);
        };
        (Recv::Value(value), self.credit_for(1))
    }

    /// The writer said `Stop`.
    pub fn handle_stop(&mut self) -> Result<Wake, DialogViolation> {
        match self.writer {
            Writer::Writing => {
                self.writer = Writer::Stopped;
                Ok(Wake::RECV)
            }
            Writer::Stopped | Writer::Ended => Err(DialogViolation::OutOfPhase {
                message: "Stop",
                phase: "after Stop",
            }),
        }
    }

    /// The dialog has ended: nothing more comes, no credit is owed; what is here can still be read.
    pub fn end(&mut self) {
        if self.writer == Writer::Writing {
            self.writer = Writer::Ended;
        }
        if let Bound::Credit(_) = self.bound {
            self.bound = Bound::Closed;
        }
    }

    /// The reader leaves: what is here is dropped, and so is what comes. Returns credit to give back.
    pub fn discard(&mut self) -> Option<u32> {
        self.reader = Reader::Gone;
        let count = std::mem::take(&mut self.values).len();
        self.credit_for(count)
    }

    fn credit_for(&mut self, count: usize) -> Option<u32> {
        match &mut self.bound {
            Bound::Closed | Bound::DropOldest { .. } | Bound::DropNewest { .. } => None,
            Bound::Credit(window) => {
                let grants = (0..count).filter_map(|_| window.consumed());
                let amount: u32 = grants.sum();
                // A writer that has stopped needs no credit.
                (amount > 0 && self.writer == Writer::Writing).then_some(amount)
            }
        }
    }
}
