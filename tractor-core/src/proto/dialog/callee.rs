//! The side of a dialog that serves it.
//!
//! It exists from the arrival of the `Start` until its `Return` or `Fail` is sent: who holds the handler's end asks for
//! it by its `Cid` and is told when it is gone.

use tractor_ipc::limits::WINDOW_MAX;
use tractor_ipc::msg::{CallKind, Overrun};

use super::flow::{Admission, Flow, Inbox, Outbound, Pushed, Recv};
use super::{DialogViolation, WrongPhase};
use crate::proto::Wake;

/// The callee's side of one dialog.
#[derive(Debug)]
pub struct CalleeDialog<P> {
    kind: CallKind,
    stage: Stage,
    cancel: CancelPhase,
    /// Boxed: a unary call has none.
    flow: Option<Box<Flow<P>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Offered,
    Accepted,
    Started,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CancelPhase {
    Unasked,
    Asked,
}

impl<P> CalleeDialog<P> {
    /// A dialog whose `Start` has come, granting us this window under this policy.
    pub fn offered(kind: CallKind, window: u32, overrun: Overrun) -> Result<Self, DialogViolation> {
        if window > WINDOW_MAX {
            return Err(DialogViolation::WindowTooLarge { window });
        }
        Ok(Self {
            kind,
            stage: Stage::Offered,
            cancel: CancelPhase::Unasked,
            flow: match kind {
                CallKind::Unary => None,
                CallKind::Context | CallKind::Stream => Some(Box::new(Flow {
                    out: Outbound::granted(window, overrun),
                    inbox: Inbox::closed(),
                })),
            },
        })
    }

    /// Stands for a dialog whose `Start` was refused, until that is said.
    pub fn placeholder() -> Self {
        Self {
            kind: CallKind::Unary,
            stage: Stage::Offered,
            cancel: CancelPhase::Unasked,
            flow: None,
        }
    }

    /// What kind of dialog it is.
    pub fn kind(&self) -> CallKind {
        self.kind
    }

    /// Whether its opener has asked it to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancel == CancelPhase::Asked
    }

    /// Values dropped because this side read too slowly.
    pub fn dropped(&self) -> u64 {
        self.flow.as_ref().map_or(0, |flow| flow.inbox.dropped())
    }

    /// Accepts a context or stream, granting the opener this window; `StartAck` is to be sent.
    pub fn accept(&mut self, window: u32, overrun: Overrun) -> Result<(), WrongPhase> {
        match (self.stage, &mut self.flow) {
            (Stage::Offered, Some(flow)) => {
                self.stage = Stage::Accepted;
                if self.kind == CallKind::Context {
                    flow.inbox.grant(window, overrun);
                }
                Ok(())
            }
            (Stage::Offered | Stage::Accepted | Stage::Started, _) => Err(self.wrong_phase()),
        }
    }

    /// Gives the first value of a context; `Started` is to be sent.
    pub fn started(&mut self) -> Result<(), WrongPhase> {
        match (self.stage, self.kind) {
            (Stage::Accepted, CallKind::Context) => {
                self.stage = Stage::Started;
                Ok(())
            }
            (Stage::Offered | Stage::Accepted | Stage::Started, _) => Err(self.wrong_phase()),
        }
    }

    /// Asks to stream one value.
    pub fn admit(&mut self) -> Result<Admission, WrongPhase> {
        let wrong = self.wrong_phase();
        match (self.kind, self.stage, &mut self.flow) {
            (CallKind::Context, Stage::Started, Some(flow))
            | (CallKind::Stream, Stage::Accepted, Some(flow)) => Ok(flow.out.admit()),
            (CallKind::Unary | CallKind::Context | CallKind::Stream, _, _) => Err(wrong),
        }
    }

    /// Takes the next streamed value, and says what credit to give back.
    pub fn recv(&mut self) -> (Recv<P>, Option<u32>) {
        match &mut self.flow {
            Some(flow) if self.kind == CallKind::Context => flow.inbox.pop(),
            Some(_) | None => (Recv::Stopped, None),
        }
    }

    /// Ends this side's direction; true if `Stop` is to be sent.
    pub fn stop(&mut self) -> Result<bool, WrongPhase> {
        let wrong = self.wrong_phase();
        match (self.kind, self.stage, &mut self.flow) {
            (CallKind::Context, Stage::Started, Some(flow))
            | (CallKind::Stream, Stage::Accepted, Some(flow)) => Ok(flow.out.stop()),
            (CallKind::Unary | CallKind::Context | CallKind::Stream, _, _) => Err(wrong),
        }
    }

    /// The reader leaves: what is streamed to it from now on is dropped. Returns credit to give back.
    pub fn discard(&mut self) -> Option<u32> {
        self.flow.as_mut().and_then(|flow| flow.inbox.discard())
    }

    /// A streamed value of so many bytes came.
    pub fn handle_yield(&mut self, value: P, bytes: usize) -> Result<Pushed, DialogViolation> {
        self.context("Yield")?.inbox.push(value, bytes)
    }

    /// The opener granted more.
    pub fn handle_credit(&mut self, amount: u32) -> Result<Wake, DialogViolation> {
        let phase = self.phase();
        match &mut self.flow {
            Some(flow) => flow.out.handle_credit(amount),
            None => Err(DialogViolation::OutOfPhase {
                message: "Credit",
                phase,
            }),
        }
    }

    /// The opener ended its direction.
    pub fn handle_stop(&mut self) -> Result<Wake, DialogViolation> {
        self.context("Stop")?.inbox.handle_stop()
    }

    /// The opener wants it ended.
    pub fn handle_cancel(&mut self) -> Result<(), DialogViolation> {
        match self.cancel {
            CancelPhase::Unasked => {
                self.cancel = CancelPhase::Asked;
                Ok(())
            }
            CancelPhase::Asked => Err(DialogViolation::OutOfPhase {
                message: "Cancel",
                phase: "cancelled",
            }),
        }
    }

    /// The flow, if the opener may stream at all.
    fn context(&mut self, message: &'static str) -> Result<&mut Flow<P>, DialogViolation> {
        let phase = self.phase();
        match &mut self.flow {
            Some(flow) if self.kind == CallKind::Context => Ok(flow),
            Some(_) | None => Err(DialogViolation::OutOfPhase { message, phase }),
        }
    }

    fn wrong_phase(&self) -> WrongPhase {
        WrongPhase {
            phase: self.phase(),
        }
    }

    fn phase(&self) -> &'static str {
        match self.stage {
            Stage::Offered => "offered",
            Stage::Accepted => "accepted",
            Stage::Started => "started",
        }
    }
}
