//! A pair with tasks at both ends, one random step at a time, and the rules checked after each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tractor_ipc::id::{ActorSlot, Cid};
use tractor_ipc::msg::{
    CallKind, CancelReason, Fault, FaultKind, FaultLink, FaultNode, FunctionRef, Overrun,
};

use super::user::{Count, Mine, User, Waiting, number_in, numbered};
use super::{CHILD, PARENT, Pair};
use crate::proto::tests::{cast, somebody};
use crate::proto::{
    Cancelled, CastPlace, CastRefused, CommandError, Loss, Open, OpenRefused, Outcome, Recv, Reply,
    SendPlace, Wake,
};

/// Two ends, their tasks, and what an observer knows of both.
pub(super) struct World {
    pub(super) pair: Pair,
    pub(super) users: [User; 2],
    request_window: u32,
    next_place: u64,
    /// What each handler ended with.
    replies: BTreeMap<Cid, Reply<()>>,
    /// Dialogs that were cancelled before they were sent.
    unsent: BTreeSet<Cid>,
    /// By dialog and whether the opener writes.
    counts: BTreeMap<(Cid, bool), Count>,
    /// Directions whose reader left, perhaps before anything was granted.
    deserted: BTreeSet<(Cid, bool)>,
    lost: Option<Loss>,
}

/// What a task at one end does. Indices go round.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Open {
        kind: CallKind,
        window: u32,
        overrun: Overrun,
        ttl: Option<u64>,
        at_once: AtOnce,
    },
    Cast,
    TryCast,
    LookAtCast(usize),
    DropCast(usize),
    Cancel(usize),
    Release(usize),
    TakeStarted(usize),
    TakeOutcome(usize),
    Send(Role, usize),
    Recv(Role, usize),
    Stop(Role, usize),
    Discard(Role, usize),
    Accept(usize, u32, Overrun),
    Started(usize),
    Finish(usize, bool),
    TakeRequest,
    Flush([u64; 2]),
}

/// What the opener does before its router's actions were drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtOnce {
    Nothing,
    Release,
    Cancel,
}

/// In which of its dialogs a task acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Opener,
    Callee,
}

impl World {
    pub(super) fn new(request_window: u32, dialogs_max: usize) -> Self {
        Self {
            pair: Pair::new(request_window, dialogs_max),
            users: Default::default(),
            request_window,
            next_place: 0,
            replies: BTreeMap::new(),
            unsent: BTreeSet::new(),
            counts: BTreeMap::new(),
            deserted: BTreeSet::new(),
            lost: None,
        }
    }

    /// One task does one thing.
    pub(super) fn act(&mut self, end: usize, deed: Deed) {
        match deed {
            Deed::Open { .. } => self.open(end, deed),
            Deed::Cast => self.cast(end),
            Deed::TryCast => self.try_cast(end),
            Deed::LookAtCast(index) => self.look_at_cast(end, index),
            Deed::DropCast(index) => self.drop_cast(end, index),
            Deed::Cancel(index) => self.cancel(end, index),
            Deed::Release(index) => self.release(end, index),
            Deed::TakeStarted(index) => self.take_started(end, index),
            Deed::TakeOutcome(index) => self.take_outcome(end, index),
            Deed::Send(role, index) => self.send(end, role, index),
            Deed::Recv(role, index) => self.recv(end, role, index),
            Deed::Stop(role, index) => self.stop(end, role, index),
            Deed::Discard(role, index) => self.discard(end, role, index),
            Deed::Accept(index, window, overrun) => self.accept(end, index, window, overrun),
            Deed::Started(index) => self.started(end, index),
            Deed::Finish(index, fail) => self.finish(end, index, fail),
            Deed::TakeRequest => self.take_request(end),
            Deed::Flush(delays) => self.pair.flush(end, delays.map(Duration::from_millis)),
        }
        self.settle();
    }

    /// Time passes.
    pub(super) fn advance(&mut self, ms: u64) {
        self.pair.now = self.pair.now + Duration::from_millis(ms);
        self.pair.deliver();
        self.settle();
    }

    /// The link breaks.
    pub(super) fn lose(&mut self, loss: &Loss) {
        self.pair.lose(loss);
        self.lost = Some(loss.clone());
        self.settle();
        let all_asked = |user: &User| user.served.iter().all(|served| served.cancelled);
        assert!(
            self.users.iter().all(all_asked),
            "RTR-8: every handler is asked to end"
        );
    }

    /// One end closes the link in order, and the other hears of it.
    pub(super) fn bye(&mut self, end: usize) {
        self.pair.ends[end].router.bye();
        self.pair.drive();
        self.settle();
        assert!(self.users[1 - end].heard_bye);
        assert_eq!(self.pair.ends[1 - end].router.loss(), Some(&Loss::Bye));
        self.lost = Some(Loss::Bye);
    }

    /// Every task finishes what it has: every dialog gets its outcome and every place its end.
    pub(super) fn complete(&mut self) {
        loop {
            self.pair.drive();
            self.settle();
            let busy = |user: &User| user.mailbox > 0 || !user.served.is_empty();
            if !self.users.iter().any(busy) {
                break;
            }
            for end in [PARENT, CHILD] {
                while self.users[end].mailbox > 0 {
                    self.act(end, Deed::TakeRequest);
                }
                while !self.users[end].served.is_empty() {
                    self.act(end, Deed::Finish(0, false));
                }
            }
        }
        for end in [PARENT, CHILD] {
            for index in 0..self.users[end].mine.len() {
                self.take_outcome(end, index);
                assert!(
                    self.users[end].mine[index].has_outcome,
                    "RTR-1: every dialog ends"
                );
            }
            while !self.users[end].waiting.is_empty() {
                let before = self.users[end].waiting.len();
                self.look_at_cast(end, 0);
                assert!(
                    self.users[end].waiting.len() < before,
                    "every cast is sent or lost"
                );
            }
        }
    }

    /// Every task lets go of what it holds: nothing is left.
    pub(super) fn leave(&mut self) {
        for end in [PARENT, CHILD] {
            while !self.users[end].mine.is_empty() {
                self.act(end, Deed::Release(0));
            }
            while !self.users[end].waiting.is_empty() {
                self.act(end, Deed::DropCast(0));
            }
        }
        self.complete();
        for end in &self.pair.ends {
            let left = end.router.statistics();
            let tables = (
                left.opened,
                left.served,
                left.queued_calls,
                left.queued_casts,
            );
            assert_eq!(tables, (0, 0, 0, 0), "RTR-9: nothing is left");
            assert!(end.is_idle() || self.lost.is_some());
        }
    }

    /// Takes in what the routers want, and checks what must hold at every moment.
    fn settle(&mut self) {
        for end in [PARENT, CHILD] {
            self.pair.drain(end);
            while let Some(action) = self.pair.ends[end].events.pop_front() {
                self.users[end].take(action);
            }
            let mailbox = self.users[end].mailbox;
            assert!(
                mailbox <= self.request_window,
                "RTR-5: {mailbox} requests wait"
            );
            let counted = self.pair.ends[end].router.statistics();
            assert_eq!(counted.broken, 0, "RTR-6: no dialog of honest peers breaks");
        }
    }

    fn open(&mut self, end: usize, deed: Deed) {
        let Deed::Open {
            kind,
            window,
            overrun,
            ttl,
            at_once,
        } = deed
        else {
            return;
        };
        let now = self.pair.now;
        let open = Open {
            actor: ActorSlot::MAIN,
            function: FunctionRef::Method(0),
            kind,
            signature: None,
            deadline: ttl.map(|ttl| now + Duration::from_millis(ttl)),
            chain: Vec::new(),
            overrun,
            window,
            trace: None,
        };
        self.next_place += 1;
        let router = &mut self.pair.ends[end].router;
        let cid = match router.open(open, numbered(self.next_place), now) {
            Ok(cid) => cid,
            Err(OpenRefused::Expired) => return assert_eq!(ttl, Some(0)),
            Err(OpenRefused::TooMany { limit }) => {
                return assert_eq!(router.statistics().opened, limit);
            }
            Err(OpenRefused::Down(_)) => return assert!(self.lost.is_some()),
        };
        self.counts
            .insert((cid, false), Count::new(window, overrun));
        let has_outcome = false;
        match at_once {
            AtOnce::Nothing => {}
            AtOnce::Release => {
                router.release(cid, false, now);
                return self.is_unsent(end, cid);
            }
            AtOnce::Cancel => {
                let (why, who) = (CancelReason::Requested, somebody());
                let cancelled = router.cancel(cid, why, who, None, false, now);
                assert_eq!(cancelled, Cancelled::Unsent, "nobody has drained its Start");
                self.is_unsent(end, cid);
            }
        }
        self.users[end].mine.push(Mine { cid, has_outcome });
    }

    fn is_unsent(&mut self, end: usize, cid: Cid) {
        self.unsent.insert(cid);
        self.pair.ends[end].auditor.is_unsent(cid);
    }

    fn cast(&mut self, end: usize) {
        self.next_place += 1;
        let place = self.next_place;
        match self.pair.ends[end].router.cast(cast(), numbered(place)) {
            Ok(CastPlace::Sent) => {}
            Ok(CastPlace::Queued(ticket)) => {
                let woken = false;
                self.users[end].waiting.push(Waiting {
                    ticket,
                    place,
                    woken,
                });
            }
            Ok(CastPlace::Lost(_)) => unreachable!("a lost link takes no cast"),
            Err(CastRefused::Down(_)) => assert!(self.lost.is_some()),
            Err(CastRefused::Full) => {}
        }
    }

    fn try_cast(&mut self, end: usize) {
        self.next_place += 1;
        let args = numbered(self.next_place);
        match self.pair.ends[end].router.try_cast(cast(), args) {
            Ok(()) => assert!(self.users[end].waiting.iter().all(|waiting| waiting.woken)),
            Err(CastRefused::Full) => {}
            Err(CastRefused::Down(_)) => assert!(self.lost.is_some()),
        }
    }

    fn look_at_cast(&mut self, end: usize, index: usize) {
        let Some(index) = index.checked_rem(self.users[end].waiting.len()) else {
            return;
        };
        let ticket = self.users[end].waiting[index].ticket;
        let place = self.pair.ends[end].router.cast_written(ticket);
        match place {
            CastPlace::Queued(same) => return assert_eq!(same, ticket),
            CastPlace::Sent => {}
            CastPlace::Lost(loss) => self.check_loss(end, &loss),
        }
        let waiting = self.users[end].waiting.remove(index);
        assert!(
            waiting.woken,
            "RTR-11: cast {} is over and nobody said so",
            waiting.place
        );
    }

    fn drop_cast(&mut self, end: usize, index: usize) {
        let user = &mut self.users[end];
        if let Some(index) = index.checked_rem(user.waiting.len()) {
            let waiting = user.waiting.remove(index);
            self.pair.ends[end].router.drop_cast(waiting.ticket);
        }
    }

    fn cancel(&mut self, end: usize, index: usize) {
        let Some(Mine { cid, .. }) = pick(&self.users[end].mine, index) else {
            return;
        };
        let (now, here) = (self.pair.now, &mut self.pair.ends[end]);
        let retracted = here.retract(cid);
        let (why, who) = (CancelReason::Requested, somebody());
        match here.router.cancel(cid, why, who, None, retracted, now) {
            Cancelled::Unsent => self.is_unsent(end, cid),
            Cancelled::Asked | Cancelled::Ended => assert!(!retracted),
        }
    }

    fn release(&mut self, end: usize, index: usize) {
        let user = &mut self.users[end];
        if let Some(index) = index.checked_rem(user.mine.len()) {
            let cid = user.mine.remove(index).cid;
            let (now, end) = (self.pair.now, &mut self.pair.ends[end]);
            let retracted = end.retract(cid);
            end.router.release(cid, retracted, now);
            self.deserted.insert((cid, false));
        }
    }

    fn take_started(&mut self, end: usize, index: usize) {
        let Some(Mine { cid, has_outcome }) = pick(&self.users[end].mine, index) else {
            return;
        };
        let router = &mut self.pair.ends[end].router;
        match router.take_started(cid) {
            Some(_) => self.users[end].found(cid, Wake::STARTED),
            None if router.has_ended(cid) => self.users[end].found(cid, Wake::STARTED),
            None if has_outcome => {}
            None => self.users[end].sleep(cid, Wake::STARTED),
        }
    }

    fn take_outcome(&mut self, end: usize, index: usize) {
        let Some(Mine { cid, has_outcome }) = pick(&self.users[end].mine, index) else {
            return;
        };
        let Some(outcome) = self.pair.ends[end].router.take_outcome(cid) else {
            if !has_outcome {
                self.users[end].sleep(cid, Wake::OUTCOME);
            }
            return;
        };
        assert!(!has_outcome, "RTR-1: {cid} has two outcomes");
        self.users[end].found(cid, Wake::OUTCOME);
        let at = index % self.users[end].mine.len();
        self.users[end].mine[at].has_outcome = true;
        let replied = self.replies.get(&cid);
        match outcome {
            Outcome::Return(_) => assert_eq!(replied, Some(&Reply::Return(()))),
            Outcome::Fail(_) => assert!(matches!(replied, Some(Reply::Fail(_)))),
            Outcome::Lost(loss) => self.check_loss(end, &loss),
            Outcome::Broken(violation) => panic!("{cid}: {violation}"),
            Outcome::Cancelled { reason, .. } => {
                let expired = reason == CancelReason::Deadline;
                assert!(
                    expired || self.unsent.contains(&cid),
                    "RTR-2: {cid} was sent"
                );
                self.pair.ends[end].auditor.is_unsent(cid);
            }
        }
    }

    fn send(&mut self, end: usize, role: Role, index: usize) {
        let Some(cid) = self.pick_dialog(end, role, index) else {
            return;
        };
        let count = self.counts.get(&(cid, role == Role::Opener)).copied();
        let number = count.map_or(0, |count| count.sent) + 1;
        match self.pair.ends[end].router.send(cid, numbered(number)) {
            SendPlace::Sent => {
                let direction = (cid, role == Role::Opener);
                let count = self.counts.get_mut(&direction);
                let count = count.expect("only what was granted can be sent");
                count.sends(self.deserted.contains(&direction));
            }
            SendPlace::NoCredit(_) => return self.users[end].sleep(cid, Wake::SEND),
            SendPlace::Overrun => {
                assert!(count.is_some_and(|count| count.overrun == Overrun::Error));
            }
            SendPlace::NotStarted => return,
            SendPlace::Stopped | SendPlace::Ended => {}
        }
        self.users[end].found(cid, Wake::SEND);
    }

    fn recv(&mut self, end: usize, role: Role, index: usize) {
        let Some(cid) = self.pick_dialog(end, role, index) else {
            return;
        };
        match self.pair.ends[end].router.recv(cid) {
            Recv::Value(value) => {
                let count = self.counts.get_mut(&(cid, role == Role::Callee));
                let count = count.expect("only what was granted can come");
                count.receives(number_in(&value));
            }
            Recv::Empty => return self.users[end].sleep(cid, Wake::RECV),
            Recv::Stopped | Recv::Ended => {}
        }
        self.users[end].found(cid, Wake::RECV);
    }

    fn stop(&mut self, end: usize, role: Role, index: usize) {
        if let Some(cid) = self.pick_dialog(end, role, index) {
            let stopped = self.pair.ends[end].router.stop(cid);
            assert!(stopped.is_ok() || matches!(stopped, Err(e) if is_early_or_late(e)));
            // Its own task ends this direction, so none is left that waits to send.
            self.users[end].take(crate::proto::Action::Notify(cid, Wake::SEND));
        }
    }

    fn discard(&mut self, end: usize, role: Role, index: usize) {
        if let Some(cid) = self.pick_dialog(end, role, index) {
            self.pair.ends[end].router.discard(cid);
            self.deserted.insert((cid, role == Role::Callee));
        }
    }

    fn accept(&mut self, end: usize, index: usize, window: u32, overrun: Overrun) {
        if let Some(served) = pick(&self.users[end].served, index) {
            let accepted = self.pair.ends[end]
                .router
                .accept(served.cid, window, overrun);
            if accepted.is_ok() {
                assert_ne!(served.kind, CallKind::Unary);
                let count = Count::new(window, overrun);
                self.counts.insert((served.cid, true), count);
            }
        }
    }

    fn started(&mut self, end: usize, index: usize) {
        if let Some(served) = pick(&self.users[end].served, index) {
            let started = self.pair.ends[end].router.started(served.cid, numbered(0));
            assert!(started.is_err() || served.kind == CallKind::Context);
        }
    }

    fn finish(&mut self, end: usize, index: usize, fail: bool) {
        let user = &mut self.users[end];
        let Some(index) = index.checked_rem(user.served.len()) else {
            return;
        };
        let served = user.served.remove(index);
        let (reply, kept) = match fail {
            true => (Reply::Fail(fault()), Reply::Fail(fault())),
            false => (Reply::Return(numbered(0)), Reply::Return(())),
        };
        if self.pair.ends[end].router.finish(served.cid, reply) {
            let before = self.replies.insert(served.cid, kept);
            assert!(before.is_none(), "RTR-1: {} replied twice", served.cid);
        } else {
            assert!(
                self.lost.is_some(),
                "a reply is dropped only when the link is lost"
            );
        }
    }

    fn take_request(&mut self, end: usize) {
        if self.users[end].mailbox > 0 {
            self.users[end].mailbox -= 1;
            self.pair.ends[end].router.request_taken(ActorSlot::MAIN);
        }
    }

    fn pick_dialog(&self, end: usize, role: Role, index: usize) -> Option<Cid> {
        match role {
            Role::Opener => pick(&self.users[end].mine, index).map(|mine| mine.cid),
            Role::Callee => pick(&self.users[end].served, index).map(|served| served.cid),
        }
    }

    /// RTR-8: every end of an end's dialogs that a loss made has that loss as its cause.
    fn check_loss(&self, end: usize, loss: &Loss) {
        assert_eq!(
            self.pair.ends[end].router.loss(),
            Some(loss),
            "RTR-8: one cause for all"
        );
    }
}

fn pick<T: Copy>(list: &[T], index: usize) -> Option<T> {
    let index = index.checked_rem(list.len())?;
    list.get(index).copied()
}

fn is_early_or_late(error: CommandError) -> bool {
    matches!(
        error,
        CommandError::Ended
            | CommandError::OutOfPhase {
                command: "stop",
                ..
            }
    )
}

fn fault() -> Fault {
    let node = FaultNode {
        link: FaultLink::Root,
        kind: FaultKind::App,
        type_name: "E".into(),
        message: "no".into(),
        chain: Vec::new(),
        origin: somebody(),
        relay: Vec::new(),
        payload: None,
    };
    let (nodes, cut) = (vec![node], 0);
    Fault { nodes, cut }
}
