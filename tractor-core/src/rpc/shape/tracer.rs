//! The trace: passes over a type until all of it was seen.
//!
//! One pass is one run of the type's `Deserialize`. Where a branch is still to be seen, the pass *explores* it; where
//! all was seen, or the same type is already being read further up, it makes the *smallest* value it knows. So
//! recursion ends, and each pass learns something.

use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::Visitor;

use super::graph::{Form, Graph, Key, Kind, NodeId, Ref, Slot, State};
use super::registry;
use super::samples::{LENGTHS, Odometer};
use super::text;
use crate::limits::{SHAPE_DEPTH, SHAPE_PASSES, SHAPE_REFUSALS, SHAPE_VALUES};

/// A deserializer that has no data.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    graph: Graph,
    odometer: Odometer,
    /// Values being read, outermost first.
    stack: Vec<Frame>,
    /// The stack as it was where this pass went wrong.
    blame: Vec<Frame>,
    /// Why this pass went wrong, where it was not the type that refused.
    failure: Option<Failure>,
    /// Passes since something was learned; where all variants were seen they turn with it.
    stalls: usize,
    /// Refusals since something was learned.
    refusals: usize,
    /// Values read in all passes.
    values: usize,
    /// What the type said when it had refused every sample.
    reason: Option<String>,
}

/// How a trace ended.
pub(super) enum Ended {
    /// The graph says all there is to say.
    Traced,
    /// The type refused every sample.
    Opaque { reason: String },
    /// postcard cannot carry it.
    NotSelfDescribing {
        found: Option<&'static str>,
        path: String,
    },
}

/// The type refused a sample, or the tracer gave up: the text for whoever asks.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

/// Why a pass ended early, where it was not the type's doing.
#[derive(Debug)]
enum Failure {
    /// Nothing finite can be made here in this way.
    NoValue,
    /// A bound was reached.
    Bound,
    /// The type needs a self-describing format.
    NotSelfDescribing {
        found: Option<&'static str>,
        path: String,
    },
}

/// A compound value being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) node: NodeId,
    pub(super) branch: usize,
    /// Which of its parts.
    pub(super) slot: usize,
    /// The smallest value is to be made.
    smallest: bool,
    /// Names this place to the odometer.
    site: u64,
}

impl Tracer {
    /// Runs `pass` until all was seen or nothing more can be.
    pub(super) fn run(&mut self, pass: &mut dyn FnMut(&mut Self) -> Result<(), Refusal>) -> Ended {
        for _ in 0..SHAPE_PASSES {
            self.begin_pass();
            let Ok(result) = catch_unwind(AssertUnwindSafe(|| pass(self))) else {
                return opaque("its Deserialize panicked");
            };
            let ended = match result {
                Ok(()) => self.passed(),
                Err(refusal) => self.refused(refusal),
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
        opaque("it takes too many passes")
    }

    /// What was seen.
    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    fn begin_pass(&mut self) {
        self.odometer.begin_pass();
        self.stack.clear();
        self.blame.clear();
        self.failure = None;
    }

    /// A pass gave a value.
    fn passed(&mut self) -> Option<Ended> {
        if self.all_seen(self.graph.root()) {
            return Some(Ended::Traced);
        }
        self.refusals = 0;
        if self.graph.take_learned() {
            self.stalls = 0;
            return None;
        }
        self.stalls += 1;
        let nodes = self.graph.nodes().iter();
        let widest = nodes.map(|node| node.branches.len()).max().unwrap_or(0);
        (self.stalls > widest).then_some(Ended::Traced)
    }

    /// A pass gave no value.
    fn refused(&mut self, refusal: Refusal) -> Option<Ended> {
        let state = match self.failure.take() {
            Some(Failure::NotSelfDescribing { found, path }) => {
                return Some(Ended::NotSelfDescribing { found, path });
            }
            Some(Failure::Bound) => return Some(opaque(&refusal.0)),
            Some(Failure::NoValue) => State::Uninhabited,
            None => State::Refused,
        };
        if self.graph.take_learned() {
            self.refusals = 0;
            return None;
        }
        if state == State::Refused {
            self.refusals += 1;
            if self.refusals <= SHAPE_REFUSALS && self.odometer.advance() {
                return None;
            }
            self.refusals = 0;
            self.odometer.reset();
            self.reason = Some(refusal.0);
        }
        if self.defer() || self.retreat(state) {
            return None;
        }
        // What no type refused has no value, and that was seen.
        Some(match self.reason.take() {
            Some(reason) => Ended::Opaque { reason },
            None => Ended::Traced,
        })
    }

    /// Where a small value was wanted and there is another way to make one, that is tried first from now on.
    fn defer(&mut self) -> bool {
        for (index, frame) in self.blame.iter().enumerate().rev() {
            let node = self.graph.node(frame.node);
            let taken = |branch| {
                let mut frames = self.blame[..=index].iter();
                frames.any(|f| f.smallest && (f.node, f.branch) == (frame.node, branch))
            };
            if frame.smallest && node.ground.is_none() && node.candidate(taken).is_some() {
                self.graph.defer(frame.node, frame.branch);
                return true;
            }
        }
        false
    }

    /// Gives up the innermost branch that can be done without.
    fn retreat(&mut self, state: State) -> bool {
        let needless = |frame: &&Frame| match self.graph.node(frame.node).key.kind {
            Kind::Option | Kind::Seq | Kind::Map => !frame.smallest && frame.branch == 1,
            Kind::Enum => !frame.smallest,
            Kind::Tuple | Kind::Struct => false,
        };
        let Some(frame) = self.blame.iter().rev().find(needless) else {
            return false;
        };
        self.graph.close(frame.node, frame.branch, state);
        true
    }
}

/// What the deserializer asks of the trace.
impl Tracer {
    /// Notes a leaf, and says which of its samples to show.
    pub(super) fn leaf<'de, V: Visitor<'de>>(
        &mut self,
        text: &'static str,
        samples: usize,
    ) -> Result<usize, Refusal> {
        let wire = registry::of_name(type_name::<V::Value>());
        self.value(Ref::Leaf { text, wire })?;
        Ok(self.odometer.position(self.site(), samples))
    }

    /// Begins a compound value, and says which branch to take; for options, sequences and maps: how many elements.
    pub(super) fn enter<'de, V: Visitor<'de>>(
        &mut self,
        kind: Kind,
        form: Form,
        name: &'static str,
        variants: &'static [&'static str],
    ) -> Result<usize, Refusal> {
        let key = Key {
            kind,
            form,
            name,
            variants,
            visitor: type_name::<V>(),
            value: type_name::<V::Value>(),
        };
        let id = self
            .graph
            .intern(key, registry::of_name(type_name::<V::Value>()));
        self.enter_node(id, kind)
    }

    fn enter_node(&mut self, id: NodeId, kind: Kind) -> Result<usize, Refusal> {
        self.value(Ref::Node(id))?;
        if self.stack.len() >= SHAPE_DEPTH {
            return Err(Refusal("it is nested too deep".to_owned()));
        }
        let above = self.stack.last().is_some_and(|frame| frame.smallest);
        let inside = self.stack.iter().any(|frame| frame.node == id);
        let smallest = above || inside || self.graph.node(id).is_complete();
        let site = self.site();
        let choice = match kind {
            Kind::Option => self.length(id, site, smallest, &LENGTHS[..2]),
            Kind::Seq | Kind::Map => self.length(id, site, smallest, &LENGTHS),
            Kind::Tuple | Kind::Struct | Kind::Enum if smallest => {
                self.small_branch(id, site, !above && !inside)?
            }
            Kind::Tuple | Kind::Struct | Kind::Enum => {
                let open = self.graph.node(id).first_open();
                open.expect("a node without an open branch is complete, and then the smallest")
            }
        };
        let branch = match kind {
            Kind::Option | Kind::Seq | Kind::Map => choice.min(1),
            Kind::Tuple | Kind::Struct | Kind::Enum => choice,
        };
        // What has a name is one place wherever it stands; what has none belongs to where it is.
        let base = match kind {
            Kind::Struct | Kind::Enum => mix(id as u64, branch as u64),
            Kind::Option | Kind::Seq | Kind::Map | Kind::Tuple => site,
        };
        self.stack.push(Frame {
            node: id,
            branch,
            slot: 0,
            smallest,
            site: mix(base, u64::from(smallest)),
        });
        Ok(choice)
    }

    /// Ends a compound value; hands `result` through.
    pub(super) fn leave<T>(&mut self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        let Some(frame) = self.stack.last().copied() else {
            return result;
        };
        if result.is_ok() {
            // An error that the type swallowed is none.
            self.blame.clear();
            let branch = &self.graph.node(frame.node).branches[frame.branch];
            let seen = !frame.smallest && branch.slots.iter().all(|slot| self.all_seen(slot));
            self.graph.made(frame.node, frame.branch, seen);
        } else if self.blame.is_empty() {
            self.blame.clone_from(&self.stack);
        }
        self.stack.pop();
        result
    }

    /// Whether all was seen of what is read at this place, but for what is being read further up.
    fn all_seen(&self, slot: &Slot) -> bool {
        slot.iter().all(|what| match *what {
            Ref::Leaf { .. } => true,
            Ref::Node(id) => {
                self.graph.node(id).is_complete() || self.stack.iter().any(|frame| frame.node == id)
            }
        })
    }

    /// The part of the innermost value that is read next.
    pub(super) fn at(&mut self, slot: usize) {
        if let Some(frame) = self.stack.last_mut() {
            frame.slot = slot;
        }
    }

    /// The form of the variant being read.
    pub(super) fn form(&mut self, form: Form) {
        if let Some(frame) = self.stack.last() {
            self.graph.set_form(frame.node, frame.branch, form);
        }
    }

    /// The type asked for something only a self-describing format has.
    pub(super) fn not_self_describing<'de, V: Visitor<'de>>(&mut self) -> Refusal {
        let mut found = Some(type_name::<V::Value>());
        if found.is_some_and(|name| name.contains("__") || name.starts_with("serde_core::private"))
        {
            // A private type of serde's: the one around it is the one its author knows.
            let above = self.stack.last();
            found = above.map(|frame| self.graph.node(frame.node).key.value);
        }
        let path = text::path(&self.graph, &self.stack);
        self.failure = Some(Failure::NotSelfDescribing { found, path });
        Refusal("it needs a self-describing format".to_owned())
    }

    /// Counts and notes a value.
    fn value(&mut self, what: Ref) -> Result<(), Refusal> {
        self.values += 1;
        if self.values > SHAPE_VALUES {
            self.failure = Some(Failure::Bound);
            return Err(Refusal("it has too many values".to_owned()));
        }
        let frame = self.stack.last();
        let place = frame.map(|frame| (frame.node, frame.branch, frame.slot));
        self.graph.record(place, what);
        Ok(())
    }

    /// Names the place of the next value to the odometer.
    fn site(&self) -> u64 {
        let frame = self.stack.last();
        frame.map_or(1, |frame| mix(frame.site, frame.slot as u64))
    }

    /// How many elements: none for the smallest, one where they are to be explored; others if that was refused.
    fn length(&mut self, id: NodeId, site: u64, smallest: bool, lengths: &[usize]) -> usize {
        let least = usize::from(!smallest);
        match self.graph.node(id).branches[1].state {
            State::Refused | State::Uninhabited => 0,
            State::Open | State::Complete => {
                lengths[least + self.odometer.position(site, lengths.len() - least)]
            }
        }
    }

    /// A branch that gives a finite value.
    fn small_branch(&mut self, id: NodeId, site: u64, turning: bool) -> Result<usize, Refusal> {
        let node = self.graph.node(id);
        let proven = node.proven();
        let count = proven.clone().count();
        if count > 0 {
            let turn = if turning { self.stalls } else { 0 };
            let position = (self.odometer.position(site, count) + turn) % count;
            let mut proven = self.graph.node(id).proven();
            return Ok(proven
                .nth(position)
                .expect("the position is below their count"));
        }
        let taken = |branch| {
            let mut frames = self.stack.iter();
            frames.any(|frame| frame.smallest && (frame.node, frame.branch) == (id, branch))
        };
        if let Some(branch) = node.candidate(taken) {
            return Ok(branch);
        }
        self.failure = Some(Failure::NoValue);
        Err(Refusal("it has no finite value".to_owned()))
    }
}

fn opaque(reason: &str) -> Ended {
    Ended::Opaque {
        reason: reason.to_owned(),
    }
}

/// Mixes two numbers; a collision only makes two places share a wheel.
fn mix(a: u64, b: u64) -> u64 {
    (a.rotate_left(5) ^ b).wrapping_mul(0x517c_c1b7_2722_0a95)
}
