//! A call of a method: a builder, and the future behind it, a state machine that needs no box on the way to a link.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Cx, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tractor_ipc::msg::{CallKind, CancelReason, FunctionRef};
use tractor_ipc::{ActorId, Cid, Instant};

use super::{Far, Portal, Way};
use crate::actor::{Actor, ActorCell, Binding, Letter, Ticket};
use crate::clock::{Clock, Sleep};
use crate::error::CallError;
use crate::message::{AppError, Message};
use crate::node::mailbox::{Sender, Sending};
use crate::node::reply::{ReplyReceiver, slot};
use crate::node::{
    ChainError, Peer, Surroundings, decode, dropped_cancellation, encode, surroundings,
};
use crate::proto::OpenRefused;
use crate::rpc::{Answer, Reply};
use crate::scope::{Cancellation, Checkpoint, checkpoint};

/// A call of one of the actor's methods. Does nothing until it is awaited.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<'a, A: Actor, Args, T: 'static, E: 'static = crate::message::Never> {
    portal: &'a Portal<A>,
    index: u16,
    args: Args,
    make: fn(Args, Reply<T, E>) -> A::Msg,
    limit: Limit,
}

/// When a call is given up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Limit {
    /// With the scope around it.
    #[default]
    None,
    /// At this point in time.
    At(Instant),
    /// So long after it is first polled.
    Within(Duration),
}

impl Limit {
    pub(crate) fn deadline(self, now: Instant) -> Option<Instant> {
        match self {
            Self::None => None,
            Self::At(at) => Some(at),
            Self::Within(span) => Some(now + span),
        }
    }
}

impl<'a, A: Actor, Args: Message, T: Message, E: AppError> Call<'a, A, Args, T, E> {
    pub(super) fn new(
        portal: &'a Portal<A>,
        index: u16,
        args: Args,
        make: fn(Args, Reply<T, E>) -> A::Msg,
    ) -> Self {
        Self {
            portal,
            index,
            args,
            make,
            limit: Limit::None,
        }
    }

    /// Gives the call up at this point of the node's clock; the callee sees what is left of it.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.limit = Limit::At(at);
        self
    }

    /// Gives the call up so long after it is first polled.
    pub fn within(mut self, span: Duration) -> Self {
        self.limit = Limit::Within(span);
        self
    }
}

impl<'a, A: Actor, Args: Message, T: Message, E: AppError> IntoFuture for Call<'a, A, Args, T, E> {
    type Output = Result<T, CallError<E>>;
    type IntoFuture = CallFuture<'a, A, Args, T, E>;

    fn into_future(self) -> Self::IntoFuture {
        CallFuture {
            step: Step::New(self),
            timer: None,
        }
    }
}

/// The future of a [`Call`].
///
/// # Cancel safety
///
/// Dropped before it was sent, nothing is sent. Dropped later, the callee's handler is dropped at its next await; one
/// that takes `&mut self` runs to its end and its result is discarded.
#[must_use = "futures do nothing unless polled"]
pub struct CallFuture<'a, A: Actor, Args, T: 'static, E: 'static> {
    step: Step<'a, A, Args, T, E>,
    timer: Option<Timer>,
}

struct Timer {
    sleep: Sleep,
    own: ActorId,
}

enum Step<'a, A: Actor, Args, T: 'static, E: 'static> {
    New(Call<'a, A, Args, T, E>),
    Wire(WireCall),
    Local(LocalCall<A, T, E>),
    Done,
}

/// The timer of a call's own limit, and who cancels by it.
pub(super) type OwnTimer = (Sleep, ActorId);

/// A call that was sent over a link, or waits to be.
pub(crate) struct WireCall {
    peer: Arc<Peer>,
    cid: Cid,
    over: bool,
}

struct LocalCall<A: Actor, T: 'static, E: 'static> {
    cell: Arc<ActorCell<A>>,
    sending: Option<Sending<Sender<Letter<A>>, Letter<A>>>,
    reply: ReplyReceiver<Answer<T, E>>,
    binding: Arc<Binding>,
    over: bool,
}

/// Nothing in it is pinned in place.
impl<A: Actor, Args, T, E> Unpin for CallFuture<'_, A, Args, T, E> {}

impl<A: Actor, Args: Message, T: Message, E: AppError> Future for CallFuture<'_, A, Args, T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match checkpoint() {
            Checkpoint::Clear => {}
            Checkpoint::Unwinding => return Poll::Pending,
            Checkpoint::Cancelled(cancel) => {
                this.step = Step::Done;
                return Poll::Ready(Err(CallError::Cancelled(cancel)));
            }
        }
        if let Step::New(_) = this.step
            && let Step::New(call) = std::mem::replace(&mut this.step, Step::Done)
        {
            match begin(call) {
                Ok((step, timer)) => (this.step, this.timer) = (step, timer),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let polled = match &mut this.step {
            Step::Wire(call) => call.poll(cx).map(|result| match result {
                Ok(bytes) => {
                    decode(&bytes, "the result", call.peer.id()).map_err(CallError::MsgType)
                }
                Err(error) => Err(CallError::from_remote(error)),
            }),
            Step::Local(call) => call.poll(cx),
            Step::New(_) | Step::Done => panic!("a call was polled after it had ended"),
        };
        if polled.is_pending() {
            ready!(poll_timer(&mut this.timer, cx));
            let own = this.timer.take().map(|timer| timer.own);
            let Some(own) = own else { return Poll::Pending };
            let cancel = Cancellation {
                canceller: own,
                reason: CancelReason::Deadline,
            };
            match std::mem::replace(&mut this.step, Step::Done) {
                Step::Wire(call) => call.give_up(&cancel),
                Step::Local(call) => call.give_up(&cancel),
                Step::New(_) | Step::Done => {}
            }
            return Poll::Ready(Err(CallError::Cancelled(cancel)));
        }
        this.step = Step::Done;
        polled
    }
}

fn poll_timer(timer: &mut Option<Timer>, cx: &mut Cx<'_>) -> Poll<()> {
    match timer {
        Some(timer) => timer.sleep.as_mut().poll(cx),
        None => Poll::Pending,
    }
}

type Begun<'a, A, Args, T, E> = (Step<'a, A, Args, T, E>, Option<Timer>);

fn begin<'a, A: Actor, Args: Message, T: Message, E: AppError>(
    call: Call<'a, A, Args, T, E>,
) -> Result<Begun<'a, A, Args, T, E>, CallError<E>> {
    let far = match located(call.portal)? {
        Way::Here(cell) => return begin_local(cell, call),
        Way::Link(far) => far,
    };
    let (function, limit) = (FunctionRef::Method(call.index), call.limit);
    let (wire, timer) = WireCall::begin(&far, function, &call.args, limit)?;
    Ok((Step::Wire(wire), timer.map(Timer::from)))
}

/// The way to a portal's actor, for a call.
pub(super) fn located<A: Actor, E: AppError>(portal: &Portal<A>) -> Result<Way<A>, CallError<E>> {
    let found = portal.resolve();
    found.map_err(|error| CallError::from_remote(error.into_remote(portal.id())))
}

fn begin_local<'a, A: Actor, Args: Message, T: Message, E: AppError>(
    cell: Arc<ActorCell<A>>,
    call: Call<'a, A, Args, T, E>,
) -> Result<Begun<'a, A, Args, T, E>, CallError<E>> {
    let hosted = cell.hosted().clone();
    if let Some(refusal) = hosted.refusal() {
        return Err(CallError::Stopping(refusal));
    }
    let clock = hosted.node().clock();
    let own = call.limit.deadline(clock.now());
    let Surroundings {
        deadline,
        gives_up,
        chain,
    } = surroundings(hosted.id(), own).map_err(chain_error)?;
    check_expired(deadline, clock.as_ref(), hosted.id())?;
    let (sender, reply) = slot();
    let binding = Arc::<Binding>::default();
    let reply_to = Reply::local(sender, hosted.clone()).map_err(CallError::Lost)?;
    let msg = (call.make)(call.args, reply_to);
    let ticket = Ticket {
        deadline,
        chain,
        binding: binding.clone(),
    };
    let letter = Letter::Local {
        msg,
        index: call.index,
        ticket,
    };
    let sending = Some(cell.mailbox().clone().send_owned(letter));
    let timer = gives_up.map(|at| Timer {
        sleep: clock.sleep_until(at),
        own: hosted.id().clone(),
    });
    Ok((
        Step::Local(LocalCall {
            cell,
            sending,
            reply,
            binding,
            over: false,
        }),
        timer,
    ))
}

impl<A: Actor, T: Message, E: AppError> LocalCall<A, T, E> {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Poll<Result<T, CallError<E>>> {
        if let Some(sending) = &mut self.sending {
            let sent = ready!(Pin::new(sending).poll(cx));
            self.sending = None;
            if sent.is_err() {
                self.over = true;
                return Poll::Ready(Err(self.lost()));
            }
        }
        let answer = ready!(Pin::new(&mut self.reply).poll(cx));
        self.over = true;
        Poll::Ready(match answer {
            Ok(Answer(result)) => result,
            Err(_) => Err(self.lost()),
        })
    }

    fn lost(&self) -> CallError<E> {
        let id = self.cell.hosted().id();
        let kind = crate::fault::RemoteErrorKind::Lost;
        CallError::Lost(crate::fault::RemoteError::new(
            kind,
            id.clone(),
            "the actor has ended",
        ))
    }
}

impl<A: Actor, T, E> LocalCall<A, T, E> {
    fn give_up(mut self, cancel: &Cancellation) {
        self.leave(cancel);
    }

    fn leave(&mut self, cancel: &Cancellation) {
        if self.over {
            return;
        }
        self.over = true;
        self.sending = None;
        if self.binding.abandon(cancel) {
            let queued = self
                .cell
                .mailbox()
                .remove(|letter| letter.is_ticket(&self.binding));
            drop(queued);
        }
    }
}

impl<A: Actor, T, E> Drop for LocalCall<A, T, E> {
    fn drop(&mut self) {
        if !self.over {
            let cancel = dropped_cancellation(self.cell.hosted().id());
            self.leave(&cancel);
        }
    }
}

impl WireCall {
    /// Encodes and opens a call; the timer is that of its own limit.
    pub(super) fn begin<Args: Message, E: AppError>(
        far: &Far,
        function: FunctionRef,
        args: &Args,
        limit: Limit,
    ) -> Result<(Self, Option<OwnTimer>), CallError<E>> {
        let peer = far.peer.clone();
        let (own_id, clock) = (peer.node().id(), peer.node().clock());
        let now = clock.now();
        let own = limit.deadline(now);
        let (open, gives_up) = far
            .open(function, CallKind::Unary, own, 0)
            .map_err(chain_error)?;
        check_expired(open.deadline, clock.as_ref(), own_id)?;
        let bytes = encode(args, peer.message_max(), own_id).map_err(CallError::from_remote)?;
        let cid = peer
            .open(open, bytes, now)
            .map_err(|error| refused(error, &peer))?;
        let timer = gives_up.map(|at| (clock.sleep_until(at), own_id.clone()));
        Ok((
            Self {
                peer,
                cid,
                over: false,
            },
            timer,
        ))
    }

    pub(super) fn poll(&mut self, cx: &Cx<'_>) -> Poll<Result<Bytes, crate::fault::RemoteError>> {
        let outcome = ready!(self.peer.poll_result(self.cid, cx));
        self.over = true;
        Poll::Ready(self.peer.read_outcome(outcome))
    }

    pub(super) fn give_up(mut self, cancel: &Cancellation) {
        self.over = true;
        self.peer.release(self.cid, cancel);
    }

    pub(super) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }
}

impl Drop for WireCall {
    fn drop(&mut self) {
        if !self.over {
            self.peer
                .release(self.cid, &dropped_cancellation(self.peer.node().id()));
        }
    }
}

impl From<OwnTimer> for Timer {
    fn from((sleep, own): OwnTimer) -> Self {
        Self { sleep, own }
    }
}

pub(super) fn check_expired<E>(
    deadline: Option<Instant>,
    clock: &dyn Clock,
    own: &ActorId,
) -> Result<(), CallError<E>> {
    match deadline {
        Some(deadline) if deadline <= clock.now() => {
            Err(CallError::Cancelled(Cancellation::deadline(own.clone())))
        }
        Some(_) | None => Ok(()),
    }
}

pub(in crate::actor) fn chain_error<E>(error: ChainError) -> CallError<E> {
    match error {
        ChainError::Deadlock { cycle } => CallError::Deadlock { cycle },
        ChainError::TooDeep { depth } => CallError::TooDeep { depth },
    }
}

pub(super) fn refused<E>(error: OpenRefused, peer: &Peer) -> CallError<E> {
    match error {
        OpenRefused::TooMany { limit } => CallError::TooMany { limit },
        OpenRefused::Expired => {
            CallError::Cancelled(Cancellation::deadline(peer.node().id().clone()))
        }
        OpenRefused::Down(loss) => CallError::Lost(peer.loss_error(&loss)),
    }
}

impl<A: Actor, Args, T, E> fmt::Debug for Call<'_, A, Args, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = A::methods()
            .get(self.index as usize)
            .map_or("?", |method| method.name());
        write!(f, "Call({method} of {})", self.portal.id())
    }
}

impl<A: Actor, Args, T, E> fmt::Debug for CallFuture<'_, A, Args, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.step {
            Step::New(_) => "CallFuture(new)",
            Step::Wire(_) | Step::Local(_) => "CallFuture(sent)",
            Step::Done => "CallFuture(done)",
        })
    }
}
