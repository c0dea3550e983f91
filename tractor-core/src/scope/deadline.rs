//! The timer of a scope's deadline, set only by a future that had to wait.
//!
//! Most work in a scope with a deadline ends at its first poll, or is woken by something else long before: then no
//! timer was ever made. A deadline that is moved later does not touch the timer either; it is set anew when it rings.

use std::task::{Context, Poll};

use tractor_ipc::Instant;

use super::tree::Node;
use crate::clock::Sleep;

/// The timer of one future that runs in a scope.
#[derive(Default)]
pub(super) struct Alarm(Option<Set>);

struct Set {
    at: Instant,
    sleep: Sleep,
}

impl Alarm {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Ready once the own deadline of `node` has passed. Until then `cx` is woken when it does.
    pub(super) fn poll_expired(&mut self, node: &Node, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(deadline) = node.own_deadline() else {
                self.0 = None;
                return Poll::Pending;
            };
            let set = match &mut self.0 {
                Some(set) if set.at <= deadline => set,
                Some(_) | None => {
                    let sleep = node.clock().sleep_until(deadline);
                    self.0.insert(Set {
                        at: deadline,
                        sleep,
                    })
                }
            };
            if set.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let rang = set.at;
            self.0 = None;
            if rang == deadline {
                return Poll::Ready(());
            }
            // Somebody moved the deadline on meanwhile.
        }
    }
}
