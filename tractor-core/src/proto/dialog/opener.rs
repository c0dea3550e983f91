//! The side of a dialog that sent its `Start`.
//!
//! It is made when the `Start` goes out. What the local handle sees and what the far side still owes are two small
//! machines: a cancelled or dropped call is over for its caller long before the callee has answered, and the slot must
//! stay taken until it has.

use std::time::Duration;

use tractor_ipc::limits::WINDOW_MAX;
use tractor_ipc::msg::{CallKind, Overrun};

use super::flow::{Admission, Flow, Inbox, Outbound, Pushed, Recv};
use super::{DialogViolation, Outcome, Reply, WrongPhase};
use crate::proto::{Loss, Wake};

/// The opener's side of one dialog.
#[derive(Debug)]
pub struct OpenerDialog<P> {
    kind: CallKind,
    far: Far,
    local: Local<P>,
    /// Boxed: a unary call has none.
    flow: Option<Box<Flow<P>>>,
}

/// What the far side still owes.
#[derive(Debug)]
enum Far {
    Owing { stage: Stage, cancel: CancelPhase },
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Sent,
    Accepted,
    Started,
    /// It broke the rules: all but its end is ignored.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CancelPhase {
    Unasked,
    Asked,
    Accepted { ladder_left: Duration },
}

/// What the local handle sees.
#[derive(Debug)]
enum Local<P> {
    Waiting {
        first: Option<P>,
    },
    Done {
        first: Option<P>,
        outcome: Outcome<P>,
    },
    Taken,
    Released,
}

/// What a cancel of a dialog amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelStep {
    /// `Cancel` is to be sent.
    Ask,
    /// It was sent before.
    Asked,
    /// The far side has ended: nothing to do.
    Ended,
}

/// What the release of a handle amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseStep {
    /// The dialog is settled and can be forgotten.
    Settled,
    /// The far side's end is awaited; it has not been asked yet.
    Unasked {
        /// Credit to give back for values nobody will read.
        credit: Option<u32>,
    },
    /// The far side's end is awaited; it has been asked.
    Asked {
        /// Credit to give back for values nobody will read.
        credit: Option<u32>,
    },
}

impl<P> OpenerDialog<P> {
    /// A dialog whose `Start` goes out now, granting the callee this window under this policy.
    pub fn sent(kind: CallKind, window: u32, overrun: Overrun) -> Self {
        let flow = |out| Flow {
            out,
            inbox: Inbox::open(window, overrun),
        };
        Self {
            kind,
            far: Far::Owing {
                stage: Stage::Sent,
                cancel: CancelPhase::Unasked,
            },
            local: Local::Waiting { first: None },
            flow: match kind {
                CallKind::Unary => None,
                CallKind::Context => Some(Box::new(flow(Outbound::Ungranted))),
                CallKind::Stream => Some(Box::new(flow(Outbound::Stopped))),
            },
        }
    }

    /// A dialog that ended before its `Start` went out.
    pub fn unsent(kind: CallKind, outcome: Outcome<P>) -> Self {
        Self {
            kind,
            far: Far::Ended,
            local: Local::Done {
                first: None,
                outcome,
            },
            flow: None,
        }
    }

    /// What kind of dialog it is.
    pub fn kind(&self) -> CallKind {
        self.kind
    }

    /// Whether the far side has ended, or the link with it.
    pub fn far_ended(&self) -> bool {
        matches!(self.far, Far::Ended)
    }

    /// Whether nobody needs it any more.
    pub fn is_settled(&self) -> bool {
        self.far_ended() && matches!(self.local, Local::Released)
    }

    /// The time the far side's teardown may take, once it accepted a cancel and until it has ended.
    pub fn cancel_acked(&self) -> Option<Duration> {
        match self.far {
            Far::Owing {
                cancel: CancelPhase::Accepted { ladder_left },
                ..
            } => Some(ladder_left),
            Far::Owing { .. } | Far::Ended => None,
        }
    }

    /// Values dropped because this side read too slowly.
    pub fn dropped(&self) -> u64 {
        self.flow.as_ref().map_or(0, |flow| flow.inbox.dropped())
    }

    /// Takes the first value of a context, once it is there.
    pub fn take_started(&mut self) -> Option<P> {
        match &mut self.local {
            Local::Waiting { first } | Local::Done { first, .. } => first.take(),
            Local::Taken | Local::Released => None,
        }
    }

    /// Whether it has ended for the local handle, which may have taken the outcome already, or left.
    pub fn has_ended(&self) -> bool {
        match self.local {
            Local::Waiting { .. } => false,
            Local::Done { .. } | Local::Taken | Local::Released => true,
        }
    }

    /// Takes the outcome, once it is there; it is given out once.
    pub fn take_outcome(&mut self) -> Option<Outcome<P>> {
        match std::mem::replace(&mut self.local, Local::Taken) {
            Local::Done { outcome, .. } => Some(outcome),
            Local::Taken => None,
            other @ (Local::Waiting { .. } | Local::Released) => {
                self.local = other;
                None
            }
        }
    }

    /// Asks to stream one value.
    pub fn admit(&mut self) -> Admission {
        match (&mut self.flow, &self.far) {
            _ if matches!(self.local, Local::Released) => Admission::Stopped,
            (Some(flow), Far::Owing { .. }) => flow.out.admit(),
            (_, _) => Admission::Stopped,
        }
    }

    /// Takes the next streamed value, and says what credit to give back.
    pub fn recv(&mut self) -> (Recv<P>, Option<u32>) {
        match &mut self.flow {
            Some(flow) if !matches!(self.local, Local::Released) => flow.inbox.pop(),
            Some(_) | None => (Recv::Ended, None),
        }
    }

    /// Ends this side's direction; true if `Stop` is to be sent. Not before the callee has accepted: until then nothing but
    /// a cancel may follow the `Start`, which could still be taken back.
    pub fn stop(&mut self) -> Result<bool, WrongPhase> {
        match (&mut self.flow, &self.far) {
            (_, Far::Ended) => Ok(false),
            (
                Some(flow),
                Far::Owing {
                    stage: Stage::Accepted | Stage::Started | Stage::Broken,
                    ..
                },
            ) => Ok(flow.out.stop()),
            (_, Far::Owing { .. }) => Err(WrongPhase {
                phase: self.phase(),
            }),
        }
    }

    /// The reader leaves: what is streamed to it from now on is dropped. Returns credit to give back.
    pub fn discard(&mut self) -> Option<u32> {
        self.flow.as_mut().and_then(|flow| flow.inbox.discard())
    }

    /// The local side wants it ended.
    pub fn cancel(&mut self) -> CancelStep {
        match &mut self.far {
            Far::Ended => CancelStep::Ended,
            Far::Owing { cancel, .. } => match cancel {
                CancelPhase::Unasked => {
                    *cancel = CancelPhase::Asked;
                    CancelStep::Ask
                }
                CancelPhase::Asked | CancelPhase::Accepted { .. } => CancelStep::Asked,
            },
        }
    }

    /// Its `Start` turned out never to have left: it ends here.
    pub fn retract(&mut self, outcome: Outcome<P>) -> Wake {
        self.end(outcome)
    }

    /// The local handle is gone; an outcome still to come is absorbed.
    pub fn release(&mut self) -> ReleaseStep {
        self.local = Local::Released;
        match &mut self.far {
            Far::Ended => ReleaseStep::Settled,
            Far::Owing { cancel, .. } => {
                let unasked = *cancel == CancelPhase::Unasked;
                if unasked {
                    *cancel = CancelPhase::Asked;
                }
                let credit = self.discard();
                if unasked {
                    ReleaseStep::Unasked { credit }
                } else {
                    ReleaseStep::Asked { credit }
                }
            }
        }
    }

    /// The callee accepted it, granting this window under this policy.
    pub fn handle_start_ack(
        &mut self,
        window: u32,
        overrun: Overrun,
    ) -> Result<Wake, DialogViolation> {
        if self.absorbs() {
            return Ok(Wake::NONE);
        }
        if window > WINDOW_MAX {
            return Err(DialogViolation::WindowTooLarge { window });
        }
        let phase = self.phase();
        match (&mut self.far, &mut self.flow) {
            (
                Far::Owing {
                    stage: stage @ Stage::Sent,
                    ..
                },
                Some(flow),
            ) => {
                *stage = Stage::Accepted;
                if let Outbound::Ungranted = flow.out {
                    flow.out = Outbound::granted(window, overrun);
                }
                Ok(Wake::STARTED | Wake::SEND)
            }
            (Far::Owing { .. } | Far::Ended, _) => Err(DialogViolation::OutOfPhase {
                message: "StartAck",
                phase,
            }),
        }
    }

    /// The first value of a context came.
    pub fn handle_started(&mut self, value: P) -> Result<Wake, DialogViolation> {
        if self.absorbs() {
            return Ok(Wake::NONE);
        }
        let phase = self.phase();
        match (&mut self.far, self.kind) {
            (
                Far::Owing {
                    stage: stage @ Stage::Accepted,
                    ..
                },
                CallKind::Context,
            ) => {
                *stage = Stage::Started;
                if let Local::Waiting { first } = &mut self.local {
                    *first = Some(value);
                }
                Ok(Wake::STARTED)
            }
            (Far::Owing { .. } | Far::Ended, _) => Err(DialogViolation::OutOfPhase {
                message: "Started",
                phase,
            }),
        }
    }

    /// A streamed value of so many bytes came.
    pub fn handle_yield(&mut self, value: P, bytes: usize) -> Result<Pushed, DialogViolation> {
        if self.absorbs() {
            return Ok(Pushed::default());
        }
        self.streaming("Yield")?.inbox.push(value, bytes)
    }

    /// The callee granted more.
    pub fn handle_credit(&mut self, amount: u32) -> Result<Wake, DialogViolation> {
        if self.absorbs() {
            return Ok(Wake::NONE);
        }
        let phase = self.phase();
        match &mut self.flow {
            Some(flow) => flow.out.handle_credit(amount),
            None => Err(DialogViolation::OutOfPhase {
                message: "Credit",
                phase,
            }),
        }
    }

    /// The callee ended its direction.
    pub fn handle_stop(&mut self) -> Result<Wake, DialogViolation> {
        if self.absorbs() {
            return Ok(Wake::NONE);
        }
        self.streaming("Stop")?.inbox.handle_stop()
    }

    /// The callee accepted the cancel.
    pub fn handle_cancel_ack(&mut self, ladder_left: Duration) -> Result<Wake, DialogViolation> {
        if self.absorbs() {
            return Ok(Wake::NONE);
        }
        let phase = self.phase();
        match &mut self.far {
            Far::Owing {
                cancel: cancel @ CancelPhase::Asked,
                ..
            } => {
                *cancel = CancelPhase::Accepted { ladder_left };
                Ok(Wake::CANCEL_ACK)
            }
            Far::Owing { .. } | Far::Ended => Err(DialogViolation::OutOfPhase {
                message: "CancelAck",
                phase,
            }),
        }
    }

    /// The callee has ended: with this reply, or with one that cannot be read.
    pub fn handle_end(&mut self, reply: Result<Reply<P>, DialogViolation>) -> Wake {
        self.end(match reply {
            Ok(Reply::Return(value)) => Outcome::Return(value),
            Ok(Reply::Fail(fault)) => Outcome::Fail(fault),
            Err(violation) => Outcome::Broken(violation),
        })
    }

    /// The link went away.
    pub fn lose(&mut self, loss: Loss) -> Wake {
        self.end(Outcome::Lost(loss))
    }

    /// The far side broke the rules: it is over for the local handle, and only the far side's end is awaited.
    pub fn break_off(&mut self, violation: DialogViolation) -> Wake {
        if let Far::Owing { stage, .. } = &mut self.far {
            *stage = Stage::Broken;
        }
        self.finish_local(Outcome::Broken(violation))
    }

    fn end(&mut self, outcome: Outcome<P>) -> Wake {
        self.far = Far::Ended;
        self.finish_local(outcome)
    }

    fn finish_local(&mut self, outcome: Outcome<P>) -> Wake {
        if let Some(flow) = &mut self.flow {
            flow.inbox.end();
        }
        match &mut self.local {
            Local::Waiting { first } => {
                let first = first.take();
                self.local = Local::Done { first, outcome };
                Wake::ALL
            }
            // It broke off before: the first outcome stands.
            Local::Done { .. } | Local::Taken => Wake::ALL,
            Local::Released => Wake::NONE,
        }
    }

    /// Whether all but the end is ignored.
    fn absorbs(&self) -> bool {
        matches!(
            self.far,
            Far::Owing {
                stage: Stage::Broken,
                ..
            }
        )
    }

    /// The flow, if the callee may stream in this phase.
    fn streaming(&mut self, message: &'static str) -> Result<&mut Flow<P>, DialogViolation> {
        let phase = self.phase();
        let open = match (self.kind, &self.far) {
            (CallKind::Context, Far::Owing { stage, .. }) => *stage == Stage::Started,
            (CallKind::Stream, Far::Owing { stage, .. }) => *stage == Stage::Accepted,
            (CallKind::Unary, _) | (_, Far::Ended) => false,
        };
        match &mut self.flow {
            Some(flow) if open => Ok(flow),
            Some(_) | None => Err(DialogViolation::OutOfPhase { message, phase }),
        }
    }

    fn phase(&self) -> &'static str {
        match &self.far {
            Far::Owing { stage, .. } => match stage {
                Stage::Sent => "sent",
                Stage::Accepted => "accepted",
                Stage::Started => "started",
                Stage::Broken => "broken",
            },
            Far::Ended => "ended",
        }
    }
}
