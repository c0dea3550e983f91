//! Streamed values, both ways: the same for what we opened and for what we serve.

use bytes::Bytes;
use tractor_ipc::id::Cid;
use tractor_ipc::msg::{CallKind, Credit, CreditTo, Msg};

use super::action::{CommandError, Lane, SendPlace};
use super::opening::{Opened, find_opened};
use super::serving::find_served;
use super::{Router, Violation, key_of};
use crate::proto::Wake;
use crate::proto::dialog::{Admission, DialogViolation, Pushed, Recv};

impl Router {
    /// Streams one value.
    pub fn send(&mut self, cid: Cid, value: Bytes) -> SendPlace {
        match self.admit(cid) {
            SendPlace::Sent => {
                self.transmit(Lane::Data, Msg::Yield { cid }, value);
                SendPlace::Sent
            }
            SendPlace::NoCredit(()) => SendPlace::NoCredit(value),
            SendPlace::Overrun => SendPlace::Overrun,
            SendPlace::Stopped => SendPlace::Stopped,
            SendPlace::NotStarted => SendPlace::NotStarted,
            SendPlace::Ended => SendPlace::Ended,
        }
    }

    /// Takes the credit for one value. `Sent`: whoever asks sends its `Yield` itself, on the data lane, before the router
    /// is asked for anything else; a driver saves the way through the queue of actions by that.
    pub fn admit(&mut self, cid: Cid) -> SendPlace<()> {
        let admission = if cid.opener() == self.side {
            match self.opened.get_mut(key_of(cid)) {
                Some(Opened::Live { dialog, .. }) if !dialog.far_ended() => dialog.admit(),
                Some(Opened::Queued(queued)) => match queued.open.kind {
                    CallKind::Context => Admission::NoCredit,
                    CallKind::Unary | CallKind::Stream => Admission::Stopped,
                },
                Some(Opened::Live { .. }) | None => return SendPlace::Ended,
            }
        } else {
            match self.served_mut(cid).map(|dialog| dialog.admit()) {
                Some(Ok(admission)) => admission,
                Some(Err(_)) => return SendPlace::NotStarted,
                None => return SendPlace::Ended,
            }
        };
        match admission {
            Admission::Send => SendPlace::Sent,
            Admission::NoCredit => SendPlace::NoCredit(()),
            Admission::Overrun => SendPlace::Overrun,
            Admission::Stopped => SendPlace::Stopped,
        }
    }

    /// Takes the next streamed value, and gives credit back once half the window is used up.
    pub fn recv(&mut self, cid: Cid) -> Recv<Bytes> {
        let own = cid.opener() == self.side;
        let (found, credit) = if own {
            match self.opened.get_mut(key_of(cid)) {
                Some(Opened::Live { dialog, .. }) => dialog.recv(),
                Some(Opened::Queued(queued)) => match queued.open.kind {
                    CallKind::Context | CallKind::Stream => (Recv::Empty, None),
                    CallKind::Unary => (Recv::Ended, None),
                },
                None => (Recv::Ended, None),
            }
        } else {
            match self.served_mut(cid) {
                Some(dialog) => dialog.recv(),
                None => (Recv::Ended, None),
            }
        };
        self.send_credit(cid, credit);
        found
    }

    /// Ends our direction of the stream. Doing so twice is no error.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no stream (yet, or any more).
    pub fn stop(&mut self, cid: Cid) -> Result<(), CommandError> {
        let stop = if cid.opener() == self.side {
            let dialog = self.dialog_mut(cid).ok_or(CommandError::Ended)?;
            dialog.stop().map_err(|wrong| wrong.of("stop"))?
        } else {
            let dialog = self.served_mut(cid).ok_or(CommandError::Ended)?;
            dialog.stop().map_err(|wrong| wrong.of("stop"))?
        };
        if stop {
            self.transmit(Lane::Data, Msg::Stop { cid }, Bytes::new());
        }
        Ok(())
    }

    /// Our reader leaves: what is here is dropped, what comes is dropped and paid for, so that the writer is never stuck
    /// on a reader that is gone.
    pub fn discard(&mut self, cid: Cid) {
        let credit = if cid.opener() == self.side {
            self.dialog_mut(cid).and_then(|dialog| dialog.discard())
        } else {
            self.served_mut(cid).and_then(|dialog| dialog.discard())
        };
        self.send_credit(cid, credit);
    }

    /// Values of this dialog dropped here because its reader is too slow.
    pub fn values_dropped(&mut self, cid: Cid) -> u64 {
        if cid.opener() == self.side {
            self.dialog_mut(cid).map_or(0, |dialog| dialog.dropped())
        } else {
            self.served_mut(cid).map_or(0, |dialog| dialog.dropped())
        }
    }

    pub(super) fn handle_yield(&mut self, cid: Cid, value: Bytes) -> Result<(), Violation> {
        let bytes = value.len();
        let pushed = if cid.opener() == self.side {
            find_opened(&mut self.opened, &mut self.counted, cid, "Yield")?
                .map(|dialog| dialog.handle_yield(value, bytes))
        } else {
            find_served(&mut self.served, &mut self.counted, self.side, cid, "Yield")?
                .map(|dialog| dialog.handle_yield(value, bytes))
        };
        match pushed {
            Some(Ok(Pushed {
                wake,
                credit,
                dropped,
            })) => {
                self.counted.values_dropped += u64::from(dropped);
                self.send_credit(cid, credit);
                self.notify(cid, wake);
            }
            Some(Err(violation)) => self.break_dialog(cid, violation),
            None => {}
        }
        Ok(())
    }

    pub(super) fn handle_credit(&mut self, cid: Cid, amount: u32) -> Result<(), Violation> {
        let result = if cid.opener() == self.side {
            find_opened(&mut self.opened, &mut self.counted, cid, "Credit")?
                .map(|dialog| dialog.handle_credit(amount))
        } else {
            find_served(
                &mut self.served,
                &mut self.counted,
                self.side,
                cid,
                "Credit",
            )?
            .map(|dialog| dialog.handle_credit(amount))
        };
        self.settle(cid, result);
        Ok(())
    }

    pub(super) fn handle_stop(&mut self, cid: Cid) -> Result<(), Violation> {
        let result = if cid.opener() == self.side {
            find_opened(&mut self.opened, &mut self.counted, cid, "Stop")?
                .map(|dialog| dialog.handle_stop())
        } else {
            find_served(&mut self.served, &mut self.counted, self.side, cid, "Stop")?
                .map(|dialog| dialog.handle_stop())
        };
        self.settle(cid, result);
        Ok(())
    }

    pub(super) fn send_credit(&mut self, cid: Cid, credit: Option<u32>) {
        if let Some(amount) = credit {
            let to = CreditTo::Stream(cid);
            let credit = Msg::Credit(Credit { to, amount });
            self.transmit(Lane::Control, credit, Bytes::new());
        }
    }

    fn settle(&mut self, cid: Cid, result: Option<Result<Wake, DialogViolation>>) {
        match result {
            Some(Ok(wake)) => self.notify(cid, wake),
            Some(Err(violation)) => self.break_dialog(cid, violation),
            None => {}
        }
    }

    fn break_dialog(&mut self, cid: Cid, violation: DialogViolation) {
        if cid.opener() == self.side {
            self.break_opened(cid, violation);
        } else {
            self.break_served(cid, violation);
        }
    }
}
