//! Opening a dialog and living with it: the handle that releases it, and the block that outlives it by nothing.

use std::future::{Future, poll_fn};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tractor_ipc::msg::CancelReason;
use tractor_ipc::{ActorId, Cid, Instant};

use super::callee::returned_early;
use super::{OneWay, OpenedContext};
use crate::error::{CallError, Error, OpenError};
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::limits::{CANCEL_ACCEPT, DIALOG_CANCEL};
use crate::message::{AnyError, Never};
use crate::node::{Peer, dropped_cancellation};
use crate::proto::{Outcome, Wake};
use crate::scope::{
    AwareGuard, Cancellation, Checkpoint, Scope, ScopeOptions, checkpoint, give_way,
};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// One dialog, as its local side holds it.
pub(crate) struct Dialog {
    peer: Arc<Peer>,
    cid: Cid,
    end: Mutex<Option<Result<Bytes, RemoteError>>>,
    asked: OnceLock<Cancellation>,
    opened: bool,
    /// What this side of it runs in: where that is cut, its streams have not come to their ends.
    scope: OnceLock<Scope>,
    /// Whether a stream of it was dropped where it is not known yet what that means.
    owes_stop: AtomicBool,
    /// Whoever polls this side of it.
    block: AtomicWaker,
    /// When the block around it is cut, beside what the scopes around that cut.
    gives_up: Option<Instant>,
}

impl Dialog {
    /// One we opened; its block cancels what is under way and frees the slot when it leaves.
    pub(crate) fn opened(peer: Arc<Peer>, cid: Cid, gives_up: Option<Instant>) -> Self {
        Self {
            peer,
            cid,
            end: Mutex::new(None),
            asked: OnceLock::new(),
            opened: true,
            scope: OnceLock::new(),
            owes_stop: AtomicBool::new(false),
            block: AtomicWaker::new(),
            gives_up,
        }
    }

    /// One we serve in this scope; its end is the serving task's to send.
    pub(crate) fn served(peer: Arc<Peer>, cid: Cid, scope: Option<Scope>) -> Self {
        Self {
            peer,
            cid,
            end: Mutex::new(None),
            asked: OnceLock::new(),
            opened: false,
            scope: scope.map_or_else(OnceLock::new, OnceLock::from),
            owes_stop: AtomicBool::new(false),
            block: AtomicWaker::new(),
            gives_up: None,
        }
    }

    pub(crate) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    pub(crate) fn cid(&self) -> Cid {
        self.cid
    }

    /// Asks the far side to end; its end is still to be waited for.
    pub(crate) fn cancel(&self, cancel: Cancellation) {
        // Before it is sent: the end it comes to by that may come at once. The first canceller stands.
        let _later = self.asked.set(cancel.clone());
        self.peer.cancel(self.cid, &cancel);
    }

    /// Whether this end is the answer to our own cancel: then it is no failure.
    pub(crate) fn is_absorbed(&self, error: &RemoteError) -> bool {
        let RemoteErrorKind::Cancelled { canceller, .. } = error.kind() else {
            return false;
        };
        self.asked
            .get()
            .is_some_and(|asked| asked.canceller == *canceller)
    }

    /// How long its block waits for the end of a far side that was asked for it. In an actor that is ending itself, not all
    /// of its time: there is more to be done at its end.
    fn patience(&self) -> Duration {
        let node = self.peer.node();
        let left = node.cap_left(node.clock().now());
        left.map_or(DIALOG_CANCEL, |left| (left / 2).min(DIALOG_CANCEL))
    }

    /// The cancellation this failure is, if it is one.
    pub(crate) fn cancellation_in(&self, error: &RemoteError) -> Option<Cancellation> {
        match error.kind() {
            RemoteErrorKind::Cancelled { canceller, reason } => Some(Cancellation {
                canceller: canceller.clone(),
                reason: *reason,
            }),
            _ => None,
        }
    }

    /// The far side's failure, if it has ended by one.
    pub(crate) fn failure(&self) -> Option<RemoteError> {
        self.end()?.err()
    }

    /// How the far side ended, if it has.
    pub(crate) fn end(&self) -> Option<Result<Bytes, RemoteError>> {
        let mut end = self.end.lock();
        self.look_for_end(&mut end);
        end.clone()
    }

    fn look_for_end(&self, end: &mut Option<Result<Bytes, RemoteError>>) {
        if end.is_none() && self.opened {
            let outcome = self.peer.take_outcome(self.cid);
            *end = outcome.map(|outcome| self.peer.read_outcome(outcome));
        }
    }

    /// A stream of it is dropped. In its order, that is the end of this side's direction. Where what this side runs in has been
    /// cancelled, the end of the whole dialog, which follows, tells the reader why. And where something inside that is cut
    /// short, or panics, it has yet to be seen whether the whole goes down with it.
    pub(crate) fn stream_dropped(&self) {
        if self.scope.get().is_some_and(Scope::is_cancelled) {
            return;
        }
        if std::thread::panicking() || !matches!(checkpoint(), Checkpoint::Clear) {
            self.owes_stop.store(true, Ordering::Release);
            self.block.wake();
        } else {
            self.peer.stop(self.cid);
        }
    }

    /// Runs what this side of the dialog is, which has survived what cut its streams short once it waits again.
    pub(crate) async fn survive<F: Future>(&self, block: F) -> F::Output {
        let mut block = std::pin::pin!(block);
        poll_fn(|cx| {
            let polled = block.as_mut().poll(cx);
            if polled.is_pending() {
                self.block.register(cx.waker());
                if self.owes_stop.swap(false, Ordering::AcqRel) {
                    self.stream_stopped();
                }
            }
            polled
        })
        .await
    }

    fn stream_stopped(&self) {
        if !self.scope.get().is_some_and(Scope::is_cancelled) {
            self.peer.stop(self.cid);
        }
    }

    /// Waits for the far side's end.
    pub(crate) async fn ended(&self) -> Result<Bytes, RemoteError> {
        poll_fn(|cx| match self.end() {
            Some(end) => Poll::Ready(end),
            None => match self.peer.poll_over(self.cid, Wake::OUTCOME, cx) {
                Poll::Ready(()) => self.end().map_or(Poll::Pending, Poll::Ready),
                Poll::Pending => Poll::Pending,
            },
        })
        .await
    }

    /// Whether the far side has been asked to end.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.get().is_some()
    }

    /// Its block leaves: how it has ended is kept, and if it has not, that nobody waits for that any more.
    fn release(&self) {
        let by = dropped_cancellation(self.peer.node().id());
        let mut end = self.end.lock();
        self.look_for_end(&mut end);
        end.get_or_insert_with(|| {
            let text = "the context's block has ended";
            let kind = RemoteErrorKind::from(by.clone());
            Err(RemoteError::new(kind, self.peer.node().id().clone(), text))
        });
        drop(end);
        self.peer.release(self.cid, &by);
    }

    /// Who has asked it, on this side.
    pub(crate) fn asked_by(&self) -> Option<ActorId> {
        self.asked.get().map(|asked| asked.canceller.clone())
    }

    /// Waits for the end of a far side that was asked for it: it accepts in time, and ends in the time it then says.
    pub(crate) async fn ended_in_time(&self) -> Result<Result<Bytes, RemoteError>, OpenError> {
        let clock = self.peer.node().clock();
        let accepted = poll_fn(|cx| match self.end() {
            Some(_) => Poll::Ready(Duration::ZERO),
            None => self.peer.poll_accepted(self.cid, cx),
        });
        let left = tokio::select! {
            biased;
            left = accepted => left,
            () = clock.sleep_until(clock.now() + CANCEL_ACCEPT) => return Err(OpenError::TooSlow),
        };
        tokio::select! {
            biased;
            end = self.ended() => Ok(end),
            () = clock.sleep_until(clock.now() + left.min(DIALOG_CANCEL)) => Err(OpenError::TooSlow),
        }
    }

    /// The first value, or the end that came instead.
    pub(crate) async fn first(&self) -> Result<Bytes, OpenError> {
        if let Some(first) = poll_fn(|cx| self.peer.poll_started(self.cid, cx)).await {
            return Ok(first);
        }
        Err(match self.ended().await {
            Ok(_) => OpenError::EndedBeforeStarted {
                outcome: returned_early(),
            },
            Err(error) => match error.kind() {
                RemoteErrorKind::App => OpenError::EndedBeforeStarted {
                    outcome: AnyError::of(&error),
                },
                _ => CallError::from_remote(error).into(),
            },
        })
    }
}

/// The dialog of a block that may leave: what is under way is cancelled and absorbed then, and its slot freed, though a
/// handle to it may be kept somewhere.
struct Released<'d>(&'d Dialog);

impl Drop for Released<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Peer {
    /// The outcome of a dialog as a result; a callee's failure is passed on by this node.
    pub(crate) fn read_outcome(&self, outcome: Outcome<Bytes>) -> Result<Bytes, RemoteError> {
        match outcome {
            Outcome::Return(bytes) => Ok(bytes),
            Outcome::Fail(fault) => Err(RemoteError::from_fault(fault, self.id())),
            Outcome::Lost(loss) => Err(self.loss_error(&loss)),
            Outcome::Broken(violation) => {
                let kind = RemoteErrorKind::Protocol;
                Err(RemoteError::new(
                    kind,
                    self.id().clone(),
                    violation.to_string(),
                ))
            }
            Outcome::Cancelled { canceller, reason } => {
                let cancel = Cancellation { canceller, reason };
                let text = cancel.to_string();
                Err(RemoteError::new(
                    cancel.into(),
                    self.node().id().clone(),
                    text,
                ))
            }
        }
    }
}

/// Runs `block` beside an open dialog and ends only when both have: the block's value, its error, the far side's
/// failure, or the cancellation of the scope around.
pub(crate) async fn open_block<T, X, Fut>(
    dialog: Arc<Dialog>,
    block: impl FnOnce(Bytes) -> Result<Fut, OpenError>,
) -> Result<T, X>
where
    Fut: Future<Output = Result<T, X>>,
    X: From<Error>,
{
    let _released = Released(&dialog);
    let scope = surrounding_scope(&dialog);
    let waited_for = scope.aware();
    let inner = block_scope(&dialog, &scope);
    let body = async {
        let first = dialog.first().await.map_err(Error::Open)?;
        let block = block(first).map_err(Error::Open)?;
        let value = beside(&dialog, &inner, block).await?;
        dialog.peer().stop(dialog.cid());
        dialog.peer().discard(dialog.cid());
        if !dialog.is_asked() {
            // It ends as it likes; failing is told below.
            let _ended = dialog.ended().await;
        }
        Ok(value)
    };
    let result = inner.run(body).catching().await;
    if dialog.end().is_none() {
        let canceller = dialog.peer().node().id().clone();
        let cancel = match &result {
            Err(cancel) => cancel.clone(),
            Ok(_) => Cancellation {
                canceller,
                reason: CancelReason::BlockEnded,
            },
        };
        dialog.cancel(cancel);
        let ended = scope.shielded(dialog.patience(), dialog.ended()).await;
        if ended.is_err() && matches!(result, Ok(Ok(_))) {
            return Err(X::from(Error::Open(OpenError::TooSlow)));
        }
    }
    match result {
        Ok(Ok(value)) => match dialog.failure() {
            Some(error) if !dialog.is_absorbed(&error) => Err(X::from(open_error(&error))),
            Some(_) | None => Ok(value),
        },
        Ok(Err(error)) => Err(error),
        Err(cancel) => Err(X::from(cut_error(&inner, cancel, waited_for).await)),
    }
}

/// Runs `block` with the one-way stream of an open dialog. What is left of the stream when the block ends is cancelled;
/// the end it comes to by that is no failure.
pub(crate) async fn open_stream_block<Item, T, X, Fut>(
    dialog: Arc<Dialog>,
    block: impl FnOnce(OneWay<Item>) -> Fut,
) -> Result<T, X>
where
    Fut: Future<Output = Result<T, X>>,
    X: From<Error>,
{
    let _released = Released(&dialog);
    let scope = surrounding_scope(&dialog);
    let waited_for = scope.aware();
    let inner = block_scope(&dialog, &scope);
    let _first = dialog.scope.set(inner.clone());
    let context = OpenedContext::<Item, Never, (), Never>::new(dialog.clone());
    let body = async { block(context.into_stream()).await };
    let result = inner.run(body).catching().await;
    let failure = match dialog.end() {
        Some(end) => end.err().filter(|error| !dialog.is_absorbed(error)),
        None => {
            let canceller = dialog.peer().node().id().clone();
            let reason = CancelReason::BlockEnded;
            dialog.cancel(match &result {
                Err(cancel) => cancel.clone(),
                Ok(_) => Cancellation { canceller, reason },
            });
            match scope.shielded(dialog.patience(), dialog.ended()).await {
                Ok(end) => end.err().filter(|error| !dialog.is_absorbed(error)),
                Err(_) if matches!(result, Ok(Ok(_))) => {
                    return Err(X::from(Error::Open(OpenError::TooSlow)));
                }
                // What ended the block says more.
                Err(_) => None,
            }
        }
    };
    match (result, failure) {
        (Ok(Ok(_)), Some(error)) => Err(X::from(open_error(&error))),
        (Ok(result), _) => result,
        (Err(cancel), _) => Err(X::from(cut_error(&inner, cancel, waited_for).await)),
    }
}

/// The scope a block runs in: it is cut when the dialog's own time is up, whatever the far side does then.
fn block_scope(dialog: &Dialog, scope: &Scope) -> Scope {
    scope.child_with(ScopeOptions {
        deadline: dialog.gives_up,
        ..ScopeOptions::default()
    })
}

/// What a block that was cut ends by: the dialog's own time was up, which its far side would have told in the same
/// words; or it was cancelled from around it, which is for the scope there to catch.
async fn cut_error(inner: &Scope, cancel: Cancellation, waited_for: AwareGuard) -> Error {
    if let Some(own) = inner.cancel_called() {
        return Error::Open(OpenError::Call(CallError::Cancelled(own)));
    }
    drop(waited_for);
    give_way().await;
    Error::Cancelled(cancel)
}

/// Runs `block`, inside the scope of the dialog's own time, until it ends or the far side fails, which cancels it.
async fn beside<T, X, Fut>(dialog: &Dialog, scope: &Scope, block: Fut) -> Result<T, X>
where
    Fut: Future<Output = Result<T, X>>,
    X: From<Error>,
{
    let inner = scope.child();
    let _first = dialog.scope.set(inner.clone());
    let mut running = std::pin::pin!(dialog.survive(inner.run(block).catching()));
    let mut watching = true;
    let result = poll_fn(|cx| {
        if let Poll::Ready(result) = running.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        if watching
            && dialog
                .peer()
                .poll_over(dialog.cid(), Wake::STARTED, cx)
                .is_ready()
        {
            watching = false;
            if let Some(error) = dialog.failure().filter(|error| !dialog.is_absorbed(error)) {
                let canceller = error.origin().clone();
                inner.cancel(Cancellation {
                    canceller,
                    reason: CancelReason::Failure,
                });
                return running.as_mut().poll(cx);
            }
        }
        Poll::Pending
    })
    .await;
    match (result, dialog.failure()) {
        (Ok(result), _) => result,
        (Err(_), Some(error)) if inner.cancel_called().is_some() => {
            Err(X::from(open_error(&error)))
        }
        (Err(cancel), _) => {
            give_way().await;
            Err(X::from(Error::Cancelled(cancel)))
        }
    }
}

fn open_error(error: &RemoteError) -> Error {
    Error::Open(OpenError::Call(CallError::from_remote(error.clone())))
}

fn surrounding_scope(dialog: &Dialog) -> Scope {
    let node = dialog.peer().node();
    Scope::current().unwrap_or_else(|| node.scope().child())
}
