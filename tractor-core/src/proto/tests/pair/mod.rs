//! Two routers and the link between them, simulated: no socket, no task, no clock.
//!
//! Each direction has two lanes. What a router sends is first *unwritten*, as in the link's buffer, where a `Start` can
//! be retracted; a flush writes both lanes, each message then takes its own time, in order within its lane. A control
//! message never passes the `Start` of its dialog, as a batch is written whole. An [`Auditor`] watches what each router
//! sends and panics when a rule of the router is broken.

mod audit;
mod schedule;
mod user;
mod world;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tractor_ipc::id::{ActorId, ActorName, Cid, LinkSide};
use tractor_ipc::msg::{CancelTarget, CreditTo, Msg, Role};
use tractor_ipc::time::Instant;

use self::audit::Auditor;
use crate::proto::router::Lane;
use crate::proto::{Action, Loss, Router, RouterConfig};

/// Two routers, the lanes between them and a virtual clock.
pub(super) struct Pair {
    /// The parent's end and the child's end.
    pub(super) ends: [End; 2],
    /// What time it is on both ends.
    pub(super) now: Instant,
}

/// One end: its router and the way to the other end.
pub(super) struct End {
    pub(super) router: Router,
    pub(super) auditor: Auditor,
    /// What the router wants done besides sending.
    pub(super) events: VecDeque<Action>,
    unwritten: VecDeque<Item>,
    flying: [VecDeque<(Instant, Item)>; 2],
}

struct Item {
    lane: Lane,
    msg: Msg,
    payload: Bytes,
}

/// The parent's end in [`Pair::ends`].
pub(super) const PARENT: usize = 0;
/// The child's end in [`Pair::ends`].
pub(super) const CHILD: usize = 1;

impl Pair {
    /// A parent and its child whose routers have these bounds.
    pub(super) fn new(request_window: u32, dialogs_max: usize) -> Self {
        let end = |side, peer, name| {
            let identity = ActorId::new(ActorName::new(name).unwrap());
            let mut config = RouterConfig::new(identity, peer);
            config.request_window = request_window;
            config.peer_request_window = request_window;
            config.dialogs_max = dialogs_max;
            End {
                router: Router::new(side, config),
                auditor: Auditor::new(request_window),
                events: VecDeque::new(),
                unwritten: VecDeque::new(),
                flying: Default::default(),
            }
        };
        Self {
            ends: [
                end(LinkSide::Acceptor, Role::Child, "parent"),
                end(LinkSide::Dialler, Role::Parent, "child"),
            ],
            now: Instant::ZERO,
        }
    }

    /// Writes what this end has to send; each message on `lane` takes `delays[lane]`.
    pub(super) fn flush(&mut self, end: usize, delays: [Duration; 2]) {
        let now = self.now;
        let end = &mut self.ends[end];
        for item in std::mem::take(&mut end.unwritten) {
            let lane = lane_index(item.lane);
            let last = end.flying[lane].back().map_or(now, |(at, _)| *at);
            end.flying[lane].push_back((last.max(now + delays[lane]), item));
        }
    }

    /// Hands over everything that is due now.
    pub(super) fn deliver(&mut self) {
        loop {
            let delivered = (0..2).any(|from| {
                let Some(item) = self.ends[from].next_due(self.now) else {
                    return false;
                };
                self.arrive(1 - from, item);
                true
            });
            if !delivered {
                return;
            }
        }
    }

    /// Lets time pass until the next message is due, and hands it over; false if none is under way.
    pub(super) fn step(&mut self) -> bool {
        let due = self.ends.iter().filter_map(End::next_arrival).min();
        let Some(due) = due else {
            return false;
        };
        self.now = self.now.max(due);
        self.deliver();
        true
    }

    /// Writes and delivers until nothing is under way.
    pub(super) fn drive(&mut self) {
        assert!(self.drive_bounded(), "the two ends never come to rest");
    }

    /// The same, for a bounded number of rounds; false if they did not come to rest.
    pub(super) fn drive_bounded(&mut self) -> bool {
        for _ in 0..ROUNDS_MAX {
            for end in [PARENT, CHILD] {
                self.drain(end);
                self.flush(end, [Duration::ZERO; 2]);
            }
            if !self.step() {
                return true;
            }
        }
        false
    }

    /// The link breaks: what is under way is gone, and both ends learn of it.
    pub(super) fn lose(&mut self, loss: &Loss) {
        for end in [PARENT, CHILD] {
            self.ends[end].unwritten.clear();
            self.ends[end].flying = Default::default();
            self.ends[end].router.lost(loss.clone());
            self.drain(end);
        }
    }

    /// Performs what this end's router wants sent, and keeps the rest for its user.
    pub(super) fn drain(&mut self, end: usize) {
        let end = &mut self.ends[end];
        while let Some(action) = end.router.poll_action() {
            match action {
                Action::Send { lane, msg, payload } => {
                    end.auditor.sends(lane, &msg, &payload);
                    // A batch's control messages are written before its data.
                    let overtakes = lane == Lane::Control
                        && dialog_of(&msg)
                            .is_some_and(|cid| end.unwritten.iter().any(|i| starts(&i.msg, cid)));
                    assert!(!overtakes, "RTR-7: {msg:?} would pass its Start");
                    end.unwritten.push_back(Item { lane, msg, payload });
                }
                other => end.events.push_back(other),
            }
        }
    }

    fn arrive(&mut self, to: usize, item: Item) {
        let Item { msg, payload, .. } = item;
        self.ends[to].auditor.receives(&msg);
        let handled = self.ends[to].router.handle(msg, payload, self.now);
        handled.expect("an honest peer breaks no rule");
        self.drain(to);
    }
}

impl End {
    /// Takes an unwritten `Start` out of the link's buffer; true if it was there.
    pub(super) fn retract(&mut self, cid: Cid) -> bool {
        let before = self.unwritten.len();
        self.unwritten.retain(|item| !starts(&item.msg, cid));
        let retracted = self.unwritten.len() < before;
        if retracted {
            self.auditor.retracts(cid);
        }
        retracted
    }

    /// Whether nothing is on its way from this end.
    pub(super) fn is_idle(&self) -> bool {
        self.unwritten.is_empty() && self.flying.iter().all(VecDeque::is_empty)
    }

    fn next_due(&mut self, now: Instant) -> Option<Item> {
        let lane = self.next_lane().filter(|&(at, _)| at <= now)?.1;
        self.flying[lane].pop_front().map(|(_, item)| item)
    }

    fn next_arrival(&self) -> Option<Instant> {
        self.next_lane().map(|(at, _)| at)
    }

    /// When and on which lane the next message arrives.
    fn next_lane(&self) -> Option<(Instant, usize)> {
        let [control, data] = &self.flying;
        let data_at = data.front().map(|(at, _)| (*at, 1));
        let control_at = control.front().and_then(|(at, item)| {
            let cid = dialog_of(&item.msg);
            let held = cid.is_some_and(|cid| data.iter().any(|(_, item)| starts(&item.msg, cid)));
            (!held).then_some((*at, 0))
        });
        match (control_at, data_at) {
            (Some(control), Some(data)) => Some(control.min(data)),
            (one, other) => one.or(other),
        }
    }
}

fn lane_index(lane: Lane) -> usize {
    match lane {
        Lane::Control => 0,
        Lane::Data => 1,
    }
}

fn starts(msg: &Msg, cid: Cid) -> bool {
    matches!(msg, Msg::Start(start) if start.cid == cid)
}

/// The dialog a control message belongs to, if it does.
fn dialog_of(msg: &Msg) -> Option<Cid> {
    match msg {
        Msg::Cancel(cancel) => match cancel.target {
            CancelTarget::Dialog(cid) => Some(cid),
            CancelTarget::Actor(_) => None,
        },
        Msg::Credit(credit) => match credit.to {
            CreditTo::Stream(cid) => Some(cid),
            CreditTo::Requests(_) => None,
        },
        Msg::Start(_)
        | Msg::StartAck(_)
        | Msg::Started { .. }
        | Msg::Yield { .. }
        | Msg::Stop { .. }
        | Msg::Return { .. }
        | Msg::Fail { .. }
        | Msg::CancelAck(_)
        | Msg::Cast(_)
        | Msg::SpawnSpec
        | Msg::Ready { .. }
        | Msg::Drain(_)
        | Msg::Ended { .. }
        | Msg::Ping(_)
        | Msg::Pong(_)
        | Msg::Bye => None,
    }
}

/// Rounds after which two routers that still talk do so for ever: far above the longest exchange of any test here.
const ROUNDS_MAX: usize = 10_000;
