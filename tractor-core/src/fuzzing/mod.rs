//! The entry point for what a peer may send once it has been let in: the fuzz target, the replay of its corpus and the
//! property test of the router call this and nothing else.
//!
//! It panics when an invariant does not hold, and only then.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use tractor_ipc::id::{ActorId, ActorName, ActorSlot, Cid, LinkSide};
use tractor_ipc::limits::{MESSAGE_MAX, STREAM_WINDOW};
use tractor_ipc::msg::{CallKind, FunctionRef, Msg, Overrun, Role};
use tractor_ipc::time::Instant;
use tractor_ipc::wire::codec::Decoder;

use crate::proto::{Action, Loss, Open, Recv, Reply, Router, RouterConfig};

/// A byte stream from a peer that has been let in. The first byte says what the peer is to us.
pub fn dialogs(data: &[u8]) {
    let Some((&role, stream)) = data.split_first() else {
        return;
    };
    let mut end = End::new(match role % 2 {
        0 => Role::Child,
        _ => Role::Parent,
    });
    let mut decoder = Decoder::new(MESSAGE_MAX);
    decoder.room().extend_from_slice(stream);
    while let Ok(Some((msg, payload))) = decoder.decode() {
        end.handle(msg, payload);
    }
    end.lose();
}

/// One end of a link with a call, a context and a stream open, whose peer sends anything.
#[derive(Debug)]
pub struct End {
    router: Router,
    opened: [Cid; KINDS.len()],
    /// Requests of the peer that have not been answered.
    running: Vec<Cid>,
    handled: usize,
}

impl End {
    /// An end whose peer is this to us.
    pub fn new(peer: Role) -> Self {
        let side = match peer {
            Role::Child => LinkSide::Acceptor,
            _ => LinkSide::Dialler,
        };
        let name = ActorName::new("we").expect("a name");
        let mut config = RouterConfig::new(ActorId::new(name), peer);
        config.request_window = REQUESTS;
        config.peer_request_window = REQUESTS;
        config.dialogs_max = DIALOGS;
        let mut router = Router::new(side, config);
        let opened = KINDS.map(|kind| {
            let opened = router.open(request(kind), Bytes::new(), NOW);
            opened.expect("as many as are allowed")
        });
        Self {
            router,
            opened,
            running: Vec::new(),
            handled: 0,
        }
    }

    /// Which end of the link it is.
    pub fn side(&self) -> LinkSide {
        self.router.side()
    }

    /// Takes one message of the peer's, and does what a driver does after it.
    ///
    /// # Panics
    ///
    /// If more is held than allowed, or a handler is asked to end that was never asked to begin.
    pub fn handle(&mut self, msg: Msg, payload: Bytes) {
        if let Err(violation) = self.router.handle(msg, payload, NOW) {
            self.router.lost(violation.into());
        }
        self.serve();
        self.handled += 1;
        if self.handled.is_multiple_of(READ_EVERY) {
            for cid in self.opened.into_iter().chain(self.running.clone()) {
                while let Recv::Value(_) = self.router.recv(cid) {}
            }
            self.serve();
        }
    }

    /// Loses the link, and lets everything of it go.
    ///
    /// # Panics
    ///
    /// If something of it does not end, or is left.
    pub fn lose(mut self) {
        self.router.lost(Loss::Closed);
        self.serve();
        assert!(self.running.is_empty(), "every handler was asked to end");
        for cid in self.opened {
            let outcome = self.router.take_outcome(cid);
            assert!(outcome.is_some(), "every dialog has an outcome");
            self.router.release(cid, false, NOW);
        }
        let left = self.router.statistics();
        assert_eq!(
            (left.opened, left.served, left.queued_calls),
            (0, 0, 0),
            "nothing is left"
        );
    }

    fn serve(&mut self) {
        let Self {
            router, running, ..
        } = self;
        while let Some(action) = router.poll_action() {
            match action {
                Action::Request(request) => {
                    router.request_taken(request.actor);
                    let Some(cid) = request.cid else { continue };
                    running.push(cid);
                    // Not every kind is accepted, and what is not is told so.
                    let _refused = router.accept(cid, STREAM_WINDOW, Overrun::Wait);
                    let _refused = router.started(cid, Bytes::new());
                }
                Action::CancelRequested { cid, .. } => {
                    assert!(running.contains(&cid), "only what was offered is cancelled");
                    running.retain(|&other| other != cid);
                    router.finish(cid, Reply::Return(Bytes::new()));
                }
                Action::Send { .. }
                | Action::Notify(..)
                | Action::NotifyTicket(_)
                | Action::Actor(_)
                | Action::Pong { .. }
                | Action::Bye => {}
            }
        }
        let counted = router.statistics();
        assert!(
            counted.served <= DIALOGS && counted.opened <= DIALOGS,
            "{counted:?}"
        );
    }
}

fn request(kind: CallKind) -> Open {
    Open {
        actor: ActorSlot::MAIN,
        function: FunctionRef::Method(0),
        kind,
        signature: None,
        deadline: None,
        chain: Vec::new(),
        overrun: Overrun::Wait,
        window: STREAM_WINDOW,
        trace: None,
    }
}

const NOW: Instant = Instant::ZERO;

/// What is open from the start; the last one waits for request credit.
const KINDS: [CallKind; 4] = [
    CallKind::Unary,
    CallKind::Context,
    CallKind::Stream,
    CallKind::Unary,
];

/// Messages between two looks at what has been streamed: more than a window of values.
const READ_EVERY: usize = 100;

/// Requests either end takes before it has to be given more.
const REQUESTS: u32 = 3;

/// Dialogs open at once, each way.
const DIALOGS: usize = 4;
