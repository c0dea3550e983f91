//! The peer's actors as we ask things of them: request credit, and the places of those who wait for it.
//!
//! A place that is given up stays in the queue as a husk until it comes up or until husks outnumber the rest, so that
//! giving up costs no search.

use std::collections::{BTreeMap, VecDeque};

use tractor_ipc::id::ActorSlot;

use crate::proto::Loss;
use crate::proto::slots::Key;
use crate::proto::window::SendWindow;

/// Every actor of the peer we have asked something of. An earlier actor of a slot is kept only while somebody waits for
/// it.
#[derive(Debug)]
pub(super) struct Targets {
    by_slot: BTreeMap<ActorSlot, Target>,
    window: u32,
}

#[derive(Debug)]
enum Target {
    Live(Live),
    Gone(Loss),
}

/// An actor that takes requests.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) window: SendWindow,
    queue: VecDeque<Place>,
    husks: usize,
}

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A dialog we opened.
    Call(Key),
    /// A cast.
    Cast(Key),
}

impl Targets {
    /// No actor known; each new one starts with this much credit.
    pub(super) fn new(window: u32) -> Self {
        Self {
            by_slot: BTreeMap::new(),
            window,
        }
    }

    /// This actor, met for the first time perhaps.
    pub(super) fn reach(&mut self, actor: ActorSlot) -> Result<&mut Live, Loss> {
        if !self.by_slot.contains_key(&actor) {
            if self.was_met(actor) {
                // A later actor has its slot, so it has ended.
                return Err(Loss::Closed);
            }
            self.by_slot
                .retain(|met, target| met.slot() != actor.slot() || target.is_awaited());
        }
        let window = SendWindow::new(self.window);
        let target = self.by_slot.entry(actor).or_insert_with(|| {
            Target::Live(Live {
                window,
                queue: VecDeque::new(),
                husks: 0,
            })
        });
        match target {
            Target::Live(live) => Ok(live),
            Target::Gone(loss) => Err(loss.clone()),
        }
    }

    /// This actor, if it was met and takes requests.
    pub(super) fn get(&mut self, actor: ActorSlot) -> Option<&mut Live> {
        match self.by_slot.get_mut(&actor)? {
            Target::Live(live) => Some(live),
            Target::Gone(_) => None,
        }
    }

    /// Whether this actor, or a later one of its slot, was ever met.
    pub(super) fn was_met(&self, actor: ActorSlot) -> bool {
        let next = self.by_slot.range(actor..).next();
        next.is_some_and(|(met, _)| met.slot() == actor.slot())
    }

    /// The actor has ended: it takes nothing any more. Returns who waited for it.
    pub(super) fn end(&mut self, actor: ActorSlot, loss: Loss) -> VecDeque<Place> {
        // The peer may name as many actors as it likes here: only those we know of are kept.
        if !self.by_slot.contains_key(&actor) && actor != ActorSlot::MAIN {
            return VecDeque::new();
        }
        match self.by_slot.insert(actor, Target::Gone(loss)) {
            Some(Target::Live(live)) => live.queue,
            Some(Target::Gone(_)) | None => VecDeque::new(),
        }
    }

    /// How this actor failed, if it said so.
    pub(super) fn crash(&self, actor: ActorSlot) -> Option<Loss> {
        match self.by_slot.get(&actor)? {
            Target::Gone(loss @ Loss::Crashed(_)) => Some(loss.clone()),
            Target::Gone(_) | Target::Live(_) => None,
        }
    }

    /// Forgets every actor, and who waited for it.
    pub(super) fn clear(&mut self) {
        self.by_slot.clear();
    }
}

impl Target {
    fn is_awaited(&self) -> bool {
        match self {
            Self::Live(live) => live.queue.len() > live.husks,
            Self::Gone(_) => false,
        }
    }
}

impl Live {
    /// Takes credit for a new request, unless somebody waits before it.
    #[must_use]
    pub(super) fn take_at_once(&mut self) -> bool {
        self.queue.len() == self.husks && self.window.take()
    }

    /// Appends a place.
    pub(super) fn wait(&mut self, place: Place) {
        self.queue.push_back(place);
    }

    /// The first place in the queue; it may be a husk.
    pub(super) fn next(&mut self) -> Option<Place> {
        if self.window.credit() == 0 {
            return None;
        }
        self.queue.pop_front()
    }

    /// The place just taken off the queue was a husk.
    pub(super) fn was_husk(&mut self) {
        self.husks = self.husks.saturating_sub(1);
    }

    /// A place in the queue was given up; `is_live` tells the others from it.
    pub(super) fn give_up(&mut self, mut is_live: impl FnMut(Place) -> bool) {
        self.husks += 1;
        if self.husks > HUSKS_MIN && self.husks > self.queue.len() / 2 {
            self.queue.retain(|&place| is_live(place));
            self.husks = 0;
        }
    }
}

/// Husks below which sweeping them out is not worth a pass over the queue.
const HUSKS_MIN: usize = 32;

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn targets(window: u32) -> Targets {
        Targets::new(window)
    }

    fn actor(slot: u32, generation: u32) -> ActorSlot {
        ActorSlot::new(slot, NonZeroU32::new(generation).unwrap())
    }

    #[test]
    fn husks_are_swept_out() {
        let mut targets = targets(0);
        let live = targets.reach(ActorSlot::MAIN).unwrap();
        let place = |slot| {
            let generation = 1;
            Place::Call(Key { slot, generation })
        };
        live.wait(place(0));
        for slot in 1..10_000 {
            live.wait(place(slot));
            live.give_up(|kept| kept == place(0));
            assert!(
                live.queue.len() <= 2 * HUSKS_MIN,
                "{} places",
                live.queue.len()
            );
        }
        live.window = SendWindow::new(1);
        assert_eq!(live.next(), Some(place(0)));
    }

    #[test]
    fn a_peer_cannot_fill_the_table() {
        let mut targets = targets(1);
        for slot in 0..10_000 {
            assert!(targets.end(actor(slot, 7), Loss::Closed).is_empty());
        }
        for generation in 1..10_000 {
            assert!(targets.reach(actor(3, generation)).is_ok());
            targets.end(actor(3, generation), Loss::Closed);
        }
        assert!(
            targets.by_slot.len() <= 2,
            "{} actors",
            targets.by_slot.len()
        );
    }
}
