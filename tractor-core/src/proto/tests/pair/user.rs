//! What the tasks at one end of a pair hold, and what each of them waits for.

use std::collections::BTreeMap;

use bytes::Bytes;
use tractor_ipc::id::Cid;
use tractor_ipc::msg::{CallKind, Overrun};

use crate::proto::{Action, Request, Ticket, Wake};

/// The tasks at one end.
#[derive(Default)]
pub(super) struct User {
    /// Dialogs opened here, until their handle is released.
    pub(super) mine: Vec<Mine>,
    /// Dialogs of the peer's whose handlers run here.
    pub(super) served: Vec<Served>,
    /// Casts that wait here.
    pub(super) waiting: Vec<Waiting>,
    /// Requests that came and were not taken up.
    pub(super) mailbox: u32,
    /// Who sleeps until which wake.
    asleep: BTreeMap<Cid, Wake>,
    pub(super) heard_bye: bool,
}

/// The opener's handle of a dialog.
#[derive(Clone, Copy)]
pub(super) struct Mine {
    pub(super) cid: Cid,
    pub(super) has_outcome: bool,
}

/// The handler of a dialog.
#[derive(Clone, Copy)]
pub(super) struct Served {
    pub(super) cid: Cid,
    pub(super) kind: CallKind,
    pub(super) cancelled: bool,
}

/// A cast that waits.
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) place: u64,
    pub(super) woken: bool,
}

impl User {
    /// Takes in what the router wants done.
    pub(super) fn take(&mut self, action: Action) {
        match action {
            Action::Notify(cid, wake) => {
                if let Some(asleep) = self.asleep.get_mut(&cid) {
                    *asleep = without(*asleep, wake);
                }
            }
            Action::NotifyTicket(ticket) => {
                let mut waiting = self.waiting.iter_mut();
                if let Some(waiting) = waiting.find(|waiting| waiting.ticket == ticket) {
                    waiting.woken = true;
                }
            }
            Action::Request(request) => self.request(&request),
            Action::CancelRequested { cid, .. } => {
                let mut served = self.served.iter_mut();
                if let Some(served) = served.find(|served| served.cid == cid) {
                    assert!(
                        !std::mem::replace(&mut served.cancelled, true),
                        "{cid} asked twice"
                    );
                }
            }
            Action::Bye => self.heard_bye = true,
            Action::Actor(_) | Action::Pong { .. } => {}
            Action::Send { .. } => unreachable!("what is sent never gets here"),
        }
    }

    fn request(&mut self, request: &Request) {
        self.mailbox += 1;
        if let Some(cid) = request.cid {
            assert!(self.served.iter().all(|served| served.cid != cid));
            self.served.push(Served {
                cid,
                kind: request.kind,
                cancelled: false,
            });
        }
    }

    /// An operation found nothing: its task sleeps until `wake`.
    pub(super) fn sleep(&mut self, cid: Cid, wake: Wake) {
        *self.asleep.entry(cid).or_default() |= wake;
    }

    /// An operation found something: its task must not be one that still sleeps.
    pub(super) fn found(&self, cid: Cid, wake: Wake) {
        let asleep = self.asleep.get(&cid).copied().unwrap_or_default();
        assert!(
            !asleep.contains(wake),
            "RTR-11: nobody woke the task waiting for {wake:?} of {cid}"
        );
    }
}

/// Values of one direction of one dialog.
#[derive(Clone, Copy)]
pub(super) struct Count {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) last: Option<u64>,
    pub(super) window: u32,
    pub(super) overrun: Overrun,
}

impl Count {
    pub(super) fn new(window: u32, overrun: Overrun) -> Self {
        Self {
            sent: 0,
            received: 0,
            last: None,
            window,
            overrun,
        }
    }

    fn is_credited(&self) -> bool {
        matches!(self.overrun, Overrun::Wait | Overrun::Error)
    }

    /// One more value; `deserted`: nobody reads it any more, and who drops it pays for it.
    pub(super) fn sends(&mut self, deserted: bool) {
        self.sent += 1;
        let under_way = self.sent - self.received;
        let within = under_way <= u64::from(self.window);
        assert!(
            !self.is_credited() || deserted || within,
            "RTR-6: {under_way} under way"
        );
    }

    pub(super) fn receives(&mut self, value: u64) {
        self.received += 1;
        let next = self.last.map_or(1, |last| last + 1);
        if self.is_credited() {
            assert_eq!(value, next, "FLW-1: every value, in order");
        } else {
            assert!(value >= next, "FLW-1: in order");
        }
        self.last = Some(value);
    }
}

/// A payload that says only its number.
pub(super) fn numbered(number: u64) -> Bytes {
    Bytes::copy_from_slice(&number.to_le_bytes())
}

/// The number in such a payload.
pub(super) fn number_in(payload: &[u8]) -> u64 {
    u64::from_le_bytes(payload.try_into().expect("eight bytes"))
}

/// `set` without what is in `other`.
fn without(set: Wake, other: Wake) -> Wake {
    let bits = [
        Wake::STARTED,
        Wake::RECV,
        Wake::SEND,
        Wake::OUTCOME,
        Wake::CANCEL_ACK,
    ];
    let left = bits
        .into_iter()
        .filter(|&bit| set.contains(bit) && !other.contains(bit));
    left.fold(Wake::NONE, |left, bit| left | bit)
}
