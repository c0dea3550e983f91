//! The seeds of the corpus, as what they say.

use std::num::NonZeroU32;
use std::path::Path;

use tractor_ipc::id::{ActorId, ActorName, ActorSlot, Cid, LinkSide};
use tractor_ipc::limits::MESSAGE_MAX;
use tractor_ipc::msg::{
    CallKind, Cancel, CancelReason, CancelTarget, Cast, Credit, CreditTo, EndedHow, FunctionRef,
    Msg, Overrun, Start, StartAck,
};
use tractor_ipc::wire::codec::{Encoder, takes_payload};
use uuid::Uuid;

/// The corpus replays, cut anywhere near its beginning too; and every seed says what it is named after. Where the messages
/// change, they are written anew with `TRACTOR_WRITE_SEEDS=1`.
#[test]
fn the_seeds_of_dialogs_replay() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/dialogs");
    for (name, messages) in ours().into_iter().chain(theirs()).chain(bad()) {
        let (path, seed) = (folder.join(format!("{name}.bin")), encoded(messages));
        if std::env::var_os("TRACTOR_WRITE_SEEDS").is_some() {
            std::fs::write(&path, &seed).unwrap();
        }
        let kept = std::fs::read(&path);
        let kept = kept.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(kept, seed, "{name} says something else now");
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let data = std::fs::read(entry.unwrap().path()).unwrap();
        for cut in (0..data.len().min(200)).chain([data.len()]) {
            super::dialogs(&data[..cut]);
        }
    }
}

type Seed = (&'static str, Vec<Msg>);

/// What is open from the start, by its place.
const CALL: Cid = Cid::new(LinkSide::Acceptor, 0, 1);
const CONTEXT: Cid = Cid::new(LinkSide::Acceptor, 1, 1);
const STREAM: Cid = Cid::new(LinkSide::Acceptor, 2, 1);
const WAITING: Cid = Cid::new(LinkSide::Acceptor, 3, 1);
/// What the peer opens.
const THEIRS: Cid = Cid::new(LinkSide::Dialler, 0, 1);

/// Answers to what is open.
fn ours() -> Vec<Seed> {
    let (actor, how) = (ActorSlot::MAIN, EndedHow::Stopped);
    vec![
        ("call-answered", vec![Msg::Return { cid: CALL }]),
        (
            "context-ours",
            vec![
                ack(CONTEXT),
                Msg::Started { cid: CONTEXT },
                Msg::Yield { cid: CONTEXT },
                Msg::Stop { cid: CONTEXT },
                Msg::Return { cid: CONTEXT },
            ],
        ),
        ("stream-ours", stream(64)),
        (
            "request-credit",
            vec![
                credit(CreditTo::Requests(actor), 1),
                Msg::Return { cid: WAITING },
            ],
        ),
        (
            "ended",
            vec![Msg::Ended { actor, how }, Msg::Return { cid: CALL }],
        ),
    ]
}

/// Requests, and what follows them.
fn theirs() -> Vec<Seed> {
    let cast = Cast {
        actor: ActorSlot::MAIN,
        function: FunctionRef::Method(1),
        signature: None,
        trace: None,
    };
    let actor = ActorSlot::MAIN;
    vec![
        ("call-theirs", vec![start(0, CallKind::Unary)]),
        (
            "context-theirs",
            vec![
                start(0, CallKind::Context),
                Msg::Yield { cid: THEIRS },
                credit(CreditTo::Stream(THEIRS), 32),
                Msg::Stop { cid: THEIRS },
                cancel(),
            ],
        ),
        (
            "cast-and-end",
            vec![Msg::Cast(Box::new(cast)), Msg::Ready { actor }, Msg::Bye],
        ),
    ]
}

/// What nobody may send.
fn bad() -> Vec<Seed> {
    let (unary, streaming) = (CallKind::Unary, CallKind::Stream);
    let main = CreditTo::Requests(ActorSlot::MAIN);
    let other = ActorSlot::new(7, NonZeroU32::MIN);
    let unknown = Cid::new(LinkSide::Dialler, 3, 1);
    let out_of_phase = vec![
        Msg::Started { cid: CALL },
        Msg::Yield { cid: CONTEXT },
        Msg::Stop { cid: CALL },
    ];
    vec![
        ("bad-overdrawn", stream(65)),
        ("bad-phase", out_of_phase),
        ("bad-dialog", vec![Msg::Yield { cid: unknown }]),
        ("bad-slot", vec![start(0, unary), start(0, unary)]),
        (
            "bad-requests",
            (0..9).map(|slot| start(slot, unary)).collect(),
        ),
        ("bad-credit", vec![credit(main, u32::MAX)]),
        ("bad-actor", vec![credit(CreditTo::Requests(other), 1)]),
        ("bad-cancel", vec![start(0, streaming), cancel(), cancel()]),
        ("bad-verb", vec![Msg::SpawnSpec]),
    ]
}

/// So many values of the stream that is open.
fn stream(values: usize) -> Vec<Msg> {
    let values = std::iter::repeat_n(Msg::Yield { cid: STREAM }, values);
    [ack(STREAM)].into_iter().chain(values).collect()
}

fn ack(cid: Cid) -> Msg {
    Msg::StartAck(StartAck {
        cid,
        window: 64,
        overrun: Overrun::Wait,
    })
}

fn credit(to: CreditTo, amount: u32) -> Msg {
    Msg::Credit(Credit { to, amount })
}

fn cancel() -> Msg {
    Msg::Cancel(Box::new(Cancel {
        target: CancelTarget::Dialog(THEIRS),
        canceller: ActorId::from_parts(ActorName::new("somebody").unwrap(), Uuid::nil()),
        reason: CancelReason::User,
        left: None,
    }))
}

fn start(slot: u32, kind: CallKind) -> Msg {
    Msg::Start(Box::new(Start {
        cid: Cid::new(LinkSide::Dialler, slot, 1),
        actor: ActorSlot::MAIN,
        function: FunctionRef::Method(0),
        kind,
        signature: None,
        budget: None,
        chain: Vec::new(),
        overrun: Overrun::Wait,
        window: 64,
        trace: None,
    }))
}

/// The messages of a peer that is our child: the first byte says so.
fn encoded(messages: Vec<Msg>) -> Vec<u8> {
    let mut bytes = vec![0];
    let mut encoder = Encoder::new(MESSAGE_MAX, true);
    for msg in messages {
        let payload: &[u8] = if takes_payload(&msg) { b"value" } else { &[] };
        encoder.encode(&mut bytes, &msg, payload).unwrap();
    }
    bytes
}
