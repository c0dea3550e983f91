//! The loops that run an actor. The borrow rules are the concurrency rules: the state is a local of the loop, an
//! exclusive handler borrows it mutably, shared ones side by side, and no lock is involved.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tractor_ipc::{ActorId, Instant};

use super::cell::ActorCell;
use super::letter::{Letter, expired};
use super::{Actor, Flow, MethodKind, SharedActor, hooks};
use crate::fault::RemoteError;
use crate::node::mailbox::{Receiver, TryRecvError};
use crate::node::{Hosted, Peer, Turn, cancelled_error, catch_in, catch_now, in_time};
use crate::rpc::WireReply;
use crate::scope::{Cancellation, Scope};

/// An actor's queue, as its loop takes from it.
#[derive(Debug)]
pub struct Turns<A: Actor> {
    cell: Arc<ActorCell<A>>,
    inbox: Receiver<Letter<A>>,
    /// Since when the others of its thread have had no turn, and the letters since then.
    busy_since: Instant,
    handled: u32,
    /// The link to its parent, which is told when it serves.
    parent: Arc<Peer>,
}

/// Why an actor's loop ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoopEnd {
    /// Its queue was closed and everything in it done.
    Drained,
    /// It was cancelled.
    Cancelled(Cancellation),
    /// It failed.
    Crashed(RemoteError),
}

/// Runs an actor whose methods all take `&mut self`.
pub async fn run_exclusive<A: Actor>(state: A, mut turns: Turns<A>) -> LoopEnd {
    let mut state = State(Some(state));
    let end = match turns.start(state.get()).await {
        Ok(()) => loop {
            let step = match turns.next().await {
                Ok(letter) => turns.exclusive(&mut state, letter).await,
                Err(end) => Err(end),
            };
            if let Err(end) = step {
                break end;
            }
        },
        Err(end) => end,
    };
    turns.finish(state.0, end).await
}

/// Runs an actor with methods of both kinds: a `&mut self` method ends the phase in which `&self` methods run.
pub async fn run_phased<A: SharedActor>(state: A, mut turns: Turns<A>) -> LoopEnd {
    let mut state = State(Some(state));
    let end = match turns.start(state.get()).await {
        Ok(()) => loop {
            if let Err(end) = turns.phase(&mut state).await {
                break end;
            }
        },
        Err(end) => end,
    };
    turns.finish(state.0, end).await
}

/// Runs an actor whose methods all take `&self`: its contexts share the state.
pub async fn run_shared<A: SharedActor>(mut state: A, mut turns: Turns<A>) -> LoopEnd {
    let started = turns.start(&mut state).await;
    let state = Arc::new(state);
    turns.cell.share(state.clone());
    let end = match started {
        Ok(()) => loop {
            let step = match turns.next().await {
                Ok(letter) => shared_phase(&*state, letter, &mut turns).await.map(drop),
                Err(end) => Err(end),
            };
            if let Err(end) = step {
                break end;
            }
        },
        Err(end) => end,
    };
    turns.close(&end);
    turns.cell.hosted().wait_idle().await;
    turns.cell.unshare();
    turns.finish(Arc::into_inner(state), end).await
}

/// The state of the loop; away only while a blocking method has it.
struct State<A>(Option<A>);

impl<A> State<A> {
    fn get(&mut self) -> &mut A {
        self.0
            .as_mut()
            .expect("the state is away only while a blocking method is awaited")
    }
}

impl<A: Actor> Turns<A> {
    pub(super) fn new(
        cell: Arc<ActorCell<A>>,
        inbox: Receiver<Letter<A>>,
        parent: Arc<Peer>,
    ) -> Self {
        let busy_since = cell.hosted().node().clock().now();
        Self {
            cell,
            inbox,
            busy_since,
            handled: 0,
            parent,
        }
    }

    fn hosted(&self) -> &Arc<Hosted> {
        self.cell.hosted()
    }

    /// The next letter, or the end of the loop. A cancelled actor takes up nothing more.
    async fn next(&mut self) -> Result<Letter<A>, LoopEnd> {
        self.breathe().await;
        let hosted = self.cell.hosted().clone();
        let scope = hosted.scope();
        if let Some(cancel) = scope.cancellation() {
            return Err(LoopEnd::Cancelled(cancel));
        }
        self.handled += 1;
        match self.inbox.try_recv() {
            Ok(letter) => return Ok(letter),
            Err(TryRecvError::Closed) => return Err(LoopEnd::Drained),
            Err(TryRecvError::Empty) => {}
        }
        let received = scope.run(self.inbox.recv()).await;
        self.rested();
        match received {
            Ok(Some(letter)) => Ok(letter),
            Ok(None) => Err(LoopEnd::Drained),
            Err(cancel) => Err(LoopEnd::Cancelled(cancel)),
        }
    }

    /// Between two letters: lets the link be read and orders be obeyed, however little the handlers wait.
    async fn breathe(&mut self) {
        let busy = self.clock_now().saturating_since(self.busy_since);
        if busy >= BREATH || self.handled >= BREATH_LETTERS {
            // Before: a phase drops this wait whenever a handler ends, having waited.
            self.rested();
            tokio::task::yield_now().await;
        }
    }

    fn rested(&mut self) {
        self.busy_since = self.clock_now();
        self.handled = 0;
    }

    fn clock_now(&self) -> Instant {
        self.cell.hosted().node().clock().now()
    }

    async fn start(&self, state: &mut A) -> Result<(), LoopEnd> {
        let hosted = self.hosted();
        match catch_in(hosted.scope(), state.on_start(), hosted.id()).await {
            Ok(Ok(())) => {
                self.parent.ready();
                Ok(())
            }
            Ok(Err(panic)) => Err(LoopEnd::Crashed(panic)),
            Err(cancel) => Err(LoopEnd::Cancelled(cancel)),
        }
    }

    /// Ends what still runs, lets the state of an actor that did not fail say goodbye, and drops it.
    async fn finish(&mut self, mut state: Option<A>, end: LoopEnd) -> LoopEnd {
        let hosted = self.cell.hosted().clone();
        self.close(&end);
        while let Ok(letter) = self.inbox.try_recv() {
            letter.lose(hosted.node());
        }
        hosted.wait_idle().await;
        let end = match (&mut state, hosted.crashed()) {
            (Some(state), None) => self.say_goodbye(state, end).await,
            (_, Some(_)) | (None, _) => end,
        };
        match (catch_now(|| drop(state), hosted.id()), end) {
            (_, end @ LoopEnd::Crashed(_)) | (Ok(()), end) => end,
            (Err(panic), LoopEnd::Drained | LoopEnd::Cancelled(_)) => LoopEnd::Crashed(panic),
        }
    }

    async fn say_goodbye(&self, state: &mut A, end: LoopEnd) -> LoopEnd {
        let hosted = self.hosted();
        let goodbye = async |shield: Scope| catch_in(&shield, state.on_stop(), hosted.id()).await;
        match in_time(hosted, goodbye).await {
            Ok(Ok(())) => end,
            Ok(Err(panic)) => LoopEnd::Crashed(panic),
            Err(_) => {
                tracing::error!(actor = %hosted.id(), "`on_stop` took too long and was dropped");
                end
            }
        }
    }

    /// Takes nothing up any more. A crash ends everything beside the loop: contexts and streams do not end by themselves.
    fn close(&mut self, end: &LoopEnd) {
        self.inbox.close();
        if let LoopEnd::Crashed(error) = end {
            self.hosted().crash(error.clone());
        }
    }

    /// Runs one letter with nothing beside it.
    async fn exclusive(&self, state: &mut State<A>, letter: Letter<A>) -> Result<(), LoopEnd> {
        let kind = letter.kind();
        let Some((msg, turn)) = self.open(letter, kind, state)? else {
            return Ok(());
        };
        let hosted = self.cell.hosted();
        if kind == MethodKind::Blocking {
            return self.blocking(state, msg, &turn).await;
        }
        let handled = catch_in(&turn.scope, state.get().handle_mut(msg), hosted.id()).await;
        self.settle(handled)
    }

    /// Runs one letter on the blocking pool, which takes the state along.
    async fn blocking(
        &self,
        state: &mut State<A>,
        msg: A::Msg,
        turn: &Turn,
    ) -> Result<(), LoopEnd> {
        let Some(mut away) = state.0.take() else {
            return Ok(());
        };
        let (id, scope) = (self.hosted().id().clone(), turn.scope.clone());
        let runtime = self.hosted().node().tasks().runtime().clone();
        let pool = runtime.spawn_blocking(move || {
            let handled = scope.enter(|| catch_now(|| away.handle_blocking(msg), &id));
            (away, handled)
        });
        match pool.await {
            Ok((back, handled)) => {
                state.0 = Some(back);
                self.settle(Ok(handled))
            }
            Err(error) => {
                let id = self.hosted().id().clone();
                let kind = crate::fault::RemoteErrorKind::Panic;
                Err(LoopEnd::Crashed(RemoteError::new(
                    kind,
                    id,
                    error.to_string(),
                )))
            }
        }
    }

    fn settle(
        &self,
        handled: Result<Result<Flow, RemoteError>, Cancellation>,
    ) -> Result<(), LoopEnd> {
        let hosted = self.hosted();
        match handled {
            Ok(Ok(Flow::Continue)) => Ok(()),
            Ok(Ok(Flow::Crash(error))) => Err(LoopEnd::Crashed(hooks::crash(error, hosted.id()))),
            Ok(Err(panic)) => Err(LoopEnd::Crashed(panic)),
            Err(_) => match hosted.scope().cancellation() {
                Some(cancel) => Err(LoopEnd::Cancelled(cancel)),
                None => Ok(()),
            },
        }
    }

    /// Turns a letter into a message and the scope to run it in; `None` if there is nothing to run.
    fn open(
        &self,
        letter: Letter<A>,
        kind: MethodKind,
        state: &mut State<A>,
    ) -> Result<Option<(A::Msg, Turn)>, LoopEnd> {
        match letter {
            Letter::With(change) => {
                let hosted = self.hosted();
                let changed = catch_now(|| change(state.get()), hosted.id());
                changed.map(|()| None).map_err(LoopEnd::Crashed)
            }
            letter => Ok(self.cell.open_letter(letter, kind)),
        }
    }
}

impl<A: SharedActor> Turns<A> {
    /// Waits for a letter and runs on until one that needs the state alone has been run, or nothing is left.
    async fn phase(&mut self, state: &mut State<A>) -> Result<(), LoopEnd> {
        let mut next = Some(self.next().await?);
        while let Some(letter) = next.take() {
            if letter.kind().is_exclusive() {
                self.exclusive(state, letter).await?;
            } else {
                next = shared_phase(&*state.get(), letter, self).await?;
            }
        }
        Ok(())
    }
}

/// Runs `&self` handlers beside one another until the queue's head needs the state alone, and hands that one back once
/// all have ended.
async fn shared_phase<A: SharedActor>(
    state: &A,
    letter: Letter<A>,
    turns: &mut Turns<A>,
) -> Result<Option<Letter<A>>, LoopEnd> {
    let cell = turns.cell.clone();
    let mut first = pin!(shared_turn(state, &cell, letter));
    // A handler that never waits needs no set around it.
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx))).await {
        return done.map(|()| None);
    }
    let (mut more, mut first_done, mut held, mut open) =
        (FuturesUnordered::new(), false, None, true);
    let mut crash = Ok(());
    loop {
        // Who crashes ends the others through the actor's scope: each tears down what it has before it goes.
        let mut ended = |done: Result<(), LoopEnd>| {
            if let Err(LoopEnd::Crashed(error)) = &done {
                cell.hosted().crash(error.clone());
            }
            if crash.is_ok() {
                crash = done;
            }
        };
        tokio::select! {
            biased;
            done = &mut first, if !first_done => {
                first_done = true;
                ended(done);
            }
            Some(done) = more.next(), if !more.is_empty() => ended(done),
            letter = turns.next(), if held.is_none() && open => match letter {
                Ok(letter) if letter.kind().is_exclusive() => held = Some(letter),
                Ok(letter) => more.push(shared_turn(state, &cell, letter)),
                // The handlers see the same end; what they return comes first.
                Err(_) => open = false,
            },
        }
        if first_done && more.is_empty() {
            return crash.map(|()| held);
        }
    }
}

async fn shared_turn<A: SharedActor>(
    state: &A,
    cell: &ActorCell<A>,
    letter: Letter<A>,
) -> Result<(), LoopEnd> {
    let Some((msg, turn)) = cell.open_letter(letter, MethodKind::Shared) else {
        return Ok(());
    };
    let hosted = cell.hosted();
    match catch_in(&turn.scope, state.handle_ref(msg), hosted.id()).await {
        Ok(Ok(Flow::Continue)) | Err(_) => Ok(()),
        Ok(Ok(Flow::Crash(error))) => Err(LoopEnd::Crashed(hooks::crash(error, hosted.id()))),
        Ok(Err(panic)) => Err(LoopEnd::Crashed(panic)),
    }
}

impl<A: Actor> ActorCell<A> {
    /// Takes a request up: binds it to the scope it will run in; `None` if it has been cancelled, has expired or does
    /// not decode, which its caller has been told.
    fn open_letter(&self, letter: Letter<A>, kind: MethodKind) -> Option<(A::Msg, Turn)> {
        match letter {
            Letter::Local { msg, ticket, .. } => {
                let turn = self.turn(kind, ticket.deadline, &ticket.chain);
                let bound = (!runs_to_its_end(kind)).then_some(&turn.scope);
                ticket.binding.begin(bound).then_some((msg, turn))
            }
            Letter::Wire(incoming) => {
                let (peer, request) = (incoming.peer, incoming.request);
                peer.request_taken();
                let turn = self.turn(kind, request.deadline, &request.chain);
                if let Some(cid) = request.cid {
                    let clock = self.hosted().node().clock();
                    if request
                        .deadline
                        .is_some_and(|deadline| deadline <= clock.now())
                    {
                        let id = self.hosted().id().clone();
                        let cancel = expired(peer.id());
                        peer.fail(cid, &cancelled_error(&cancel, id));
                        return None;
                    }
                    let begun = match runs_to_its_end(kind) {
                        true => peer.begin_shielded(cid),
                        false => peer.begin(cid, &turn.scope),
                    };
                    if !begun {
                        return None;
                    }
                }
                let tractor_ipc::msg::FunctionRef::Method(index) = request.function else {
                    return None;
                };
                let reply = WireReply::new(peer, self.hosted().clone(), request.cid);
                // The reading of a user's type is the user's code: where it panics, that request fails alone.
                let id = self.hosted().id();
                match catch_now(|| A::decode(index, &request.args, reply), id) {
                    Ok(msg) => Some((msg?, turn)),
                    Err(error) => {
                        if request.cid.is_none() {
                            self.hosted().node().lose_cast(&error);
                        }
                        None
                    }
                }
            }
            Letter::With(_) => None,
        }
    }

    fn turn(&self, kind: MethodKind, deadline: Option<Instant>, chain: &[ActorId]) -> Turn {
        let hosted = self.hosted();
        let chain = match kind.is_exclusive() {
            true => hosted.chain_alone(chain),
            false => chain.into(),
        };
        match runs_to_its_end(kind) {
            true => hosted.uncut_turn(deadline, chain),
            false => hosted.turn(deadline, chain),
        }
    }
}

fn runs_to_its_end(kind: MethodKind) -> bool {
    match kind {
        MethodKind::Exclusive | MethodKind::Blocking => true,
        MethodKind::CancelSafe | MethodKind::Shared | MethodKind::Context { .. } => false,
    }
}

/// How long a loop goes on before it lets others run, though none of its handlers had to wait: so long a cancel waits
/// behind handlers that are short. A batch of quick calls is done in it, and answered in one write.
const BREATH: Duration = Duration::from_micros(100);

/// Letters after which it does so on a clock that stands still.
const BREATH_LETTERS: u32 = 128;
