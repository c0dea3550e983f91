//! What the parts of a link share: the outbox, its end, and who waits for what. One short lock, never held over I/O
//! and never over a wake.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::outbox::{Batch, Outbox};
use super::{Lane, LinkLimits, LinkStatistics};
use crate::error::{LinkDown, PushError};
use crate::id::Cid;
use crate::msg::Msg;

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Whether data has no room, as of the last change; whoever is told so looks again under the lock.
    crowded: AtomicBool,
}

#[derive(Debug)]
struct State {
    outbox: Outbox,
    phase: Phase,
    flusher: FlusherWait,
    reader: Option<Waker>,
    room: RoomWaiters,
}

/// How far the link has come to its end.
#[derive(Debug)]
enum Phase {
    Open,
    /// Closed here: what is queued is still written.
    Closing,
    /// Nothing is written any more; what comes is still read.
    Unwritable(LinkDown),
    /// Neither.
    Aborted(LinkDown),
}

/// What the flusher waits for.
#[derive(Debug)]
enum FlusherWait {
    /// It runs, or will look again by itself.
    Nothing,
    /// Something to write.
    Work(Waker),
    /// The socket; it only wants to hear of an abort.
    Socket(Waker),
}

/// What the flusher is to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Write the batch.
    Write,
    /// Everything is written: shut down.
    Shut,
    /// Leave.
    Down(LinkDown),
}

impl Shared {
    pub(super) fn new(limits: LinkLimits, parts: bool) -> Self {
        Self {
            state: Mutex::new(State {
                outbox: Outbox::new(limits, parts),
                phase: Phase::Open,
                flusher: FlusherWait::Nothing,
                reader: None,
                room: RoomWaiters::default(),
            }),
            crowded: AtomicBool::new(false),
        }
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    pub(super) fn push(&self, lane: Lane, msg: &Msg, payload: &[u8]) -> Result<(), PushError> {
        let flusher = {
            let mut state = self.lock();
            if let Some(down) = state.phase.down() {
                return Err(PushError::Down(down));
            }
            state.outbox.push(lane, msg, payload)?;
            self.note_room(&state);
            state.flusher.rouse()
        };
        wake(flusher);
        Ok(())
    }

    pub(super) fn retract(&self, cid: Cid) -> bool {
        let (retracted, waiters) = {
            let mut state = self.lock();
            let had_room = state.outbox.has_room();
            let retracted = state.outbox.retract(cid);
            let freed = !had_room && state.outbox.has_room();
            self.note_room(&state);
            let waiters = if freed { state.room.take() } else { Vec::new() };
            (retracted, waiters)
        };
        waiters.into_iter().for_each(Waker::wake);
        retracted
    }

    /// Ready while there is room for data. A future that has to wait gets a ticket, and gives it back when it goes.
    pub(super) fn poll_room(
        &self,
        ticket: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), LinkDown>> {
        let mut state = self.lock();
        if let Some(down) = state.phase.down() {
            return Poll::Ready(Err(down));
        }
        if state.outbox.has_room() {
            return Poll::Ready(Ok(()));
        }
        state.room.add(ticket, cx.waker());
        Poll::Pending
    }

    pub(super) fn drop_ticket(&self, ticket: u64) {
        self.lock().room.tickets.remove(&ticket);
    }

    pub(super) fn down(&self) -> Option<LinkDown> {
        self.lock().phase.down()
    }

    pub(super) fn statistics(&self) -> LinkStatistics {
        self.lock().outbox.statistics()
    }

    pub(super) fn set_message_max(&self, message_max: usize) {
        self.lock().outbox.set_message_max(message_max);
    }

    /// Lets the flusher write what is queued and shut down.
    pub(super) fn close(&self) {
        self.end(|phase| match phase {
            Phase::Open => Some(Phase::Closing),
            Phase::Closing | Phase::Unwritable(_) | Phase::Aborted(_) => None,
        });
    }

    /// Ends both directions at once.
    pub(super) fn abort(&self, cause: LinkDown) {
        self.end(|phase| match phase {
            Phase::Open | Phase::Closing => Some(Phase::Aborted(cause)),
            // Who waited for room has been told the first cause; the reader gets the same.
            Phase::Unwritable(first) => Some(Phase::Aborted(first.clone())),
            Phase::Aborted(_) => None,
        });
    }

    /// Ends the writing direction, and says why it ended: the first cause counts.
    pub(super) fn unwritable(&self, cause: LinkDown) -> LinkDown {
        self.end(|phase| match phase {
            Phase::Open | Phase::Closing => Some(Phase::Unwritable(cause.clone())),
            Phase::Unwritable(_) | Phase::Aborted(_) => None,
        });
        self.down().unwrap_or(cause)
    }

    /// Goes to another phase, if `next` names one, and wakes whom that concerns.
    fn end(&self, next: impl FnOnce(&Phase) -> Option<Phase>) {
        let (flusher, reader, waiters) = {
            let mut state = self.lock();
            let Some(phase) = next(&state.phase) else {
                return;
            };
            state.phase = phase;
            self.crowded.store(false, Ordering::Relaxed);
            let (flusher, reader) = match &state.phase {
                Phase::Open | Phase::Closing => (state.flusher.rouse(), None),
                Phase::Unwritable(_) => {
                    state.outbox.discard();
                    (state.flusher.interrupt(), None)
                }
                Phase::Aborted(_) => {
                    state.outbox.discard();
                    (state.flusher.interrupt(), state.reader.take())
                }
            };
            (flusher, reader, state.room.take())
        };
        wake(flusher);
        wake(reader);
        waiters.into_iter().for_each(Waker::wake);
    }

    /// For the flusher: the next batch, once there is one.
    pub(super) fn poll_batch(
        &self,
        cx: &Context<'_>,
        batch: &mut Batch,
        writes: u64,
    ) -> Poll<Next> {
        let waiters = {
            let mut state = self.lock();
            state.outbox.count_writes(writes);
            match &state.phase {
                Phase::Unwritable(down) | Phase::Aborted(down) => {
                    return Poll::Ready(Next::Down(down.clone()));
                }
                Phase::Open | Phase::Closing => {}
            }
            if !state.outbox.take(batch) {
                if let Phase::Closing = state.phase {
                    return Poll::Ready(Next::Shut);
                }
                state.flusher = FlusherWait::Work(cx.waker().clone());
                return Poll::Pending;
            }
            self.note_room(&state);
            state.room.take()
        };
        waiters.into_iter().for_each(Waker::wake);
        Poll::Ready(Next::Write)
    }

    /// For the flusher while the socket takes nothing: whether to give up.
    pub(super) fn poll_flusher_abort(&self, cx: &Context<'_>) -> Poll<LinkDown> {
        let mut state = self.lock();
        match &state.phase {
            Phase::Unwritable(down) | Phase::Aborted(down) => Poll::Ready(down.clone()),
            Phase::Open | Phase::Closing => {
                state.flusher = FlusherWait::Socket(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// For the receiver while nothing comes: whether to give up.
    pub(super) fn poll_reader_abort(&self, cx: &Context<'_>) -> Poll<LinkDown> {
        let mut state = self.lock();
        match &state.phase {
            Phase::Aborted(down) => Poll::Ready(down.clone()),
            Phase::Open | Phase::Closing | Phase::Unwritable(_) => {
                match &mut state.reader {
                    Some(reader) => reader.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }

    fn note_room(&self, state: &State) {
        let crowded = !state.outbox.has_room();
        self.crowded.store(crowded, Ordering::Relaxed);
    }

    /// The state; a holder that panicked left it whole, as no update of it can panic half-way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    /// Why nothing can be sent, if so.
    fn down(&self) -> Option<LinkDown> {
        match self {
            Self::Open => None,
            Self::Closing => Some(LinkDown::Closed),
            Self::Unwritable(down) | Self::Aborted(down) => Some(down.clone()),
        }
    }
}

impl FlusherWait {
    /// Whom to wake because there is work.
    fn rouse(&mut self) -> Option<Waker> {
        match self {
            Self::Work(_) => self.interrupt(),
            Self::Nothing | Self::Socket(_) => None,
        }
    }

    /// Whom to wake because it is over.
    fn interrupt(&mut self) -> Option<Waker> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Work(waker) | Self::Socket(waker) => Some(waker),
            Self::Nothing => None,
        }
    }
}

/// Who waits for room: bounded by the futures that hold tickets.
#[derive(Debug, Default)]
struct RoomWaiters {
    next_ticket: u64,
    /// By order of arrival; a future that has to wait again keeps its place.
    tickets: BTreeMap<u64, Waker>,
}

impl RoomWaiters {
    fn add(&mut self, ticket: &mut Option<u64>, waker: &Waker) {
        let number = *ticket.get_or_insert_with(|| {
            self.next_ticket += 1;
            self.next_ticket
        });
        self.tickets.insert(number, waker.clone());
    }

    fn take(&mut self) -> Vec<Waker> {
        if self.tickets.is_empty() {
            return Vec::new();
        }
        std::mem::take(&mut self.tickets).into_values().collect()
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
