//! Points in time as the machines see them: plain numbers, handed in by whoever drives them.
//!
//! Nothing here reads a clock. A node's clock makes [`Instant`]s; machines compare and add them. This is what lets every
//! deadline of the system run under virtual time.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// A point on one node's monotonic time line, in nanoseconds since that line's own zero.
///
/// Instants of two nodes are not comparable: a deadline crosses a link as the time that is left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The zero of the time line.
    pub const ZERO: Self = Self(0);

    /// An instant `nanos` nanoseconds after the zero of its time line.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the zero of its time line.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This instant moved by `span`, stopping at the end of the time line (584 years after its zero).
    #[must_use]
    pub fn saturating_add(self, span: Duration) -> Self {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        self.saturating_add(span)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Duration::from_nanos(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let late = Instant::from_nanos(u64::MAX - 1);
        assert_eq!(late + Duration::from_secs(1), Instant::from_nanos(u64::MAX));
        assert_eq!(late + Duration::MAX, Instant::from_nanos(u64::MAX));
        assert_eq!(Instant::ZERO.saturating_since(late), Duration::ZERO);
        assert_eq!(
            (Instant::ZERO + Duration::from_millis(3)).as_nanos(),
            3_000_000
        );
    }
}
