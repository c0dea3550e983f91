//! A peer that sends anything: no panic, bounded tables, and either the link or a dialog ends.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use tractor_ipc::id::{Cid, LinkSide};
use tractor_ipc::msg::{
    CallKind, Cancel, CancelAck, CancelReason, CancelTarget, Credit, CreditTo, Drain, EndedHow,
    FunctionRef, Msg, Overrun, Ping, Role, Start, StartAck,
};

use super::{actor, cast, somebody};
use crate::fuzzing::End;

fn cid() -> impl Strategy<Value = Cid> {
    (any::<bool>(), 0..5u32, 0..4u32).prop_map(|(dialler, slot, generation)| {
        let side = if dialler {
            LinkSide::Dialler
        } else {
            LinkSide::Acceptor
        };
        Cid::new(side, slot, generation)
    })
}

fn amount() -> impl Strategy<Value = u32> {
    prop_oneof![0..4u32, Just(1 << 20), Just(u32::MAX)]
}

fn start() -> impl Strategy<Value = Msg> {
    let kind = prop_oneof![
        Just(CallKind::Unary),
        Just(CallKind::Context),
        Just(CallKind::Stream),
    ];
    let overrun = prop_oneof![Just(Overrun::Wait), Just(Overrun::DropOldest)];
    (cid(), 0..2u32, kind, amount(), overrun).prop_map(|(cid, slot, kind, window, overrun)| {
        Msg::Start(Box::new(Start {
            cid,
            actor: actor(slot, 1),
            function: FunctionRef::Method(0),
            kind,
            signature: None,
            budget: Some(Duration::MAX),
            chain: Vec::new(),
            overrun,
            window,
            trace: None,
        }))
    })
}

fn message() -> impl Strategy<Value = Msg> {
    let target = || {
        prop_oneof![
            cid().prop_map(CancelTarget::Dialog),
            (0..3u32).prop_map(|slot| CancelTarget::Actor(actor(slot, 1))),
        ]
    };
    let credit_to = prop_oneof![
        cid().prop_map(CreditTo::Stream),
        (0..3u32).prop_map(|slot| CreditTo::Requests(actor(slot, 1))),
    ];
    let overrun = Overrun::Wait;
    prop_oneof![
        6 => start(),
        2 => Just(Msg::Cast(Box::new(cast()))),
        2 => (cid(), amount()).prop_map(move |(cid, window)| Msg::StartAck(StartAck { cid, window, overrun })),
        2 => cid().prop_map(|cid| Msg::Started { cid }),
        4 => cid().prop_map(|cid| Msg::Yield { cid }),
        3 => (credit_to, amount()).prop_map(|(to, amount)| Msg::Credit(Credit { to, amount })),
        2 => cid().prop_map(|cid| Msg::Stop { cid }),
        2 => cid().prop_map(|cid| Msg::Return { cid }),
        2 => cid().prop_map(|cid| Msg::Fail { cid }),
        3 => target().prop_map(|target| Msg::Cancel(Box::new(Cancel {
            target,
            canceller: somebody(),
            reason: CancelReason::User,
            left: Some(Duration::MAX),
        }))),
        1 => target().prop_map(|target| Msg::CancelAck(CancelAck { target, ladder_left: Duration::MAX })),
        1 => Just(Msg::SpawnSpec),
        1 => Just(Msg::Drain(Drain { actor: actor(0, 1), within: Duration::MAX })),
        1 => (0..9u32).prop_map(|slot| Msg::Ended { actor: actor(slot, 2), how: EndedHow::Stopped }),
        1 => Just(Msg::Ping(Ping { nonce: 1 })),
        1 => Just(Msg::Pong(Ping { nonce: 1 })),
    ]
}

proptest! {
    /// RTR-9, RTR-10: whatever comes, both ends of a link stay bounded, and its loss leaves nothing.
    #[test]
    fn anything_may_come(messages in prop::collection::vec((any::<bool>(), message(), 0..20usize), 0..120)) {
        for peer in [Role::Child, Role::Parent] {
            let mut end = End::new(peer);
            for (for_parent, message, length) in &messages {
                if *for_parent == (end.side() == LinkSide::Acceptor) {
                    end.handle(message.clone(), Bytes::from(vec![7; *length]));
                }
            }
            end.lose();
        }
    }
}
