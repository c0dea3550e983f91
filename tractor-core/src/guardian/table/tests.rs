//! The table under every event, and under random trees and deaths.

use proptest::prelude::*;

use super::*;

const KILLED: ExitStatus = ExitStatus::Signaled(9);

fn actions(table: &mut Table) -> Vec<Action> {
    std::iter::from_fn(|| table.poll_action()).collect()
}

/// A running process of `owner`, with its pid; what that made to do is thrown away.
fn start(table: &mut Table, owner: ProcessId, pid: u32) -> ProcessId {
    let id = table.handle_spawn(owner, 1, format!("t:{pid}")).unwrap();
    table.handle_forked(id, pid);
    table.handle_executed(id);
    actions(table);
    id
}

fn refused(token: u64, stage: StartStage, errno: i32) -> Event {
    let error = OsError::from_raw(errno);
    Event::Refused {
        token,
        stage,
        error,
    }
}

/// GUARD-1: answer and exit go to the owner of the connection the request came on.
#[test]
fn a_start_is_answered_and_its_exit_told_to_its_owner() {
    let mut table = Table::new(10);
    let middle = start(&mut table, ROOT, 10);
    let leaf = table.handle_spawn(middle, 7, "t:leaf".into()).unwrap();
    assert_eq!(actions(&mut table), []);
    table.handle_forked(leaf, 11);
    assert!(table.is_alive("t:leaf"));
    table.handle_executed(leaf);
    let spawned = Event::Spawned {
        token: 7,
        id: leaf,
        pid: 11,
    };
    assert_eq!(actions(&mut table), [Action::Send(middle, spawned)]);
    assert!(table.handle_exit(11, ExitStatus::Exited(3)));
    let exited = Event::Exited {
        id: leaf,
        status: ExitStatus::Exited(3),
    };
    assert_eq!(
        actions(&mut table),
        [Action::Close(leaf), Action::Send(middle, exited)]
    );
    assert!(!table.is_alive("t:leaf"));
    assert_eq!(table.len(), 1);
}

/// GUARD-2, GUARD-3: a dead middle takes all below it, and is told of once they are reaped, in whatever order.
#[test]
fn a_subtree_dies_with_its_middle_and_is_told_of_last() {
    let mut table = Table::new(10);
    let middle = start(&mut table, ROOT, 10);
    let inner = start(&mut table, middle, 11);
    let leaf = start(&mut table, inner, 12);
    let sibling = start(&mut table, ROOT, 13);
    table.handle_exit(10, ExitStatus::Exited(0));
    assert_eq!(
        actions(&mut table),
        [
            Action::Close(middle),
            Action::Kill(11, Signal::Kill),
            Action::Kill(12, Signal::Kill)
        ]
    );
    table.handle_exit(11, KILLED);
    assert_eq!(
        actions(&mut table),
        [Action::Close(inner), Action::Kill(12, Signal::Kill)]
    );
    table.handle_exit(12, KILLED);
    let exited = Event::Exited {
        id: middle,
        status: ExitStatus::Exited(0),
    };
    assert_eq!(
        actions(&mut table),
        [Action::Close(leaf), Action::Send(ROOT, exited)]
    );
    assert_eq!(table.by_pid(13), Some(sibling));
    assert_eq!(table.len(), 1);
}

#[test]
fn a_failed_exec_is_a_refusal_and_never_an_exit() {
    let mut table = Table::new(10);
    let id = table.handle_spawn(ROOT, 5, "t:x".into()).unwrap();
    table.handle_forked(id, 20);
    table.handle_exec_failed(id, StartStage::Exec, OsError::from_raw(7));
    let refusal = Action::Send(ROOT, refused(5, StartStage::Exec, 7));
    assert_eq!(actions(&mut table), [refusal]);
    assert!(table.handle_exit(20, ExitStatus::Exited(127)));
    assert_eq!(actions(&mut table), [Action::Close(id)]);
    assert!(table.is_empty());
}

#[test]
fn a_process_killed_before_its_exec_was_started_and_ended() {
    let mut table = Table::new(10);
    let id = table.handle_spawn(ROOT, 5, "t:x".into()).unwrap();
    table.handle_forked(id, 20);
    table.handle_exit(20, KILLED);
    let spawned = Event::Spawned {
        token: 5,
        id,
        pid: 20,
    };
    let exited = Event::Exited { id, status: KILLED };
    assert_eq!(
        actions(&mut table),
        [
            Action::Send(ROOT, spawned),
            Action::Close(id),
            Action::Send(ROOT, exited)
        ]
    );
}

#[test]
fn a_process_that_could_not_be_forked_leaves_nothing() {
    let mut table = Table::new(10);
    let id = table.handle_spawn(ROOT, 5, "t:x".into()).unwrap();
    table.handle_not_forked(id, StartStage::Fork, OsError::from_raw(11));
    let refusal = Action::Send(ROOT, refused(5, StartStage::Fork, 11));
    assert_eq!(actions(&mut table), [refusal]);
    assert!(table.is_empty());
}

#[test]
fn there_is_a_limit_and_the_dead_start_nothing() {
    let mut table = Table::new(1);
    let middle = start(&mut table, ROOT, 10);
    assert_eq!(table.handle_spawn(ROOT, 2, "t:x".into()), None);
    let refusal = Action::Send(ROOT, refused(2, StartStage::Admit, EAGAIN));
    assert_eq!(actions(&mut table), [refusal]);
    table.handle_exit(10, KILLED);
    actions(&mut table);
    assert_eq!(table.handle_spawn(middle, 3, "t:y".into()), None);
    assert_eq!(actions(&mut table), []);
}

/// GUARD-1: nobody signals a process that is not its own child.
#[test]
fn signals_reach_own_children_alone() {
    let mut table = Table::new(10);
    let middle = start(&mut table, ROOT, 10);
    let leaf = start(&mut table, middle, 11);
    table.handle_signal(ROOT, leaf, Signal::Kill);
    table.handle_signal(leaf, middle, Signal::Kill);
    assert_eq!(actions(&mut table), []);
    table.handle_signal(middle, leaf, Signal::Terminate);
    assert_eq!(actions(&mut table), [Action::Kill(11, Signal::Terminate)]);
    table.handle_exit(11, KILLED);
    actions(&mut table);
    table.handle_signal(middle, leaf, Signal::Kill);
    assert_eq!(actions(&mut table), []);
}

#[test]
fn a_stranger_is_not_in_the_table() {
    let mut table = Table::new(10);
    assert!(!table.handle_exit(99, KILLED));
    table.handle_ping(ROOT, 4);
    assert_eq!(actions(&mut table), [Action::Send(ROOT, Event::Pong(4))]);
}

#[derive(Clone, Debug)]
enum Step {
    Spawn { owner: usize },
    Exit { which: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..20_usize).prop_map(|owner| Step::Spawn { owner }),
        2 => (0..20_usize).prop_map(|which| Step::Exit { which }),
    ];
    proptest::collection::vec(step, 0..80)
}

proptest! {
    /// GUARD-2, GUARD-3: under random trees and deaths: whoever was told to die does, and then each process has ended
    /// once, a living parent was told once, after everything below, and the table is empty.
    #[test]
    fn every_exit_is_told_once_and_upwards(steps in steps()) {
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Spawn { owner } => model.spawn(owner),
                Step::Exit { which } => model.exit(which),
            }
        }
        while !model.alive.is_empty() {
            model.exit(0);
        }
        prop_assert!(model.table.is_empty());
    }
}

/// A process table and, beside it, what must be true of it.
struct Model {
    table: Table,
    /// Pids not reaped, with the process, its parent, and whether it was told to die.
    alive: Vec<(u32, ProcessId, ProcessId, bool)>,
    parents: BTreeMap<ProcessId, ProcessId>,
    told: Vec<ProcessId>,
    last_pid: u32,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            table: Table::new(1000),
            alive: Vec::new(),
            parents: BTreeMap::new(),
            told: Vec::new(),
            last_pid: 100,
        }
    }
}

impl Model {
    fn spawn(&mut self, owner: usize) {
        let owner = match self.alive.get(owner) {
            Some((_, id, _, _)) => *id,
            None => ROOT,
        };
        self.last_pid += 1;
        let id = start(&mut self.table, owner, self.last_pid);
        self.alive.push((self.last_pid, id, owner, false));
        self.parents.insert(id, owner);
    }

    fn exit(&mut self, which: usize) {
        if self.alive.is_empty() {
            return;
        }
        let (pid, id, _, _) = self.alive.remove(which % self.alive.len());
        assert!(self.table.handle_exit(pid, KILLED));
        for action in actions(&mut self.table) {
            match action {
                Action::Kill(pid, _) => {
                    let hit = self.alive.iter_mut().find(|(at, ..)| *at == pid);
                    hit.expect("only the living are killed").3 = true;
                }
                Action::Close(closed) => assert_eq!(closed, id),
                Action::Send(to, Event::Exited { id: ended, .. }) => {
                    assert_eq!(self.parents[&ended], to);
                    assert!(!self.told.contains(&ended), "told once");
                    self.told.push(ended);
                    let below = |at: ProcessId| self.is_below(at, ended);
                    assert!(!self.alive.iter().any(|(_, at, ..)| below(*at)));
                }
                Action::Send(_, other) => panic!("{other:?}"),
            }
        }
        // Everything below the dead was told to die.
        for (_, at, _, doomed) in &self.alive {
            assert!(*doomed || !self.is_below(*at, id));
        }
    }

    fn is_below(&self, at: ProcessId, above: ProcessId) -> bool {
        let mut at = at;
        while let Some(parent) = self.parents.get(&at) {
            if *parent == above {
                return true;
            }
            at = *parent;
        }
        false
    }
}
