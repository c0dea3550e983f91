//! Random schedules: what two honest ends do in any order, over lanes of any delay, breaks no rule.

use std::time::Duration;

use proptest::prelude::*;
use tractor_ipc::msg::{CallKind, Overrun};

use super::world::{AtOnce, Deed, Role, World};
use super::{CHILD, PARENT};
use crate::proto::Loss;

#[derive(Clone, Debug)]
enum Step {
    Act(usize, Deed),
    Advance(u64),
}

fn kind() -> impl Strategy<Value = CallKind> {
    prop_oneof![
        Just(CallKind::Unary),
        Just(CallKind::Context),
        Just(CallKind::Stream)
    ]
}

fn overrun() -> impl Strategy<Value = Overrun> {
    prop_oneof![
        3 => Just(Overrun::Wait),
        1 => Just(Overrun::Error),
        1 => Just(Overrun::DropOldest),
        1 => Just(Overrun::DropNewest),
    ]
}

fn opening() -> impl Strategy<Value = Deed> {
    let ttl = prop::option::weighted(0.2, 0..20u64);
    let at_once = prop_oneof![
        8 => Just(AtOnce::Nothing),
        1 => Just(AtOnce::Release),
        1 => Just(AtOnce::Cancel),
    ];
    (kind(), 0..4u32, overrun(), ttl, at_once).prop_map(|(kind, window, overrun, ttl, at_once)| {
        Deed::Open {
            kind,
            window,
            overrun,
            ttl,
            at_once,
        }
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let role = || prop_oneof![Just(Role::Opener), Just(Role::Callee)];
    let index = || 0..16usize;
    prop_oneof![
        8 => opening(),
        3 => Just(Deed::Cast),
        1 => Just(Deed::TryCast),
        2 => index().prop_map(Deed::LookAtCast),
        1 => index().prop_map(Deed::DropCast),
        3 => index().prop_map(Deed::Cancel),
        3 => index().prop_map(Deed::Release),
        2 => index().prop_map(Deed::TakeStarted),
        3 => index().prop_map(Deed::TakeOutcome),
        12 => (role(), index()).prop_map(|(role, index)| Deed::Send(role, index)),
        12 => (role(), index()).prop_map(|(role, index)| Deed::Recv(role, index)),
        2 => (role(), index()).prop_map(|(role, index)| Deed::Stop(role, index)),
        1 => (role(), index()).prop_map(|(role, index)| Deed::Discard(role, index)),
        8 => (index(), 0..4u32, overrun()).prop_map(|(i, window, o)| Deed::Accept(i, window, o)),
        8 => index().prop_map(Deed::Started),
        4 => (index(), any::<bool>()).prop_map(|(index, fail)| Deed::Finish(index, fail)),
        6 => Just(Deed::TakeRequest),
        10 => [0..8u64, 0..8u64].prop_map(Deed::Flush),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..2usize, deed()).prop_map(|(end, deed)| Step::Act(end, deed)),
        1 => (0..6u64).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 0..250)
}

fn play(request_window: u32, steps: Vec<Step>) -> World {
    let mut world = World::new(request_window, 6);
    for step in steps {
        match step {
            Step::Act(end, deed) => world.act(end, deed),
            Step::Advance(ms) => world.advance(ms),
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    /// RTR-1, RTR-2, RTR-3, RTR-4, RTR-5, RTR-6, RTR-7, RTR-9, RTR-11; FLW-1; DLG-1, DLG-3.
    #[test]
    fn everything_ends_and_nothing_is_left(window in 1..4u32, steps in steps()) {
        let mut world = play(window, steps);
        world.complete();
        world.leave();
    }

    /// RTR-9: without being completed first.
    #[test]
    fn whoever_leaves_leaves_nothing(window in 1..4u32, steps in steps()) {
        play(window, steps).leave();
    }

    /// RTR-8, RTR-9.
    #[test]
    fn a_lost_link_ends_everything_with_one_cause(window in 1..4u32, steps in steps()) {
        let mut world = play(window, steps);
        world.lose(&Loss::Io("gone".into()));
        world.complete();
        world.leave();
    }

    /// RTR-8, RTR-9: a link closed in order.
    #[test]
    fn a_closed_link_ends_everything(window in 1..4u32, steps in steps(), end in 0..2usize) {
        let mut world = play(window, steps);
        world.bye(end);
        world.complete();
        world.leave();
    }
}

/// What the simulated link itself promises: order within a lane, independence between lanes.
#[test]
fn control_passes_data_but_not_its_own_start() {
    let mut world = World::new(4, 8);
    let open = Deed::Open {
        kind: CallKind::Unary,
        window: 0,
        overrun: Overrun::Wait,
        ttl: None,
        at_once: AtOnce::Nothing,
    };
    world.act(PARENT, open);
    world.act(PARENT, Deed::Flush([0, 50]));
    world.act(PARENT, Deed::Cancel(0));
    world.act(PARENT, Deed::Flush([1, 0]));
    world.advance(10);
    assert!(world.users[CHILD].served.is_empty());
    world.advance(40);
    assert!(world.users[CHILD].served[0].cancelled);
    world.pair.ends[PARENT].router.ping(7);
    world.act(PARENT, open);
    world.act(PARENT, Deed::Flush([1, 20]));
    let start = world.pair.now;
    assert!(world.pair.step());
    assert_eq!(world.pair.now, start + Duration::from_millis(1));
    assert_eq!(world.users[CHILD].served.len(), 1);
}

/// Schedules tried for each property: about a second each in a debug build; 2000 of each were tried when this was written.
const CASES: u32 = 64;
