//! One link as everybody above uses it: the router behind its lock, and the tasks that wait on its dialogs.
//!
//! Owns the lock of the link's [`Router`] and the wakers of its dialogs. Whoever commands the router drains its actions
//! under the same lock, so that what is sent leaves in the order it was decided; what runs other code (wakers, intakes)
//! runs after the lock is released. It must never wait.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tractor_ipc::channel::Room;
use tractor_ipc::limits::HEAD_MAX;
use tractor_ipc::msg::{CancelReason, EndedHow, Fault, FaultKind, Msg, Overrun};
use tractor_ipc::{ActorId, ActorSlot, Cid, Instant, Lane, LinkSender, LinkSide};

use super::effects::{Effects, Slots, push};
use super::{ChildHandle, Gauge, Intake, LinkEvent, Node};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::proto::{
    Cancelled, Cast, CastPlace, CastRefused, Loss, Open, OpenRefused, Outcome, Recv, Reply,
    Request, Router, RouterStatistics, SendPlace, Ticket, Wake,
};
use crate::scope::{Cancellation, Scope};
use crate::sync::{Mutex, MutexGuard};

/// The node at the other end of one link, and the dialogs with it.
pub(crate) struct Peer {
    node: Arc<Node>,
    id: ActorId,
    side: LinkSide,
    message_max: usize,
    sender: LinkSender,
    state: Mutex<State>,
    /// Bounded by what the peer may say of actors: one `Ended`, one answer to each request of ours.
    events: mpsc::UnboundedSender<LinkEvent>,
    /// Its flusher, until it has written the last byte.
    unwritten: Gauge,
    /// The child at the far end, where it is one of ours.
    child: OnceLock<ChildHandle>,
    /// What the process at the far end last wrote, if it ended without a word.
    last_words: OnceLock<String>,
}

pub(super) struct State {
    pub(super) router: Router,
    pub(super) slots: Slots,
    pub(super) intake: Option<Arc<dyn Intake>>,
}

impl Peer {
    pub(super) fn new(
        node: Arc<Node>,
        id: ActorId,
        side: LinkSide,
        message_max: usize,
        sender: LinkSender,
        router: Router,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<LinkEvent>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let state = State {
            router,
            slots: Slots::new(side),
            intake: None,
        };
        let state = Mutex::new(state);
        (
            Arc::new(Self {
                node,
                id,
                side,
                message_max,
                sender,
                state,
                events,
                unwritten: Gauge::default(),
                child: OnceLock::new(),
                last_words: OnceLock::new(),
            }),
            receiver,
        )
    }

    /// The actor at the far end the link was made for.
    pub(crate) fn id(&self) -> &ActorId {
        &self.id
    }

    /// The child at the far end, where it is one of ours.
    pub(crate) fn child(&self) -> Option<&ChildHandle> {
        self.child.get()
    }

    /// Names the way to the owner of the child at the far end.
    pub(crate) fn set_child(&self, child: ChildHandle) {
        // A link has one child.
        let _again = self.child.set(child);
    }

    /// The node this end belongs to.
    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Longest payload of the link: a message less its head.
    pub(crate) fn message_max(&self) -> usize {
        self.message_max.saturating_sub(HEAD_MAX)
    }

    /// Counts of the link's dialogs.
    pub(crate) fn statistics(&self) -> RouterStatistics {
        self.state.lock().router.statistics()
    }

    /// Its flusher, until it has written the last byte: after [`Peer::bye`] it can be waited for.
    pub(crate) fn unwritten(&self) -> &Gauge {
        &self.unwritten
    }

    pub(super) fn sender(&self) -> &LinkSender {
        &self.sender
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn emit(&self, event: LinkEvent) {
        // Nobody listens any more once the child is reaped; then there is nobody to tell.
        let _unheard = self.events.send(event);
    }

    /// Does something with the router and everything that follows from it.
    fn with<R>(self: &Arc<Self>, act: impl FnOnce(&mut State) -> R) -> R {
        let mut effects = Effects::default();
        let result = {
            let mut state = self.state.lock();
            let result = act(&mut state);
            effects.drain(self, &mut state);
            result
        };
        effects.perform(self);
        result
    }

    /// Names the actor of this node the far end's requests go to, and lets them come.
    pub(crate) fn serve(self: &Arc<Self>, intake: Arc<dyn Intake>) {
        self.with(|state| {
            state.intake = Some(intake);
        });
    }

    /// A request left its queue: its place in the window is free again.
    pub(crate) fn request_taken(self: &Arc<Self>) {
        self.with(|state| state.router.request_taken(ActorSlot::MAIN));
    }

    fn obituary(&self, loss: &Loss) -> String {
        match self.last_words.get().map(|words| words.trim_end()) {
            None | Some("") => loss.to_string(),
            Some(words) => format!("{loss}; it last wrote:\n{words}"),
        }
    }

    pub(super) fn keep_last_words(&self, words: String) {
        // The link ends once.
        let _again = self.last_words.set(words);
    }

    /// The failure that a loss of this link is to those who waited.
    pub(crate) fn loss_error(&self, loss: &Loss) -> RemoteError {
        let origin = self.id.clone();
        match loss {
            Loss::Exited { code } => {
                let kind = RemoteErrorKind::Exited { code: *code };
                RemoteError::new(kind, origin, self.obituary(loss))
            }
            Loss::Killed { signal } => {
                let kind = RemoteErrorKind::Killed { signal: *signal };
                RemoteError::new(kind, origin, self.obituary(loss))
            }
            Loss::Crashed(fault) => {
                let cause = RemoteError::from_fault((**fault).clone(), &self.id);
                RemoteError::new(RemoteErrorKind::Lost, origin, "the actor crashed")
                    .caused_by(cause)
            }
            Loss::Protocol(_) => {
                RemoteError::new(RemoteErrorKind::Protocol, origin, loss.to_string())
            }
            Loss::Closed | Loss::Io(_) | Loss::Bye => {
                RemoteError::new(RemoteErrorKind::Lost, origin, loss.to_string())
            }
        }
    }
}

/// The opener's side of dialogs.
impl Peer {
    /// Opens a dialog. Its `Start` is written at once if the callee has room, in order behind others otherwise.
    pub(crate) fn open(
        self: &Arc<Self>,
        open: Open,
        args: Bytes,
        now: Instant,
    ) -> Result<Cid, OpenRefused> {
        self.with(|state| state.router.open(open, args, now))
    }

    /// The outcome of a call, whose dialog is over with it.
    pub(crate) fn poll_result(
        self: &Arc<Self>,
        cid: Cid,
        cx: &Context<'_>,
    ) -> Poll<Outcome<Bytes>> {
        let mut state = self.state.lock();
        let Some((outcome, settled)) = state.router.take_result(cid) else {
            return state.slots.park(cid, Wake::OUTCOME, cx.waker());
        };
        if settled {
            state.slots.clear(cid);
        } else {
            drop(state);
            self.forget(cid);
        }
        Poll::Ready(outcome)
    }

    /// The first value of a context; `None` if the dialog is over without one.
    pub(crate) fn poll_started(&self, cid: Cid, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.state.lock();
        match state.router.take_started(cid) {
            Some(value) => Poll::Ready(Some(value)),
            None if state.router.has_ended(cid) => Poll::Ready(None),
            None => state.slots.park(cid, Wake::STARTED, cx.waker()),
        }
    }

    /// Ready once the dialog is over.
    pub(crate) fn poll_over(&self, cid: Cid, wake: Wake, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.router.has_ended(cid) {
            return Poll::Ready(());
        }
        state.slots.park(cid, wake, cx.waker())
    }

    /// How long the callee's teardown may take, once it accepted a cancel; at once if the dialog is over.
    pub(crate) fn poll_accepted(&self, cid: Cid, cx: &Context<'_>) -> Poll<Duration> {
        let mut state = self.state.lock();
        if state.router.has_ended(cid) || !state.router.is_under_way(cid) {
            return Poll::Ready(Duration::ZERO);
        }
        match state.router.cancel_acked(cid) {
            Some(left) => Poll::Ready(left),
            None => state.slots.park(cid, Wake::OUTCOME, cx.waker()),
        }
    }

    /// Asks the callee to end the dialog; takes it back if its `Start` has not been written.
    pub(crate) fn cancel(self: &Arc<Self>, cid: Cid, cancel: &Cancellation) -> Cancelled {
        let now = self.node.clock().now();
        self.with(|state| {
            let retracted = self.sender.retract(cid);
            let (canceller, reason) = (cancel.canceller.clone(), cancel.reason);
            state
                .router
                .cancel(cid, reason, canceller, None, retracted, now)
        })
    }

    /// The local handle is gone; what is still under way is cancelled and absorbed.
    pub(crate) fn release(self: &Arc<Self>, cid: Cid, cancel: &Cancellation) {
        let now = self.node.clock().now();
        let waiting = self.with(|state| {
            if state.router.is_under_way(cid) {
                let retracted = self.sender.retract(cid);
                let (canceller, reason) = (cancel.canceller.clone(), cancel.reason);
                state
                    .router
                    .cancel(cid, reason, canceller, None, retracted, now);
            }
            state.router.release(cid, false, now);
            state.slots.retire(cid)
        });
        // Handles in other tasks find that it has ended.
        waiting.into_iter().for_each(Waker::wake);
    }

    /// A dialog whose outcome was taken is over: its slot is free once the far side has ended.
    fn forget(self: &Arc<Self>, cid: Cid) {
        let now = self.node.clock().now();
        self.with(|state| {
            state.router.release(cid, false, now);
            state.slots.clear(cid);
        });
    }

    /// Sends a one-way message if the callee has room; gives its place in the queue otherwise.
    pub(crate) fn cast(
        self: &Arc<Self>,
        cast: Cast,
        args: Bytes,
    ) -> Result<CastPlace, CastRefused> {
        self.with(|state| state.router.cast(cast, args))
    }

    /// Sends a one-way message if the callee has room now.
    pub(crate) fn try_cast(self: &Arc<Self>, cast: Cast, args: Bytes) -> Result<(), CastRefused> {
        self.with(|state| state.router.try_cast(cast, args))
    }

    /// Ready once the queued one-way message has been written.
    pub(crate) fn poll_cast(&self, ticket: Ticket, cx: &Context<'_>) -> Poll<Result<(), Loss>> {
        let mut state = self.state.lock();
        match state.router.cast_written(ticket) {
            CastPlace::Sent => Poll::Ready(Ok(())),
            CastPlace::Lost(loss) => Poll::Ready(Err(loss)),
            CastPlace::Queued(_) => state.slots.park_ticket(ticket, cx.waker()),
        }
    }

    /// Takes a queued one-way message back if it has not been written.
    pub(crate) fn drop_cast(self: &Arc<Self>, ticket: Ticket) {
        self.with(|state| {
            state.router.drop_cast(ticket);
            state.slots.clear_ticket(ticket);
        });
    }
}

/// The callee's side of dialogs.
impl Peer {
    /// Binds a dialog to the scope that serves it; false if it was cancelled before.
    pub(crate) fn begin(&self, cid: Cid, scope: &Scope) -> bool {
        let mut state = self.state.lock();
        let waits = state.router.is_wanted(cid);
        if waits {
            state.slots.begin(cid, scope);
        }
        waits
    }

    /// Binds a dialog to a handler that runs to its end; false if it was cancelled before.
    pub(crate) fn begin_shielded(&self, cid: Cid) -> bool {
        let mut state = self.state.lock();
        let waits = state.router.is_wanted(cid);
        if waits {
            state.slots.begin_shielded(cid);
        }
        waits
    }

    /// Accepts a context or stream.
    pub(crate) fn accept(self: &Arc<Self>, cid: Cid, window: u32, overrun: Overrun) {
        self.with(|state| {
            // A dialog that is gone or was accepted before needs no other answer.
            let _gone = state.router.accept(cid, window, overrun);
        });
    }

    /// Sends the first value; false if the opener is gone.
    pub(crate) fn started(self: &Arc<Self>, cid: Cid, value: Bytes) -> bool {
        self.with(|state| state.router.started(cid, value).is_ok())
    }

    /// Ends the dialog well.
    pub(crate) fn finish(self: &Arc<Self>, cid: Cid, result: Bytes) {
        self.with(|state| {
            state.router.finish(cid, Reply::Return(result));
            state.slots.clear(cid);
        });
    }

    /// Ends the dialog badly.
    pub(crate) fn fail(self: &Arc<Self>, cid: Cid, error: &RemoteError) {
        self.with(|state| {
            state.router.finish(cid, Reply::Fail(error.to_fault()));
            state.slots.clear(cid);
        });
    }

    /// A request where nobody takes any.
    pub(super) fn refuse_unserved(self: &Arc<Self>, request: &Request) {
        self.request_taken();
        let actor = self.node.id().clone();
        let text = format!("{actor} takes no requests over this link");
        let error = RemoteError::new(RemoteErrorKind::NotExposed, actor, text);
        match request.cid {
            Some(cid) => self.fail(cid, &error),
            None => self.node.lose_cast(&error),
        }
    }

    /// A dialog of the far end was cancelled before anything of it ran: it ends here.
    pub(super) fn refuse_cancelled(self: &Arc<Self>, cid: Cid, cancel: &Cancellation) {
        let kind = FaultKind::from(cancel.clone());
        let actor = self.node.id().clone();
        self.fail(cid, &RemoteError::new(kind, actor, cancel.to_string()));
    }
}

/// Streams, from either side.
impl Peer {
    /// A wait for room on the link, for [`Peer::poll_send`].
    pub(crate) fn room(&self) -> Room<'_> {
        self.sender.room()
    }

    /// Sends a streamed value once there is room; not to be polled again once it is ready.
    pub(crate) fn poll_send(
        &self,
        cid: Cid,
        value: &[u8],
        room: &mut Room<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<SendPlace<()>> {
        // A link that is down has no dialogs: what that means to this one is told below.
        if self.sender.is_crowded() && Pin::new(room).poll(cx).is_pending() {
            return Poll::Pending;
        }
        let mut state = self.state.lock();
        match self.place(&mut state, cid, value) {
            SendPlace::NoCredit(()) => state.slots.park(cid, Wake::SEND, cx.waker()),
            place => Poll::Ready(place),
        }
    }

    /// Sends a streamed value if there is room now.
    pub(crate) fn try_send(&self, cid: Cid, value: &[u8]) -> SendPlace<()> {
        self.place(&mut self.state.lock(), cid, value)
    }

    /// Sends a streamed value if it is admitted. Nothing of the router's waits to be sent before it: who commands the
    /// router drains its actions before the lock is released.
    fn place(&self, state: &mut State, cid: Cid, value: &[u8]) -> SendPlace<()> {
        let place = state.router.admit(cid);
        if place == SendPlace::Sent {
            push(self, Lane::Data, &Msg::Yield { cid }, value);
        }
        place
    }

    /// The next streamed value, or that there will be none.
    pub(crate) fn poll_recv(self: &Arc<Self>, cid: Cid, cx: &Context<'_>) -> Poll<Recv<Bytes>> {
        let mut effects = Effects::default();
        let polled = {
            let mut state = self.state.lock();
            let polled = match state.router.recv(cid) {
                Recv::Empty => state.slots.park(cid, Wake::RECV, cx.waker()),
                received => Poll::Ready(received),
            };
            effects.drain(self, &mut state);
            polled
        };
        effects.perform(self);
        polled
    }

    /// The outcome, once, if it is there.
    pub(crate) fn take_outcome(&self, cid: Cid) -> Option<Outcome<Bytes>> {
        self.state.lock().router.take_outcome(cid)
    }

    /// Discards what is streamed from now on: nobody reads it any more.
    pub(crate) fn discard(self: &Arc<Self>, cid: Cid) {
        self.with(|state| state.router.discard(cid));
    }

    /// Ends this side's direction of the stream.
    pub(crate) fn stop(self: &Arc<Self>, cid: Cid) {
        self.with(|state| {
            // A dialog that has ended has stopped already.
            let _ended = state.router.stop(cid);
        });
    }
}

/// Actors and the link itself.
impl Peer {
    /// Asks the actor at the far end to end, with all below it.
    pub(crate) fn cancel_actor(self: &Arc<Self>, cancel: &Cancellation, left: Option<Duration>) {
        let (canceller, reason) = (cancel.canceller.clone(), cancel.reason);
        self.with(|state| {
            state
                .router
                .cancel_actor(ActorSlot::MAIN, reason, canceller, left)
        });
    }

    /// Asks the actor at the far end to finish what it has and end.
    pub(crate) fn drain_actor(self: &Arc<Self>, within: Duration) {
        self.with(|state| state.router.drain_actor(ActorSlot::MAIN, within));
    }

    /// Accepts the request to end our actor.
    pub(crate) fn accept_cancel(self: &Arc<Self>, ladder_left: Duration) {
        self.with(|state| state.router.ack_cancel(ActorSlot::MAIN, ladder_left));
    }

    /// Says that our actor has been built and serves.
    pub(crate) fn ready(self: &Arc<Self>) {
        self.with(|state| state.router.ready(ActorSlot::MAIN));
    }

    /// Says that our actor and all below it have ended.
    pub(crate) fn ended(self: &Arc<Self>, how: EndedHow, fault: Option<&Fault>) {
        self.with(|state| state.router.ended(ActorSlot::MAIN, how, fault));
    }

    /// Sends what the child is to be.
    pub(crate) fn send_spec(self: &Arc<Self>, spec: Bytes) {
        self.with(|state| state.router.spawn_spec(spec));
    }

    /// Says goodbye: nothing more will be sent.
    pub(crate) fn bye(self: &Arc<Self>) {
        self.with(|state| state.router.bye());
        self.sender.close();
    }

    /// Ends every dialog of the link by this cause.
    pub(crate) fn lose(self: &Arc<Self>, loss: Loss) {
        self.with(|state| state.router.lost(loss));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.node.bury(self.statistics());
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer")
            .field("id", &self.id)
            .field("side", &self.side)
            .finish_non_exhaustive()
    }
}

/// The cancellation a dropped handle stands for: that of the scope around it, or its own going away.
pub(crate) fn dropped_cancellation(own: &ActorId) -> Cancellation {
    Scope::current()
        .and_then(|scope| scope.cancellation())
        .unwrap_or_else(|| Cancellation {
            canceller: own.clone(),
            reason: CancelReason::Dropped,
        })
}

/// Keeps a waker current without cloning one that would wake the same task.
pub(super) fn keep(place: &mut Option<Waker>, waker: &Waker) {
    match place {
        Some(kept) => kept.clone_from(waker),
        None => *place = Some(waker.clone()),
    }
}
