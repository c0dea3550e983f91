//! The shortest walks through two routers, without a link between them.

use bytes::Bytes;
use tractor_ipc::id::ActorSlot;
use tractor_ipc::msg::{CallKind, Overrun};

use super::{NOW, bytes, carry, ends, open};
use crate::proto::{Action, Outcome, Recv, Reply, Request, SendPlace};

#[test]
fn a_call_goes_there_and_back() {
    let (mut parent, mut child) = ends(64, 8);
    let cid = parent
        .open(open(CallKind::Unary), bytes("args"), NOW)
        .unwrap();
    assert!(carry(&mut parent, &mut child).is_empty());
    let requests = carry(&mut child, &mut parent);
    assert!(matches!(
        &requests[..],
        [Action::Request(Request { cid: Some(c), args, .. })] if *c == cid && args == "args"
    ));
    child.request_taken(ActorSlot::MAIN);
    assert!(child.finish(cid, Reply::Return(bytes("result"))));
    carry(&mut child, &mut parent);
    assert_eq!(
        parent.take_outcome(cid),
        Some(Outcome::Return(bytes("result")))
    );
    parent.release(cid, false, NOW);
    assert_eq!(
        (parent.statistics().opened, child.statistics().served),
        (0, 0)
    );
}

#[test]
fn a_context_streams_both_ways() {
    let (mut parent, mut child) = ends(64, 8);
    let cid = parent
        .open(open(CallKind::Context), Bytes::new(), NOW)
        .unwrap();
    carry(&mut parent, &mut child);
    child.accept(cid, 1, Overrun::Wait).unwrap();
    child.started(cid, bytes("first")).unwrap();
    assert_eq!(child.send(cid, bytes("down")), SendPlace::Sent);
    carry(&mut child, &mut parent);
    assert_eq!(parent.take_started(cid), Some(bytes("first")));
    assert_eq!(parent.send(cid, bytes("up")), SendPlace::Sent);
    let more = bytes("more");
    assert_eq!(
        parent.send(cid, more.clone()),
        SendPlace::NoCredit(more.clone())
    );
    carry(&mut parent, &mut child);
    assert_eq!(child.recv(cid), Recv::Value(bytes("up")));
    carry(&mut child, &mut parent);
    assert_eq!(parent.send(cid, more), SendPlace::Sent);
    parent.stop(cid).unwrap();
    carry(&mut parent, &mut child);
    assert_eq!(child.recv(cid), Recv::Value(bytes("more")));
    assert_eq!(child.recv(cid), Recv::Stopped);
    assert!(child.finish(cid, Reply::Return(Bytes::new())));
    carry(&mut child, &mut parent);
    assert_eq!(parent.recv(cid), Recv::Value(bytes("down")));
    assert_eq!(parent.recv(cid), Recv::Ended);
    assert_eq!(
        parent.take_outcome(cid),
        Some(Outcome::Return(Bytes::new()))
    );
}
