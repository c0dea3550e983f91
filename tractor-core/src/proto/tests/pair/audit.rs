//! Watches what one router sends, message by message, and panics where a rule is broken.

use std::collections::{BTreeMap, BTreeSet};

use tractor_ipc::id::{ActorSlot, Cid};
use tractor_ipc::msg::{CancelTarget, CreditTo, Msg};

use crate::proto::router::Lane;

/// What one end has sent so far, as far as the rules need it.
pub(in crate::proto::tests) struct Auditor {
    request_window: u32,
    /// Requests sent to each actor and not paid back.
    under_way: BTreeMap<ActorSlot, u32>,
    /// The last place that left for each actor.
    last_place: BTreeMap<ActorSlot, u64>,
    started: BTreeSet<Cid>,
    unsent: BTreeSet<Cid>,
    ended: BTreeSet<Cid>,
    stopped: BTreeSet<Cid>,
    cancelled: BTreeSet<Cid>,
    said_bye: bool,
}

impl Auditor {
    pub(super) fn new(request_window: u32) -> Self {
        Self {
            request_window,
            under_way: BTreeMap::new(),
            last_place: BTreeMap::new(),
            started: BTreeSet::new(),
            unsent: BTreeSet::new(),
            ended: BTreeSet::new(),
            stopped: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            said_bye: false,
        }
    }

    /// The router said that this dialog ended before it was sent.
    pub(super) fn is_unsent(&mut self, cid: Cid) {
        assert!(!self.started.contains(&cid), "RTR-2: {cid} has been sent");
        self.unsent.insert(cid);
    }

    /// The link took a `Start` out again.
    pub(super) fn retracts(&mut self, cid: Cid) {
        assert!(self.started.remove(&cid));
        if let Some(under_way) = self.under_way.get_mut(&ActorSlot::MAIN) {
            *under_way -= 1;
        }
    }

    pub(super) fn receives(&mut self, msg: &Msg) {
        if let Msg::Credit(credit) = msg
            && let CreditTo::Requests(actor) = credit.to
        {
            let under_way = self.under_way.entry(actor).or_default();
            let paid = under_way.checked_sub(credit.amount);
            *under_way = paid.expect("RTR-5: more was paid back than was sent");
        }
    }

    pub(super) fn sends(&mut self, lane: Lane, msg: &Msg, payload: &[u8]) {
        assert!(!self.said_bye, "nothing follows Bye");
        assert_eq!(lane, lane_of(msg), "{msg:?} on its lane");
        match msg {
            Msg::Start(start) => {
                assert!(
                    !self.unsent.contains(&start.cid),
                    "RTR-2: {} was not to be sent",
                    start.cid
                );
                assert!(
                    self.started.insert(start.cid),
                    "{} started twice",
                    start.cid
                );
                self.request(start.actor, payload);
            }
            Msg::Cast(cast) => self.request(cast.actor, payload),
            Msg::StartAck(ack) => self.before_end(ack.cid),
            Msg::Started { cid } => self.before_end(*cid),
            Msg::Yield { cid } => {
                self.before_end(*cid);
                assert!(
                    !self.stopped.contains(cid),
                    "RTR-3: a value of {cid} behind its Stop"
                );
            }
            Msg::Stop { cid } => {
                self.before_end(*cid);
                assert!(self.stopped.insert(*cid), "{cid} stopped twice");
            }
            Msg::Return { cid } | Msg::Fail { cid } => {
                assert!(self.ended.insert(*cid), "RTR-1: {cid} ended twice");
            }
            Msg::Cancel(cancel) => {
                if let CancelTarget::Dialog(cid) = cancel.target {
                    assert!(
                        self.started.contains(&cid),
                        "RTR-7: Cancel of {cid} before its Start"
                    );
                    assert!(self.cancelled.insert(cid), "{cid} cancelled twice");
                }
            }
            Msg::CancelAck(ack) => {
                if let CancelTarget::Dialog(cid) = ack.target {
                    self.before_end(cid);
                }
            }
            Msg::Bye => self.said_bye = true,
            Msg::Credit(_)
            | Msg::SpawnSpec
            | Msg::Ready { .. }
            | Msg::Drain(_)
            | Msg::Ended { .. }
            | Msg::Ping(_)
            | Msg::Pong(_) => {}
        }
    }

    fn before_end(&self, cid: Cid) {
        assert!(
            !self.ended.contains(&cid),
            "RTR-3: a message of {cid} behind its end"
        );
    }

    fn request(&mut self, actor: ActorSlot, payload: &[u8]) {
        let place = super::user::number_in(payload);
        let last = self.last_place.insert(actor, place);
        assert!(
            last.is_none_or(|last| last < place),
            "RTR-4: place {place} after {last:?}"
        );
        let under_way = self.under_way.entry(actor).or_default();
        *under_way += 1;
        assert!(
            *under_way <= self.request_window,
            "RTR-5: {under_way} requests under way"
        );
    }
}

fn lane_of(msg: &Msg) -> Lane {
    match msg {
        Msg::Credit(_) | Msg::Ping(_) | Msg::Pong(_) | Msg::Cancel(_) => Lane::Control,
        Msg::CancelAck(ack) => match ack.target {
            CancelTarget::Actor(_) => Lane::Control,
            CancelTarget::Dialog(_) => Lane::Data,
        },
        Msg::Start(_)
        | Msg::StartAck(_)
        | Msg::Started { .. }
        | Msg::Yield { .. }
        | Msg::Stop { .. }
        | Msg::Return { .. }
        | Msg::Fail { .. }
        | Msg::Cast(_)
        | Msg::SpawnSpec
        | Msg::Ready { .. }
        | Msg::Drain(_)
        | Msg::Ended { .. }
        | Msg::Bye => Lane::Data,
    }
}
