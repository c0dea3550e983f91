//! The peer's actors as we ask things of them: request credit, and the places of those who wait for it.
//!
//! A place that is given up stays in the queue as a husk until it comes up or until husks outnumber the rest, so that
//! giving up costs no search.

use std::collections::{BTreeMap, VecDeque};

use tractor_ipc::id::ActorSlot;

use crate::proto::Loss;
use crate::proto::slots::Key;
use crate::proto::window::SendWindow;

/// Every actor of the peer we have asked something of, by its slot there.
#[derive(Debug)]
pub(super) struct Targets {
    by_slot: BTreeMap<u32, Target>,
    window: u32,
}

#[derive(Debug)]
struct Target {
    generation: u32,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
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

    /// The actor of this slot, met for the first time perhaps.
    pub(super) fn reach(&mut self, actor: ActorSlot) -> Result<&mut Live, Loss> {
        let window = self.window;
        let fresh = || Target {
            generation: actor.generation(),
            phase: Phase::Live(Live {
                window: SendWindow::new(window),
                queue: VecDeque::new(),
                husks: 0,
            }),
        };
        let target = self.by_slot.entry(actor.slot()).or_insert_with(fresh);
        if target.generation < actor.generation() {
            if let Phase::Live(live) = &target.phase
                && !live.queue.is_empty()
            {
                // The peer names a new actor in a slot whose last one it never ended.
                return Err(Loss::Closed);
            }
            *target = fresh();
        }
        match &mut target.phase {
            Phase::Live(live) if target.generation == actor.generation() => Ok(live),
            Phase::Live(_) => Err(Loss::Closed),
            Phase::Gone(loss) => Err(loss.clone()),
        }
    }

    /// The actor of this slot, if it was met and takes requests.
    pub(super) fn get(&mut self, actor: ActorSlot) -> Option<&mut Live> {
        let target = self.by_slot.get_mut(&actor.slot())?;
        match &mut target.phase {
            Phase::Live(live) if target.generation == actor.generation() => Some(live),
            Phase::Live(_) | Phase::Gone(_) => None,
        }
    }

    /// Whether this actor, or a later one of its slot, was ever met.
    pub(super) fn was_met(&self, actor: ActorSlot) -> bool {
        let target = self.by_slot.get(&actor.slot());
        target.is_some_and(|target| target.generation >= actor.generation())
    }

    /// The actor has ended: it takes nothing any more. Returns who waited for it.
    pub(super) fn end(&mut self, actor: ActorSlot, loss: Loss) -> VecDeque<Place> {
        let target = self.by_slot.entry(actor.slot()).or_insert(Target {
            generation: actor.generation(),
            phase: Phase::Gone(loss.clone()),
        });
        if target.generation != actor.generation() {
            return VecDeque::new();
        }
        match std::mem::replace(&mut target.phase, Phase::Gone(loss)) {
            Phase::Live(live) => live.queue,
            Phase::Gone(_) => VecDeque::new(),
        }
    }

    /// Forgets every actor, and who waited for it.
    pub(super) fn clear(&mut self) {
        self.by_slot.clear();
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
