//! The shortest walks through two routers, without a link between them.

use bytes::Bytes;
use tractor_ipc::id::{ActorId, ActorName, ActorSlot, LinkSide};
use tractor_ipc::msg::{CallKind, FunctionRef, Overrun, Role};
use tractor_ipc::time::Instant;

use crate::proto::{Action, Open, Outcome, Recv, Reply, Request, Router, RouterConfig, SendPlace};

const NOW: Instant = Instant::ZERO;

fn router(side: LinkSide, peer: Role) -> Router {
    let identity = ActorId::new(ActorName::new("a").unwrap());
    Router::new(side, RouterConfig::new(identity, peer))
}

/// Moves what `from` has to send over to `to`; the other actions come back.
fn carry(from: &mut Router, to: &mut Router) -> Vec<Action> {
    let mut rest = Vec::new();
    while let Some(action) = from.poll_action() {
        match action {
            Action::Send { msg, payload, .. } => to.handle(msg, payload, NOW).unwrap(),
            other => rest.push(other),
        }
    }
    rest
}

fn open(kind: CallKind) -> Open {
    Open {
        actor: ActorSlot::MAIN,
        function: FunctionRef::Method(0),
        kind,
        signature: None,
        deadline: None,
        chain: Vec::new(),
        overrun: Overrun::Wait,
        window: 64,
        trace: None,
    }
}

#[test]
fn a_call_goes_there_and_back() {
    let mut parent = router(LinkSide::Acceptor, Role::Child);
    let mut child = router(LinkSide::Dialler, Role::Parent);
    let cid = parent
        .open(open(CallKind::Unary), Bytes::from("args"), NOW)
        .unwrap();
    assert!(carry(&mut parent, &mut child).is_empty());
    let requests = carry(&mut child, &mut parent);
    assert!(matches!(
        &requests[..],
        [Action::Request(Request { cid: Some(c), args, .. })] if *c == cid && args == "args"
    ));
    child.request_taken(ActorSlot::MAIN);
    assert!(child.finish(cid, Reply::Return(Bytes::from("result"))));
    carry(&mut child, &mut parent);
    assert_eq!(
        parent.take_outcome(cid),
        Some(Outcome::Return(Bytes::from("result")))
    );
    parent.release(cid, false, NOW);
    assert_eq!(
        (parent.statistics().opened, child.statistics().served),
        (0, 0)
    );
}

#[test]
fn a_context_streams_both_ways() {
    let mut parent = router(LinkSide::Acceptor, Role::Child);
    let mut child = router(LinkSide::Dialler, Role::Parent);
    let cid = parent
        .open(open(CallKind::Context), Bytes::new(), NOW)
        .unwrap();
    carry(&mut parent, &mut child);
    child.accept(cid, 1, Overrun::Wait).unwrap();
    child.started(cid, Bytes::from("first")).unwrap();
    assert_eq!(child.send(cid, Bytes::from("down")), SendPlace::Sent);
    carry(&mut child, &mut parent);
    assert_eq!(parent.take_started(cid), Some(Bytes::from("first")));
    assert_eq!(parent.send(cid, Bytes::from("up")), SendPlace::Sent);
    let more = Bytes::from("more");
    assert_eq!(
        parent.send(cid, more.clone()),
        SendPlace::NoCredit(more.clone())
    );
    carry(&mut parent, &mut child);
    assert_eq!(child.recv(cid), Recv::Value(Bytes::from("up")));
    carry(&mut child, &mut parent);
    assert_eq!(parent.send(cid, more), SendPlace::Sent);
    parent.stop(cid).unwrap();
    carry(&mut parent, &mut child);
    assert_eq!(child.recv(cid), Recv::Value(Bytes::from("more")));
    assert_eq!(child.recv(cid), Recv::Stopped);
    assert!(child.finish(cid, Reply::Return(Bytes::new())));
    carry(&mut child, &mut parent);
    assert_eq!(parent.recv(cid), Recv::Value(Bytes::from("down")));
    assert_eq!(parent.recv(cid), Recv::Ended);
    assert_eq!(
        parent.take_outcome(cid),
        Some(Outcome::Return(Bytes::new()))
    );
}
