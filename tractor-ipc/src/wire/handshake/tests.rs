//! The handshake under every order of messages, and everything that can be wrong with one.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::id::ActorName;
use crate::testing::greeting;

/// Runs both machines against one another; the dialler's end, then the acceptor's.
fn shake(
    hello: Hello,
    expect: Expect,
    uid: Option<u32>,
) -> (
    Result<Agreed, HandshakeError>,
    Result<Agreed, HandshakeError>,
) {
    let mut dialler = Handshake::dial(hello);
    let mut acceptor = Handshake::accept(expect, uid);
    while let Some(msg) = dialler.poll_send() {
        acceptor.handle(msg);
    }
    while let Some(msg) = acceptor.poll_send() {
        dialler.handle(msg);
    }
    let end = |machine: &Handshake| machine.outcome().cloned();
    (
        end(&dialler).unwrap_or(Err(HandshakeError::OutOfPhase {
            got: "nothing",
            expected: "an answer",
        })),
        end(&acceptor).expect("an acceptor decides at once"),
    )
}

fn somebody(name: &str) -> ActorId {
    ActorId::new(ActorName::new(name).unwrap())
}

/// `HS-1`: in order, and each learns who the other is.
#[test]
fn both_agree_when_all_is_in_order() {
    let (mut hello, mut expect) = greeting();
    hello.features = Features(0b1011);
    expect.features = Features(0b0110);
    hello.epoch = 3;
    expect.us.epoch = 4;
    let (dialled, accepted) = shake(hello.clone(), expect.clone(), Some(1000));
    let (dialled, accepted) = (dialled.unwrap(), accepted.unwrap());
    assert_eq!((dialled.version, accepted.version), (1, 1));
    assert_eq!(
        (dialled.features, accepted.features),
        (Features(0b0010), Features(0b0010))
    );
    assert_eq!((dialled.epoch, accepted.epoch), (4, 3));
    assert_eq!((dialled.role, accepted.role), (Role::Parent, Role::Child));
    assert_eq!(dialled.identity, expect.us.identity);
    assert_eq!(accepted.identity, hello.identity);
}

/// `HS-1`: one thing wrong at a time, and both ends know which.
#[test]
fn a_dialler_not_as_expected_is_told_why() {
    type Change = fn(&mut Hello, &mut Expect);
    let spoken = VersionRange { min: 4, max: 5 };
    let cases: [(Change, RefusedReason); 8] = [
        (
            |_, expect| expect.versions = VersionRange { min: 4, max: 5 },
            { RefusedReason::Version { spoken } },
        ),
        (
            |hello, _| hello.tree = TreeId::new(),
            RefusedReason::WrongTree,
        ),
        (
            |hello, _| hello.credential = Credential::Token([0; 32]),
            RefusedReason::BadCredential,
        ),
        (
            |_, expect| expect.credential = Credential::Token([0; 32]),
            RefusedReason::BadCredential,
        ),
        (
            |hello, expect| {
                hello.credential = Credential::Token([1; 32]);
                expect.credential = Credential::Token([0; 32]);
            },
            RefusedReason::BadCredential,
        ),
        (
            |_, expect| expect.uid = Some(1001),
            RefusedReason::BadCredential,
        ),
        (
            |hello, _| hello.role = Role::Client,
            RefusedReason::WrongRole,
        ),
        (
            |hello, _| hello.identity = somebody("else"),
            RefusedReason::WrongIdentity,
        ),
    ];
    for (change, reason) in cases {
        let (mut hello, mut expect) = greeting();
        change(&mut hello, &mut expect);
        let claimed = hello.identity.clone();
        let (dialled, accepted) = shake(hello, expect, Some(1000));
        assert_eq!(dialled, Err(HandshakeError::Refused(reason.clone())));
        assert_eq!(accepted, Err(HandshakeError::Rejected { reason, claimed }));
    }
}

#[test]
fn a_token_that_holds_is_a_proof_for_whoever_may_have_it() {
    let (mut hello, mut expect) = greeting();
    hello.credential = Credential::Token([7; 32]);
    expect.credential = Credential::Token([7; 32]);
    expect.identity = None;
    let (dialled, accepted) = shake(hello, expect, None);
    assert!(dialled.is_ok() && accepted.is_ok());
}

/// `HS-3`.
#[test]
fn an_answer_that_does_not_fit_makes_no_link() {
    type Change = fn(&mut Welcome);
    let cases: [(Change, AnswerFault); 5] = [
        (|welcome| welcome.version = 2, AnswerFault::Version),
        (|welcome| welcome.version = 0, AnswerFault::Version),
        (
            |welcome| welcome.features = Features(0b1001),
            AnswerFault::Features,
        ),
        (|welcome| welcome.tree = TreeId::new(), AnswerFault::Tree),
        (|welcome| welcome.role = Role::Child, AnswerFault::Role),
    ];
    for (change, fault) in cases {
        let (hello, expect) = greeting();
        let mut welcome = welcome_of(&expect);
        change(&mut welcome);
        let mut machine = Handshake::dial(hello);
        machine.poll_send().unwrap();
        machine.handle(HandshakeMsg::Welcome(Box::new(welcome)));
        assert_eq!(
            machine.outcome(),
            Some(&Err(HandshakeError::WrongAnswer(fault)))
        );
    }
}

#[test]
fn a_catalogue_fingerprint_is_bounded_at_both_ends() {
    let long = Bytes::from_static(&[0; CATALOG_MAX + 1]);
    let (hello, expect) = greeting();
    let mut welcome = welcome_of(&expect);
    welcome.catalog = long.clone();
    let mut machine = Handshake::dial(hello.clone());
    machine.poll_send().unwrap();
    machine.handle(HandshakeMsg::Welcome(Box::new(welcome)));
    assert!(matches!(
        machine.outcome(),
        Some(Err(HandshakeError::Wire(_)))
    ));

    let hello = Hello {
        catalog: long,
        ..hello
    };
    let mut machine = Handshake::accept(expect, None);
    machine.handle(HandshakeMsg::Hello(Box::new(hello)));
    assert!(matches!(
        machine.outcome(),
        Some(Err(HandshakeError::Wire(_)))
    ));
    assert!(
        machine.poll_send().is_none(),
        "no answer to what breaks the protocol"
    );
}

fn welcome_of(expect: &Expect) -> Welcome {
    Welcome {
        version: 1,
        features: Features::SUPPORTED,
        identity: expect.us.identity.clone(),
        role: Role::Parent,
        tree: expect.tree,
        epoch: 0,
        catalog: Bytes::new(),
    }
}

/// What may happen to a machine.
#[derive(Clone, Copy, Debug)]
enum Event {
    PollSend,
    Hello,
    WrongHello,
    Welcome,
    Refused,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    use Event::{Hello, PollSend, Refused, Welcome, WrongHello};
    vec(
        prop::sample::select(vec![PollSend, Hello, WrongHello, Welcome, Refused]),
        0..8,
    )
}

/// What the words so far have come to, by the rules written down a second time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Model {
    Silent,
    Open,
    Answering(bool),
    Agreed,
    Failed,
}

fn model(dialler: bool, state: Model, event: Event) -> Model {
    use Model::{Agreed, Answering, Failed, Open, Silent};
    match (state, event) {
        (Failed, _) => Failed,
        (Silent, Event::PollSend) => Open,
        (Answering(good), Event::PollSend) => [Failed, Agreed][usize::from(good)],
        (state, Event::PollSend) => state,
        (Open, Event::Welcome) if dialler => Agreed,
        (Open, Event::Hello) if !dialler => Answering(true),
        (Open, Event::WrongHello) if !dialler => Answering(false),
        _ => Failed,
    }
}

proptest! {
    /// `HS-1`, `HS-2`: in any order of events a machine is agreed exactly when the rules say so; it never panics.
    #[test]
    fn any_order_of_messages_ends_as_the_rules_say(dialler in any::<bool>(), events in events()) {
        let (hello, expect) = greeting();
        let wrong = Hello { tree: TreeId::new(), ..hello.clone() };
        let welcome = welcome_of(&expect);
        let (mut machine, mut state) = match dialler {
            true => (Handshake::dial(hello.clone()), Model::Silent),
            false => (Handshake::accept(expect, None), Model::Open),
        };
        for event in events {
            match event {
                Event::PollSend => drop(machine.poll_send()),
                Event::Hello => machine.handle(HandshakeMsg::Hello(Box::new(hello.clone()))),
                Event::WrongHello => machine.handle(HandshakeMsg::Hello(Box::new(wrong.clone()))),
                Event::Welcome => machine.handle(HandshakeMsg::Welcome(Box::new(welcome.clone()))),
                Event::Refused => machine.handle(HandshakeMsg::Refused(Refused {
                    reason: RefusedReason::Stopping,
                })),
            }
            state = model(dialler, state, event);
            let end = machine.outcome();
            match state {
                Model::Silent | Model::Open | Model::Answering(_) => prop_assert!(end.is_none()),
                Model::Agreed => prop_assert!(matches!(end, Some(Ok(_)))),
                Model::Failed => prop_assert!(matches!(end, Some(Err(_)))),
            }
        }
    }
}
