//! What the benches need: one CPU for everything, a clock, and the comparison of two things measured in turns.
//!
//! A machine that does something else at the same time slows both sides of a round alike: the ratio of a round is worth
//! more than its times.

pub(crate) mod peer;

use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps this process and all it starts on one CPU: otherwise waking a halted CPU decides what a message costs.
pub(crate) fn pin() {
    let allowed = sched_getaffinity(None).expect("this process may ask for its CPUs");
    let first = (0..CpuSet::MAX_CPU).find(|cpu| allowed.is_set(*cpu));
    let mut one = CpuSet::new();
    one.set(first.expect("it runs on some CPU"));
    sched_setaffinity(None, &one).expect("it may run on one of them alone");
}

/// The time now.
#[expect(clippy::disallowed_methods, reason = "measures real processes")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How often each comparison is made: `TRACTOR_BENCH_ROUNDS`, or this.
pub(crate) fn rounds(default: usize) -> usize {
    let given = std::env::var("TRACTOR_BENCH_ROUNDS").ok();
    given.map_or(default, |given| given.parse().expect("a number of rounds"))
}

/// Two things measured in turns, per operation.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    floor: Vec<f64>,
    ours: Vec<f64>,
}

impl Comparison {
    /// Adds a round: the time one operation took on either side.
    pub(crate) fn add(&mut self, floor: Duration, ours: Duration) {
        self.floor.push(floor.as_secs_f64());
        self.ours.push(ours.as_secs_f64());
    }

    /// One line of the table: medians, ranges, and the ratios of the rounds, beside the goal.
    pub(crate) fn row(&self, name: &str, goal: impl Goal) -> String {
        let ratios = self.ours.iter().zip(&self.floor);
        let ratios = Spread::of(ratios.map(|(ours, floor)| ours / floor));
        let [floor, ours] =
            [&self.floor, &self.ours].map(|times| Spread::of(times.iter().copied()));
        let met = if goal.is_met(ours.median, ratios.median) {
            "met"
        } else {
            "missed"
        };
        format!(
            "| {name} | {} | {} | {:.2} [{:.2}–{:.2}] | {goal:?} | {met} |",
            floor.times(),
            ours.times(),
            ratios.median,
            ratios.low,
            ratios.high,
        )
    }
}

/// What a row is to keep to.
pub(crate) trait Goal: std::fmt::Debug {
    /// Whether it does, by its median time in seconds and its median ratio.
    fn is_met(&self, time: f64, ratio: f64) -> bool;
}

/// So many times the floor.
impl Goal for f64 {
    fn is_met(&self, _: f64, ratio: f64) -> bool {
        ratio <= *self
    }
}

/// So long.
impl Goal for Duration {
    fn is_met(&self, time: f64, _: f64) -> bool {
        time <= self.as_secs_f64()
    }
}

/// The table's head.
pub(crate) const HEAD: &str =
    "| | floor | tractor | ratio | goal | |\n|---|---:|---:|---:|---:|---|";

/// The middle of some figures, and the range of the middle eight tenths of them.
#[derive(Debug)]
pub(crate) struct Spread {
    /// Half of them are smaller.
    pub(crate) median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    /// The spread of at least one figure.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let at = |tenths: usize| figures[(figures.len() - 1) * tenths / 10];
        Self {
            median: at(5),
            low: at(1),
            high: at(9),
        }
    }

    /// Seconds, in a unit that suits them.
    pub(crate) fn times(&self) -> String {
        let (unit, scale) = match self.median {
            small if small < 1e-6 => ("ns", 1e9),
            middle if middle < 1e-3 => ("µs", 1e6),
            _ => ("ms", 1e3),
        };
        let digits = if self.median * scale < 100.0 { 2 } else { 0 };
        let [median, low, high] = [self.median, self.low, self.high].map(|figure| figure * scale);
        format!("{median:.digits$} [{low:.digits$}–{high:.digits$}] {unit}")
    }
}
