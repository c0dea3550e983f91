//! Any message the types allow, within the bounds.

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use tractor_ipc::msg::{
    CallKind, Cancel, CancelAck, CancelReason, CancelTarget, Cast, Credential, Credit, CreditTo,
    Drain, EndedHow, Fault, FaultKind, FaultLink, FaultNode, Features, Fingerprint, FunctionRef,
    HandshakeMsg, Hello, Msg, Overrun, Ping, Refused, RefusedReason, Role, Start, StartAck,
    TraceContext, VersionRange, Welcome,
};
use tractor_ipc::{ActorId, ActorName, ActorSlot, Cid, LinkSide, TreeId};
use uuid::Uuid;

pub(crate) fn cid() -> impl Strategy<Value = Cid> {
    let side = prop_oneof![Just(LinkSide::Dialler), Just(LinkSide::Acceptor)];
    (side, 0..=Cid::SLOT_MAX, any::<u32>())
        .prop_map(|(side, slot, generation)| Cid::new(side, slot, generation))
}

fn actor_id() -> impl Strategy<Value = ActorId> {
    ("[a-z0-9_.:@#+-]{1,64}", any::<u128>()).prop_map(|(name, number)| {
        ActorId::from_parts(ActorName::new(&name).unwrap(), Uuid::from_u128(number))
    })
}

fn slot() -> impl Strategy<Value = ActorSlot> {
    (any::<u32>(), any::<std::num::NonZeroU32>()).prop_map(|(slot, g)| ActorSlot::new(slot, g))
}

fn function() -> impl Strategy<Value = FunctionRef> {
    prop_oneof![
        any::<u16>().prop_map(FunctionRef::Method),
        ".{0,128}".prop_map(|name| FunctionRef::Named(name.into())),
    ]
}

fn span() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0..1_000_000_000u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos))
}

fn trace() -> impl Strategy<Value = TraceContext> {
    (any::<u128>(), any::<u64>(), any::<u8>()).prop_map(|(trace_id, span_id, flags)| TraceContext {
        trace_id,
        span_id,
        flags,
    })
}

fn signature() -> impl Strategy<Value = Option<Fingerprint>> {
    of(any::<u128>().prop_map(Fingerprint))
}

fn overrun() -> impl Strategy<Value = Overrun> {
    use Overrun::{DropNewest, DropOldest, Error, Wait};
    prop::sample::select(vec![Wait, Error, DropOldest, DropNewest])
}

fn reason() -> impl Strategy<Value = CancelReason> {
    use CancelReason as R;
    prop::sample::select(vec![
        R::Requested,
        R::Deadline,
        R::Failure,
        R::Scope,
        R::Dropped,
        R::BlockEnded,
        R::LinkLost,
        R::User,
    ])
}

fn target() -> impl Strategy<Value = CancelTarget> {
    prop_oneof![
        cid().prop_map(CancelTarget::Dialog),
        slot().prop_map(CancelTarget::Actor)
    ]
}

fn start() -> impl Strategy<Value = Msg> {
    let kind = prop::sample::select(vec![CallKind::Unary, CallKind::Context, CallKind::Stream]);
    let to = (cid(), slot(), function(), kind, signature());
    let how = (
        of(span()),
        vec(actor_id(), 0..=32),
        overrun(),
        0..=(1u32 << 20),
        of(trace()),
    );
    (to, how).prop_map(|((cid, actor, function, kind, signature), how)| {
        let (budget, chain, overrun, window, trace) = how;
        Msg::Start(Box::new(Start {
            cid,
            actor,
            function,
            kind,
            signature,
            budget,
            chain,
            overrun,
            window,
            trace,
        }))
    })
}

fn cast() -> impl Strategy<Value = Msg> {
    (slot(), function(), signature(), of(trace())).prop_map(
        |(actor, function, signature, trace)| {
            Msg::Cast(Box::new(Cast {
                actor,
                function,
                signature,
                trace,
            }))
        },
    )
}

/// A message with a payload that may follow it.
pub(crate) fn message(payload_max: usize) -> impl Strategy<Value = (Msg, Bytes)> {
    let payload = prop_oneof![
        8 => vec(any::<u8>(), 0..100).prop_map(Bytes::from),
        2 => (0..=payload_max, any::<u8>()).prop_map(|(len, byte)| Bytes::from(vec![byte; len])),
    ];
    let with = prop_oneof![
        start(),
        cast(),
        cid().prop_map(|cid| Msg::Started { cid }),
        cid().prop_map(|cid| Msg::Yield { cid }),
        cid().prop_map(|cid| Msg::Return { cid }),
        cid().prop_map(|cid| Msg::Fail { cid }),
        Just(Msg::SpawnSpec),
        slot().prop_map(|actor| Msg::Ended {
            actor,
            how: EndedHow::Failed
        }),
    ];
    let ended = prop::sample::select(vec![EndedHow::Stopped, EndedHow::Cancelled]);
    let to = prop_oneof![
        cid().prop_map(CreditTo::Stream),
        slot().prop_map(CreditTo::Requests)
    ];
    let without = prop_oneof![
        (cid(), 0..=(1u32 << 20), overrun()).prop_map(|(cid, window, overrun)| Msg::StartAck(
            StartAck {
                cid,
                window,
                overrun
            }
        )),
        (to, 0..=(1u32 << 20)).prop_map(|(to, amount)| Msg::Credit(Credit { to, amount })),
        cid().prop_map(|cid| Msg::Stop { cid }),
        (target(), actor_id(), reason(), of(span())).prop_map(
            |(target, canceller, reason, left)| {
                Msg::Cancel(Box::new(Cancel {
                    target,
                    canceller,
                    reason,
                    left,
                }))
            }
        ),
        (target(), span()).prop_map(|(target, ladder_left)| {
            Msg::CancelAck(CancelAck {
                target,
                ladder_left,
            })
        }),
        (slot(), span()).prop_map(|(actor, within)| Msg::Drain(Drain { actor, within })),
        (slot(), ended).prop_map(|(actor, how)| Msg::Ended { actor, how }),
        any::<u64>().prop_map(|nonce| Msg::Ping(Ping { nonce })),
        any::<u64>().prop_map(|nonce| Msg::Pong(Ping { nonce })),
        slot().prop_map(|actor| Msg::Ready { actor }),
        Just(Msg::Bye),
    ];
    prop_oneof![(with, payload), without.prop_map(|msg| (msg, Bytes::new()))]
}

pub(crate) fn handshake() -> impl Strategy<Value = HandshakeMsg> {
    prop_oneof![
        hello().prop_map(|hello| HandshakeMsg::Hello(Box::new(hello))),
        welcome().prop_map(|welcome| HandshakeMsg::Welcome(Box::new(welcome))),
        refused().prop_map(|reason| HandshakeMsg::Refused(Refused { reason })),
    ]
}

fn versions() -> impl Strategy<Value = VersionRange> {
    // Not above ours: bytes behind a newer greeting are ignored, which is its own test.
    (any::<u16>(), 0..=1u16).prop_map(|(min, max)| VersionRange { min, max })
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Parent, Role::Child, Role::Sibling, Role::Client])
}

fn tree() -> impl Strategy<Value = TreeId> {
    any::<u128>().prop_map(|number| TreeId::from_uuid(Uuid::from_u128(number)))
}

fn hello() -> impl Strategy<Value = Hello> {
    let credential = prop_oneof![
        Just(Credential::Inherited),
        any::<[u8; 32]>().prop_map(Credential::Token)
    ];
    let who = (actor_id(), role(), tree(), any::<u64>());
    (
        versions(),
        any::<u64>(),
        who,
        vec(any::<u8>(), 0..=64),
        credential,
    )
        .prop_map(
            |(versions, features, (identity, role, tree, epoch), catalog, credential)| Hello {
                versions,
                features: Features(features),
                identity,
                role,
                tree,
                epoch,
                catalog: catalog.into(),
                credential,
            },
        )
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let who = (actor_id(), role(), tree(), any::<u64>());
    (any::<u16>(), any::<u64>(), who, vec(any::<u8>(), 0..=64)).prop_map(
        |(version, features, (identity, role, tree, epoch), catalog)| Welcome {
            version,
            features: Features(features),
            identity,
            role,
            tree,
            epoch,
            catalog: catalog.into(),
        },
    )
}

fn refused() -> impl Strategy<Value = RefusedReason> {
    prop_oneof![
        versions().prop_map(|spoken| RefusedReason::Version { spoken }),
        Just(RefusedReason::WrongTree),
        Just(RefusedReason::WrongIdentity),
        Just(RefusedReason::WrongRole),
        Just(RefusedReason::BadCredential),
        Just(RefusedReason::Stopping),
    ]
}

pub(crate) fn fault() -> impl Strategy<Value = Fault> {
    let node = (
        any::<u32>(),
        any::<bool>(),
        fault_kind(),
        ".{0,40}",
        vec(actor_id(), 1..4),
    );
    (vec(node, 1..20), any::<u32>()).prop_map(|(nodes, cut)| {
        let nodes = nodes.into_iter().enumerate().map(|(index, node)| {
            let (above, member, kind, text, mut relay) = node;
            let link = match (index, above.checked_rem(index as u32)) {
                (0, _) | (_, None) => FaultLink::Root,
                (_, Some(above)) if member => FaultLink::MemberOf(above),
                (_, Some(above)) => FaultLink::CauseOf(above),
            };
            FaultNode {
                link,
                kind,
                type_name: text.clone().into(),
                message: text.clone().into(),
                chain: vec![text.clone().into()],
                origin: relay.remove(0),
                relay,
                payload: (text.len() % 2 == 0).then(|| text.into()),
            }
        });
        Fault {
            nodes: nodes.collect(),
            cut,
        }
    })
}

fn fault_kind() -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        Just(FaultKind::App),
        Just(FaultKind::Panic),
        Just(FaultKind::Lost),
        (actor_id(), reason())
            .prop_map(|(canceller, reason)| FaultKind::Cancelled { canceller, reason }),
        any::<i32>().prop_map(|code| FaultKind::Exited { code }),
        any::<i32>().prop_map(|signal| FaultKind::Killed { signal }),
        (signature(), signature()).prop_map(|(expected, got)| FaultKind::MsgType { expected, got }),
        (any::<u64>(), any::<u64>()).prop_map(|(size, limit)| FaultKind::TooLarge { size, limit }),
    ]
}
