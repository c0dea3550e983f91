//! Credit: how much one end of a link allows the other to send, of a stream's values or of an actor's requests.
//!
//! Both halves are plain counters. They never wait and never hold values: who is out of credit is told so.
//!
//! ```text
//!   writer: SendWindow ── value ──▶ reader: RecvWindow   under way + held + open + owed = window
//!           credit     ◀─ Credit ──         owed          (given back once half the window is owed)
//! ```
//!
//! A window that grows begins at its size and doubles while its reader keeps up, since then what a value costs is the
//! round trip of its credit, shared by half a window. It shrinks again under a reader that falls behind.
//!
//! - WIN-1: a reader's window is always fully accounted for: what may still come, what it holds and what it owes back
//!   sum up to the window.
//! - WIN-2: a writer's credit never rises above [`WINDOW_MAX`] and never falls below zero.
//! - WIN-3: a window that grows stays between its first size and [`STREAM_WINDOW_GROWN`], and grows only while it would
//!   hold no more than [`STREAM_WINDOW_BYTES`] of values like those that came last.

use tractor_ipc::limits::{STREAM_WINDOW_BYTES, STREAM_WINDOW_GROWN, WINDOW_MAX};

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
    growth: Option<Growth>,
}

/// What a window that grows goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Growth {
    /// Its first size.
    least: u32,
    /// What has arrived since credit was last given back: how much, and in how many values.
    bytes: u64,
    values: u32,
    /// Bytes of one value of those that came last, on average.
    size: u64,
    /// How often in a row credit was given back while something was held.
    behind: u8,
}

impl RecvWindow {
    /// A window of this size, granted in full.
    pub fn new(window: u32) -> Self {
        let window = window.min(WINDOW_MAX);
        Self {
            window,
            open: window,
            owed: 0,
            batch: half(window),
            growth: None,
        }
    }

    /// A window of this size, granted in full, that grows while its reader keeps up.
    pub fn growing(window: u32) -> Self {
        let fixed = Self::new(window);
        Self {
            growth: Some(Growth {
                least: fixed.window,
                bytes: 0,
                values: 0,
                size: 1,
                behind: 0,
            }),
            ..fixed
        }
    }

    /// The same, giving back every unit as soon as it is consumed: for readers whose writer must know exactly.
    pub fn exact(window: u32) -> Self {
        Self {
            batch: 1,
            ..Self::new(window)
        }
    }

    /// Its size now.
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

    /// One unit of so many bytes has arrived; false if it was not granted.
    #[must_use]
    pub fn arrived(&mut self, bytes: usize) -> bool {
        let Some(open) = self.open.checked_sub(1) else {
            return false;
        };
        self.open = open;
        if let Some(growth) = &mut self.growth {
            growth.bytes = growth.bytes.saturating_add(bytes as u64);
            growth.values = growth.values.saturating_add(1);
        }
        true
    }

    /// One unit that had arrived is consumed. Returns what is to be given back now, if it is time.
    #[must_use]
    pub fn consumed(&mut self) -> Option<u32> {
        debug_assert!(self.held() > 0, "consumed more than has arrived");
        self.owed += u32::from(self.held() > 0);
        if self.owed < self.batch {
            return None;
        }
        let window = self.resized();
        // A window that shrinks withholds what it can of what is given back; the rest is withheld the next time.
        let grant = match window.checked_sub(self.window) {
            Some(more) => self.owed + more,
            None => self.owed.saturating_sub(self.window - window),
        };
        self.window = self.window + grant - self.owed;
        self.open += grant;
        self.owed = 0;
        if self.growth.is_some() {
            self.batch = half(self.window);
        }
        (grant > 0).then_some(grant)
    }

    /// The size it is to have from now on.
    fn resized(&mut self) -> u32 {
        let held = self.held();
        let Some(growth) = &mut self.growth else {
            return self.window;
        };
        let bytes = std::mem::take(&mut growth.bytes);
        let values = u64::from(std::mem::take(&mut growth.values));
        if let Some(size) = bytes.checked_div(values) {
            growth.size = size.max(1);
        }
        let fits = u32::try_from(STREAM_WINDOW_BYTES / growth.size).unwrap_or(u32::MAX);
        let most = fits.clamp(growth.least, STREAM_WINDOW_GROWN.max(growth.least));
        if held == 0 {
            growth.behind = 0;
            return self.window.saturating_mul(2).min(most);
        }
        growth.behind += 1;
        if growth.behind < BEHIND {
            return self.window.min(most);
        }
        growth.behind = 0;
        (self.window / 2).clamp(growth.least, most)
    }
}

fn half(window: u32) -> u32 {
    window.div_ceil(2).max(1)
}

/// How often in a row credit is given back while something is held before the reader counts as slow: what comes in
/// bursts of a whole window is half of it every other time.
const BEHIND: u8 = 4;

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
                    assert!(reader.arrived(1));
                }
                assert!(!reader.arrived(1), "more than was granted");
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
        assert!(reader.arrived(1));
        assert_eq!(reader.consumed(), Some(1));
    }

    /// A writer that is always as far ahead as it may be, of values of this size; `keeps_up`: the reader takes all there
    /// is before it is given more. The window after so many rounds.
    fn stream(reader: &mut RecvWindow, size: usize, keeps_up: bool, rounds: u32) -> u32 {
        for _ in 0..rounds {
            while reader.open > 0 {
                assert!(reader.arrived(size));
            }
            let take = if keeps_up { reader.held() } else { 1 };
            for _ in 0..take {
                let _grant = reader.consumed();
            }
            assert_eq!(reader.open + reader.held() + reader.owed, reader.window);
        }
        reader.window
    }

    /// WIN-3.
    #[test]
    fn a_window_grows_under_a_reader_that_keeps_up_and_shrinks_under_one_that_does_not() {
        let mut reader = RecvWindow::growing(64);
        assert_eq!(stream(&mut reader, 100, true, 20), STREAM_WINDOW_GROWN);
        assert_eq!(stream(&mut reader, 100, false, 100_000), 64);
        assert_eq!(stream(&mut reader, 100, true, 20), STREAM_WINDOW_GROWN);
        // Values that are larger than before: what is held stays within the bytes.
        let kib = stream(&mut reader, 1 << 10, true, 40);
        assert_eq!(u64::from(kib) << 10, STREAM_WINDOW_BYTES);
        assert_eq!(stream(&mut reader, 1 << 20, true, 40), 64);
        assert_eq!(
            stream(&mut RecvWindow::growing(64), 0, true, 20),
            STREAM_WINDOW_GROWN
        );
    }

    proptest::proptest! {
        /// WIN-1, WIN-3: whoever does what when, writer and reader agree, and nobody gets stuck.
        #[test]
        fn a_growing_window_is_accounted_for(
            least in 1..100u32,
            steps in proptest::collection::vec((proptest::bool::ANY, 0..200u32, 0..10_000usize), 0..200),
        ) {
            let (mut reader, mut writer) = (RecvWindow::growing(least), SendWindow::new(least));
            for (writes, many, size) in steps {
                for _ in 0..many {
                    if writes && writer.take() {
                        assert!(reader.arrived(size), "within what was granted");
                    } else if !writes && reader.held() > 0
                        && let Some(grant) = reader.consumed()
                    {
                        assert!(writer.add(grant));
                    }
                    assert_eq!(reader.open, writer.credit());
                    assert_eq!(reader.open + reader.held() + reader.owed, reader.window);
                    assert!((least..=STREAM_WINDOW_GROWN.max(least)).contains(&reader.window));
                    assert!(writer.credit() > 0 || reader.held() > 0 , "nobody can go on");
                }
            }
        }
    }
}
