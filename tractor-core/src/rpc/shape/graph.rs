//! What has been seen of a type: a graph of its compound values, and which of their branches are still to be seen.
//!
//! A branch is one of the ways a compound value can look: `None` or `Some`, empty or not, each variant. What has only
//! one way (structs, tuples) has one branch. Pure data; nothing here runs code of the type.

use std::collections::HashMap;

use super::registry::Wire;

/// A compound value's place in the graph.
pub(super) type NodeId = usize;

/// All that was seen.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    ids: HashMap<Key, NodeId>,
    root: Slot,
    learned: bool,
}

/// What is read at one place: nothing yet, one thing, or several (where it depends on an earlier value).
pub(super) type Slot = Vec<Ref>;

/// What a place holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ref {
    /// A value without parts.
    Leaf {
        /// Its kind: `u8`, `str`.
        text: &'static str,
        /// What its type is registered as.
        wire: Option<&'static Wire>,
    },
    /// A value with parts.
    Node(NodeId),
}

/// What makes two compound values the same. The names of the Rust types serve to tell types apart here; they are not
/// part of the text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) kind: Kind,
    pub(super) form: Form,
    /// Serde's name, or empty.
    pub(super) name: &'static str,
    pub(super) variants: &'static [&'static str],
    /// Name of the visitor's type.
    pub(super) visitor: &'static str,
    /// Name of the type the visitor makes.
    pub(super) value: &'static str,
}

/// The kinds of compound values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Option,
    Seq,
    Map,
    Tuple,
    Struct,
    Enum,
}

/// How the parts of a branch are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Unit,
    Newtype,
    Tuple(usize),
    Struct(&'static [&'static str]),
}

impl Form {
    /// Places it has.
    pub(super) fn arity(self) -> usize {
        match self {
            Self::Unit => 0,
            Self::Newtype => 1,
            Self::Tuple(arity) => arity,
            Self::Struct(fields) => fields.len(),
        }
    }
}

/// A compound value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) key: Key,
    /// What its type is registered as.
    pub(super) wire: Option<&'static Wire>,
    pub(super) branches: Vec<Branch>,
    /// The first branch that gave a value. Built from grounds alone every value is finite, for each ground was found
    /// after those of its parts.
    pub(super) ground: Option<usize>,
}

/// One way a compound value can look.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) form: Form,
    pub(super) slots: Vec<Slot>,
    pub(super) state: State,
    /// Not to be tried again for a small value before something new is known.
    deferred: bool,
}

/// What is known of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// There is more to see.
    Open,
    /// All was seen.
    Complete,
    /// It refused every sample.
    Refused,
    /// It has no finite value.
    Uninhabited,
}

impl Graph {
    /// The node with this key, new if it is.
    pub(super) fn intern(&mut self, key: Key, wire: Option<&'static Wire>) -> NodeId {
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        let id = self.nodes.len();
        self.nodes.push(Node::new(key.clone(), wire));
        self.ids.insert(key, id);
        self.learned = true;
        id
    }

    /// Notes that `what` was read at this place, or at the top.
    pub(super) fn record(&mut self, place: Option<(NodeId, usize, usize)>, what: Ref) {
        let slot = match place {
            None => &mut self.root,
            Some((node, branch, slot)) => {
                let slots = &mut self.nodes[node].branches[branch].slots;
                if slots.len() <= slot {
                    slots.resize_with(slot + 1, Slot::new);
                }
                &mut slots[slot]
            }
        };
        if !slot.contains(&what) {
            slot.push(what);
            self.learned = true;
        }
    }

    /// The form of a variant, known only once it is read.
    pub(super) fn set_form(&mut self, node: NodeId, branch: usize, form: Form) {
        self.nodes[node].branches[branch].form = form;
    }

    /// A value of this branch was made; `seen` says that all of it was seen.
    pub(super) fn made(&mut self, node: NodeId, branch: usize, seen: bool) {
        if seen {
            self.close(node, branch, State::Complete);
        }
        if self.nodes[node].ground.is_none() {
            self.nodes[node].ground = Some(branch);
            self.learned = true;
            for branch in self.nodes.iter_mut().flat_map(|node| &mut node.branches) {
                branch.deferred = false;
            }
        }
    }

    /// Nothing more is to be learned of this branch.
    pub(super) fn close(&mut self, node: NodeId, branch: usize, state: State) {
        let branch = &mut self.nodes[node].branches[branch];
        if branch.state == State::Open {
            branch.state = state;
            self.learned = true;
        }
    }

    /// Another branch is to be tried first where a small value is needed.
    pub(super) fn defer(&mut self, node: NodeId, branch: usize) {
        self.nodes[node].branches[branch].deferred = true;
    }

    /// Whether anything new was noted since this was last asked.
    pub(super) fn take_learned(&mut self) -> bool {
        std::mem::take(&mut self.learned)
    }

    /// One node.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// Every node, by its id.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What is read at the top.
    pub(super) fn root(&self) -> &Slot {
        &self.root
    }
}

impl Node {
    fn new(key: Key, wire: Option<&'static Wire>) -> Self {
        let seen = Branch::new(Form::Unit, State::Complete);
        let (branches, ground) = match key.kind {
            Kind::Option | Kind::Seq => (vec![seen, Branch::open(Form::Newtype)], Some(0)),
            Kind::Map => (vec![seen, Branch::open(Form::Tuple(2))], Some(0)),
            Kind::Tuple | Kind::Struct => (vec![Branch::open(key.form)], None),
            Kind::Enum => {
                let variants = key.variants.iter();
                (variants.map(|_| Branch::open(Form::Unit)).collect(), None)
            }
        };
        Self {
            key,
            wire,
            branches,
            ground,
        }
    }

    /// Whether there is nothing more to see.
    pub(super) fn is_complete(&self) -> bool {
        self.first_open().is_none()
    }

    /// The first branch with more to see.
    pub(super) fn first_open(&self) -> Option<usize> {
        let mut branches = self.branches.iter();
        branches.position(|branch| branch.state == State::Open)
    }

    /// Branches known to give a finite value, the ground first.
    pub(super) fn proven(&self) -> impl Iterator<Item = usize> + Clone {
        let complete = self.branches.iter().enumerate();
        let others = complete
            .filter(|(_, branch)| branch.state == State::Complete)
            .map(|(index, _)| index)
            .filter(|index| Some(*index) != self.ground);
        self.ground.into_iter().chain(others)
    }

    /// A branch that may yet prove to give a finite value, other than those `taken`.
    pub(super) fn candidate(&self, taken: impl Fn(usize) -> bool) -> Option<usize> {
        let usable = |branch: &Branch| match branch.state {
            State::Open | State::Complete => !branch.deferred,
            State::Refused | State::Uninhabited => false,
        };
        (0..self.branches.len()).find(|&index| usable(&self.branches[index]) && !taken(index))
    }
}

impl Branch {
    fn new(form: Form, state: State) -> Self {
        Self {
            form,
            slots: Vec::new(),
            state,
            deferred: false,
        }
    }

    fn open(form: Form) -> Self {
        Self::new(form, State::Open)
    }
}
