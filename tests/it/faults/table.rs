//! What the trials of a row came to.

use std::fmt::Display;
use std::time::Duration;

use tractor_core::testing::Left;

/// What begins a row's line for `cargo xtask chaos`.
const LINE: &str = "chaos|";

/// One row: how long each trial took to the last death, and what went wrong.
pub(super) struct Row {
    name: String,
    trials: usize,
    /// Of those in which nobody survived.
    took: Vec<Duration>,
    failures: Vec<String>,
}

impl Row {
    pub(super) fn new(name: impl Display) -> Self {
        Self {
            name: name.to_string(),
            trials: 0,
            took: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// All that had to die in a trial was dead after so long; or so many are survivors.
    pub(super) fn trial(&mut self, dead: Result<Duration, usize>) {
        self.trials += 1;
        match dead {
            Ok(time) => self.took.push(time),
            Err(survivors) => self.failed(format_args!("{survivors} survive")),
        }
    }

    pub(super) fn failed(&mut self, why: impl Display) {
        self.failures.push(why.to_string());
    }

    /// Nothing may be left of a trial.
    pub(super) fn judge(&mut self, left: &[Left]) {
        if !left.is_empty() {
            self.failed(format_args!("left behind: {left:?}"));
        }
    }

    /// Prints the row's line.
    ///
    /// # Panics
    ///
    /// If any trial failed.
    pub(super) fn close(mut self) {
        self.took.sort_unstable();
        if self.trials == 0 {
            return; // Not the process the trials were made in.
        }
        let at = |share: usize| {
            let index = (self.took.len() * share).div_ceil(100).saturating_sub(1);
            let time = self.took.get(index).copied().unwrap_or_default();
            format!("{:.1}", time.as_secs_f64() * 1e3)
        };
        println!(
            "{LINE}{}|{}|{}|{}|{}|{}",
            self.name,
            self.trials,
            self.failures.len(),
            at(50),
            at(99),
            at(100)
        );
        assert!(self.failures.is_empty(), "{:#?}", self.failures);
    }
}

/// Which victim a trial takes, and when: numbers that look random and are the same in every run.
pub(super) struct Choices(u64);

impl Choices {
    pub(super) fn new() -> Self {
        Self(0)
    }

    /// One of so many.
    pub(super) fn one_of(&mut self, many: usize) -> usize {
        // The generator `SplitMix64`.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % many as u64).expect("less than a usize")
    }
}
