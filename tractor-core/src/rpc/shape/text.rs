//! The graph as text, the same for the same structure wherever and however it was found (SHP-1).
//!
//! Nodes are compared by *colour*: what they are, then what their parts are, then what the parts of those are, until no
//! more can be told apart. Two nodes of one colour look the same to any depth and are written as one.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::graph::{Branch, Form, Graph, Kind, Node, NodeId, Ref, Slot, State};
use super::registry::Wire;
use super::tracer::Frame;

/// The text of what stands at the top, which is registered as `wire`.
pub(super) fn print(graph: &Graph, wire: Option<&'static Wire>) -> String {
    let mut printer = Printer {
        graph,
        colors: colors(graph),
        labels: HashMap::new(),
        used: HashMap::new(),
        above: Vec::new(),
        out: String::new(),
    };
    let known = match graph.root().as_slice() {
        [Ref::Leaf { wire, .. }] => *wire,
        [Ref::Node(id)] => graph.node(*id).wire,
        _ => None,
    };
    // Read as another type, it is not seen by its visitor: the name goes in front of what it is read as.
    if let Some(wire) = wire.filter(|wire| known != Some(wire)) {
        printer.out.push_str(&wire.label);
        printer.out.push(' ');
    }
    printer.slot(graph.root());
    printer.out
}

/// Where in the type the innermost of these values stands.
pub(super) fn path(graph: &Graph, stack: &[Frame]) -> String {
    let mut path = String::new();
    for frame in stack {
        let node = graph.node(frame.node);
        if path.is_empty() {
            path.push_str(node.key.name);
        }
        match node.key.kind {
            Kind::Option => continue,
            Kind::Seq | Kind::Map => {
                path.push_str("[]");
                continue;
            }
            Kind::Tuple | Kind::Struct => {}
            Kind::Enum => {
                path.push_str("::");
                path.push_str(node.key.variants[frame.branch]);
            }
        }
        let step = match node.branches[frame.branch].form {
            Form::Unit => continue,
            Form::Struct(fields) => fields.get(frame.slot).copied().map(str::to_owned),
            Form::Newtype | Form::Tuple(_) => Some(frame.slot.to_string()),
        };
        path.push('.');
        path.push_str(step.as_deref().unwrap_or("?"));
    }
    if path.is_empty() {
        path.push_str("the top");
    }
    path
}

struct Printer<'a> {
    graph: &'a Graph,
    colors: Vec<u64>,
    /// What was written out, and under which label.
    labels: HashMap<u64, String>,
    /// How many things have this name.
    used: HashMap<String, usize>,
    /// Colours of what has no name and is being written, outermost first, below the innermost that has one.
    above: Vec<u64>,
    out: String,
}

impl Printer<'_> {
    fn slot(&mut self, slot: &Slot) {
        match slot.as_slice() {
            [] => self.out.push('_'),
            [only] => self.reference(*only),
            many => {
                for (index, one) in many.iter().enumerate() {
                    self.out.push_str(if index == 0 { "<" } else { " / " });
                    self.reference(*one);
                }
                self.out.push('>');
            }
        }
    }

    fn reference(&mut self, what: Ref) {
        match what {
            Ref::Node(id) => self.node(id),
            Ref::Leaf { text, wire: None } => self.out.push_str(text),
            Ref::Leaf {
                text,
                wire: Some(wire),
            } => {
                self.out.push_str(&wire.label);
                if !wire.opaque {
                    self.out.push(' ');
                    self.out.push_str(text);
                }
            }
        }
    }

    fn node(&mut self, id: NodeId) {
        let node = self.graph.node(id);
        if let Some(wire) = node.wire.filter(|wire| wire.opaque) {
            self.out.push_str(&wire.label);
            return;
        }
        let color = self.colors[id];
        if let Some(label) = self.labels.get(&color) {
            self.out.push('^');
            self.out.push_str(label);
            return;
        }
        let label = self.name(node).map(|name| self.define(color, name));
        if label.is_none()
            && let Some(levels) = self.above.iter().rev().position(|above| *above == color)
        {
            let _ = write!(self.out, "^{}", levels + 1);
            return;
        }
        if label.is_some() {
            // A recursion through a name is written by that name.
            let above = std::mem::take(&mut self.above);
            self.body(node, label.as_deref());
            self.above = above;
        } else {
            self.above.push(color);
            self.body(node, None);
            self.above.pop();
        }
    }

    /// What a node is called, if it is.
    fn name(&self, node: &Node) -> Option<String> {
        match (node.wire, node.key.kind) {
            (Some(wire), _) => Some(wire.label.clone()),
            (None, Kind::Struct | Kind::Enum) => Some(name(node.key.name)),
            (None, Kind::Option | Kind::Seq | Kind::Map | Kind::Tuple) => None,
        }
    }

    fn define(&mut self, color: u64, name: String) -> String {
        let count = self.used.entry(name.clone()).or_default();
        *count += 1;
        let label = match *count {
            1 => name,
            again => format!("{name}'{again}"),
        };
        self.labels.insert(color, label.clone());
        label
    }

    fn body(&mut self, node: &Node, label: Option<&str>) {
        let kind = node.key.kind;
        self.out.push_str(match kind {
            Kind::Enum => "enum ",
            Kind::Option | Kind::Seq | Kind::Map | Kind::Tuple | Kind::Struct => "",
        });
        self.out.push_str(label.unwrap_or_default());
        match kind {
            Kind::Enum | Kind::Struct => {}
            Kind::Option | Kind::Seq | Kind::Map | Kind::Tuple if label.is_none() => {}
            Kind::Option | Kind::Seq | Kind::Map | Kind::Tuple => self.out.push(' '),
        }
        match kind {
            Kind::Option => self.inner("?", &node.branches[1], "", ""),
            Kind::Seq => self.inner("[", &node.branches[1], "", "]"),
            Kind::Map => self.inner("{", &node.branches[1], " => ", "}"),
            Kind::Struct => self.parts(&node.branches[0]),
            Kind::Tuple => self.tuple(&node.branches[0], true),
            Kind::Enum => self.variants(node),
        }
    }

    fn inner(&mut self, before: &str, branch: &Branch, between: &str, after: &str) {
        self.out.push_str(before);
        self.opaque(branch);
        for index in 0..branch.form.arity() {
            if index > 0 {
                self.out.push_str(between);
            }
            self.part(branch, index);
        }
        self.out.push_str(after);
    }

    fn variants(&mut self, node: &Node) {
        self.out.push('{');
        for (index, branch) in node.branches.iter().enumerate() {
            if index > 0 {
                self.out.push_str(" | ");
            }
            self.opaque(branch);
            self.out.push_str(&name(node.key.variants[index]));
            self.parts(branch);
        }
        self.out.push('}');
    }

    fn parts(&mut self, branch: &Branch) {
        match branch.form {
            Form::Unit => {}
            Form::Newtype | Form::Tuple(_) => self.tuple(branch, false),
            Form::Struct(fields) => {
                self.out.push('{');
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.out.push_str(&name(field));
                    self.out.push_str(": ");
                    self.part(branch, index);
                }
                self.out.push('}');
            }
        }
    }

    fn tuple(&mut self, branch: &Branch, unnamed: bool) {
        let arity = branch.form.arity();
        self.out.push('(');
        if arity >= RUN_MIN && self.is_run(branch, arity) {
            self.part(branch, 0);
            let _ = write!(self.out, "; {arity}");
        } else {
            for index in 0..arity {
                if index > 0 {
                    self.out.push_str(", ");
                }
                self.part(branch, index);
            }
            if unnamed && arity == 1 {
                self.out.push(',');
            }
        }
        self.out.push(')');
    }

    /// Whether the same is read at each place.
    fn is_run(&self, branch: &Branch, arity: usize) -> bool {
        branch.slots.len() == arity
            && branch.slots.windows(2).all(|pair| {
                slot_color(&self.colors, &pair[0]) == slot_color(&self.colors, &pair[1])
            })
    }

    fn part(&mut self, branch: &Branch, index: usize) {
        match branch.slots.get(index) {
            Some(slot) => self.slot(slot),
            None => self.out.push('_'),
        }
    }

    fn opaque(&mut self, branch: &Branch) {
        if is_opaque(branch) {
            self.out.push_str("opaque ");
        }
    }
}

fn is_opaque(branch: &Branch) -> bool {
    match branch.state {
        State::Open | State::Refused => true,
        State::Complete | State::Uninhabited => false,
    }
}

/// A name as it is, or quoted where it could be mistaken for something else.
fn name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.escape_default())
    }
}

/// Of every node, a number that is the same for nodes that look the same to any depth.
fn colors(graph: &Graph) -> Vec<u64> {
    let own: Vec<u64> = graph.nodes().iter().map(own_color).collect();
    let mut colors = own.clone();
    let mut told_apart = distinct(&colors);
    loop {
        let next = graph.nodes().iter().zip(&own).map(|(node, own)| {
            hash(|hasher| {
                own.hash(hasher);
                let opaque = node.wire.is_some_and(|wire| wire.opaque);
                for branch in node.branches.iter().filter(|_| !opaque) {
                    branch.slots.len().hash(hasher);
                    for slot in &branch.slots {
                        slot_color(&colors, slot).hash(hasher);
                    }
                }
            })
        });
        colors = next.collect();
        let now = distinct(&colors);
        if now == told_apart {
            return colors;
        }
        told_apart = now;
    }
}

/// What can be told of a node without looking at its parts.
fn own_color(node: &Node) -> u64 {
    hash(|hasher| {
        node.wire.hash(hasher);
        if node.wire.is_some_and(|wire| wire.opaque) {
            return;
        }
        (node.key.kind, node.key.variants).hash(hasher);
        if node.wire.is_none() {
            node.key.name.hash(hasher);
        }
        for branch in &node.branches {
            (branch.form, is_opaque(branch)).hash(hasher);
        }
    })
}

fn slot_color(colors: &[u64], slot: &Slot) -> u64 {
    hash(|hasher| {
        for what in slot {
            match what {
                Ref::Leaf { text, wire } => (text, wire).hash(hasher),
                Ref::Node(id) => colors[*id].hash(hasher),
            }
        }
    })
}

fn hash(write: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    write(&mut hasher);
    hasher.finish()
}

fn distinct(colors: &[u64]) -> usize {
    colors.iter().collect::<HashSet<_>>().len()
}

/// Members from which on equal ones are written once: a tuple of fewer reads better in full.
const RUN_MIN: usize = 5;
