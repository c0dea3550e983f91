//! Credit: how much one end of a link allows the other to send, of a stream's values or of an actor's requests.
//!
//! Both halves are plain counters. They never wait and never hold values: who is out of credit is told so.
//!
//! ```text
//!   writer: SendWindow ── value ──▶ reader: RecvWindow   under way + held + open + owed = window
//!           credit     ◀─ Credit ──         owed          (given back once half the window is owed)
//! ```
//!
//! - WIN-1: a reader's window is always fully accounted for: what may still come, what it holds and what it owes back
//!   sum up to the window.
//! - WIN-2: a writer's credit never rises above [`WINDOW_MAX`] and never falls below zero.

use tractor_ipc::limits::WINDOW_MAX;

/// The writer's half: how much it may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendWindow {
    credit: u32,
}

impl SendWindow {
    /// A window with this much credit in it.
    pub fn new(credit: u32) -> Self {
        Self {
            credit: credit.min(WINDOW_MAX),
        }
    }

    /// What may be sent now.
    pub fn credit(self) -> u32 {
        self.credit
    }

    /// Takes credit for one unit; false if there is none.
    #[must_use]
    pub fn take(&mut self) -> bool {
        match self.credit.checked_sub(1) {
            Some(left) => {
                self.credit = left;
                true
            }
            None => false,
        }
    }

    /// Adds what the reader granted; false (and nothing added) if that is more than any window holds.
    #[must_use]
    pub fn add(&mut self, amount: u32) -> bool {
        match self.credit.checked_add(amount) {
            Some(credit) if credit <= WINDOW_MAX => {
                self.credit = credit;
                true
            }
            Some(_) | None => false,
        }
    }
}

/// The reader's half: what it granted, and what it owes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvWindow {
    window: u32,
    /// What the writer may still send, as far as we know here.
    open: u32,
    /// Consumed, and not yet given back.
    owed: u32,
    /// How much is owed before it is given back: half the window keeps the writer going at one `Credit` for many values.
    batch: u32,
}

impl RecvWindow {
    /// A window of this size, granted in full.
    pub fn new(window: u32) -> Self {
        let window = window.min(WINDOW_MAX);
        Self {
            window,
            open: window,
            owed: 0,
            batch: window.div_ceil(2).max(1),
        }
    }

    /// The same, giving back every unit as soon as it is consumed: for readers whose writer must know exactly.
    pub fn exact(window: u32) -> Self {
        Self {
            batch: 1,
            ..Self::new(window)
        }
    }

    /// Its size.
    pub fn window(self) -> u32 {
        self.window
    }

    /// What has arrived and was not consumed.
    pub fn held(self) -> u32 {
        self.window - self.open - self.owed
    }

    /// All of it that the writer does not have: given back when nobody will consume it any more.
    pub fn withheld(self) -> u32 {
        self.window - self.open
    }

    /// One unit has arrived; false if it was not granted.
    #[must_use]
    pub fn arrived(&mut self) -> bool {
        match self.open.checked_sub(1) {
            Some(open) => {
                self.open = open;
                true
            }
            None => false,
        }
    }

    /// One unit that had arrived is consumed. Returns what is to be given back now, if it is time.
    #[must_use]
    pub fn consumed(&mut self) -> Option<u32> {
        debug_assert!(self.held() > 0, "consumed more than has arrived");
        self.owed += u32::from(self.held() > 0);
        if self.owed < self.batch {
            return None;
        }
        self.open += self.owed;
        Some(std::mem::take(&mut self.owed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WIN-1.
    #[test]
    fn a_reader_accounts_for_its_whole_window() {
        for size in [1, 2, 3, 64, 65] {
            let mut reader = RecvWindow::new(size);
            let mut writer = SendWindow::new(size);
            let mut grants = 0;
            for _ in 0..10 * size {
                while writer.take() {
                    assert!(reader.arrived());
                }
                assert!(!reader.arrived(), "more than was granted");
                assert_eq!(reader.open + reader.held() + reader.owed, size);
                if let Some(amount) = reader.consumed() {
                    grants += 1;
                    assert!(writer.add(amount));
                }
            }
            assert!(grants <= 10 * size / size.div_ceil(2), "credit in batches");
        }
    }

    /// WIN-2.
    #[test]
    fn a_writers_credit_stays_within_bounds() {
        let mut writer = SendWindow::new(1);
        assert!(writer.take());
        assert!(!writer.take());
        assert!(writer.add(WINDOW_MAX));
        assert!(!writer.add(1));
        assert!(!writer.add(u32::MAX));
        assert_eq!(writer.credit(), WINDOW_MAX);
        assert_eq!(SendWindow::new(u32::MAX).credit(), WINDOW_MAX);
    }

    #[test]
    fn an_exact_window_gives_back_each_unit() {
        let mut reader = RecvWindow::exact(8);
        assert!(reader.arrived());
        assert_eq!(reader.consumed(), Some(1));
    }
}
