//! One-way messages.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Cx, Poll, ready};

use bytes::Bytes;
use tractor_ipc::msg::FunctionRef;

use super::{Far, Portal, Way};
use crate::actor::{Actor, ActorCell, Letter, Ticket};
use crate::error::SendError;
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::message::{AnyError, Message};
use crate::node::mailbox::{Sender, Sending, TrySendError};
use crate::node::{Ambient, Peer, encode};
use crate::proto::{Cast, CastPlace, CastRefused, Loss, Ticket as Place};
use crate::scope::{Checkpoint, checkpoint};

/// A one-way message. Awaited, it ends once the actor's queue, or the link's window for it, has taken the message; what
/// becomes of it then is not told. Where an `&mut self` method of that very actor awaits this, it does not wait for room,
/// of which there will be none before that method has ended: it fails with [`SendError::Full`].
///
/// # Cancel safety
///
/// Dropped while it waits for room, the message is not sent.
#[must_use = "a one-way message is not sent until it is awaited"]
pub struct CastCall<'a, A: Actor, Args> {
    portal: &'a Portal<A>,
    index: u16,
    make: fn(Args) -> A::Msg,
    step: Step<A, Args>,
}

enum Step<A: Actor, Args> {
    New(Args),
    Local(Sending<Sender<Letter<A>>, Letter<A>>),
    Wire(Arc<Peer>, Place),
    Done,
}

impl<A: Actor, Args> Unpin for CastCall<'_, A, Args> {}

impl<'a, A: Actor, Args: Message> CastCall<'a, A, Args> {
    pub(super) fn new(
        portal: &'a Portal<A>,
        index: u16,
        args: Args,
        make: fn(Args) -> A::Msg,
    ) -> Self {
        Self {
            portal,
            index,
            make,
            step: Step::New(args),
        }
    }

    /// Sends the message if there is room for it now.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] if there is none; otherwise as awaiting it.
    pub fn try_send(mut self) -> Result<(), SendError> {
        let Step::New(args) = std::mem::replace(&mut self.step, Step::Done) else {
            return Ok(());
        };
        let way = self.way()?;
        self.send_now(way, args)
    }

    fn send_now(&self, way: Way<A>, args: Args) -> Result<(), SendError> {
        match way {
            Way::Here(cell) => {
                let letter = self.letter(&cell, args)?;
                cell.mailbox()
                    .try_send(letter)
                    .map_err(|error| match error {
                        TrySendError::Full(_) => SendError::Full,
                        TrySendError::Closed(_) => SendError::Lost(gone(self.portal)),
                    })
            }
            Way::Link(far) => {
                let (peer, cast, bytes) = self.encoded(&far, &args)?;
                peer.try_cast(cast, bytes)
                    .map_err(|error| refused(&peer, error))
            }
        }
    }

    fn letter(&self, cell: &ActorCell<A>, args: Args) -> Result<Letter<A>, SendError> {
        if let Some(refusal) = cell.hosted().refusal() {
            return Err(SendError::Stopping(refusal));
        }
        // Nobody awaits a one-way message: it is in no chain and has no deadline.
        let ticket = Ticket {
            deadline: None,
            chain: Arc::default(),
            binding: Arc::default(),
        };
        Ok(Letter::Local {
            msg: (self.make)(args),
            index: self.index,
            ticket,
        })
    }

    fn way(&self) -> Result<Way<A>, SendError> {
        let found = self.portal.resolve();
        found.map_err(|error| SendError::Lost(error.into_remote(self.portal.id())))
    }

    fn encoded(&self, far: &Far, args: &Args) -> Result<(Arc<Peer>, Cast, Bytes), SendError> {
        let peer = far.peer.clone();
        let bytes =
            encode(args, peer.message_max(), peer.node().id()).map_err(|error| {
                match *error.kind() {
                    RemoteErrorKind::TooLarge { size, limit } => {
                        SendError::TooLarge { size, limit }
                    }
                    _ => SendError::Encode(AnyError::of(&error)),
                }
            })?;
        let function = FunctionRef::Method(self.index);
        let cast = Cast {
            actor: far.slot,
            function,
            signature: None,
            trace: None,
        };
        Ok((peer, cast, bytes))
    }

    fn begin(&self, args: Args) -> Result<Step<A, Args>, SendError> {
        let way = self.way()?;
        if Ambient::current().is_some_and(|ambient| ambient.is_awaited_by(self.portal.id())) {
            return self.send_now(way, args).map(|()| Step::Done);
        }
        let far = match way {
            Way::Here(cell) => {
                let letter = self.letter(&cell, args)?;
                return Ok(Step::Local(cell.mailbox().clone().send_owned(letter)));
            }
            Way::Link(far) => far,
        };
        let (peer, cast, bytes) = self.encoded(&far, &args)?;
        match peer
            .cast(cast, bytes)
            .map_err(|error| refused(&peer, error))?
        {
            CastPlace::Sent => Ok(Step::Done),
            CastPlace::Queued(place) => Ok(Step::Wire(peer, place)),
            CastPlace::Lost(loss) => Err(lost(&peer, &loss)),
        }
    }
}

impl<A: Actor, Args: Message> Future for CastCall<'_, A, Args> {
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match checkpoint() {
            Checkpoint::Clear => {}
            Checkpoint::Unwinding => return Poll::Pending,
            Checkpoint::Cancelled(cancel) => return Poll::Ready(Err(SendError::Cancelled(cancel))),
        }
        if let Step::New(_) = this.step
            && let Step::New(args) = std::mem::replace(&mut this.step, Step::Done)
        {
            this.step = this.begin(args)?;
        }
        let sent = match &mut this.step {
            Step::Local(sending) => {
                ready!(Pin::new(sending).poll(cx)).map_err(|_| SendError::Lost(gone(this.portal)))
            }
            Step::Wire(peer, place) => {
                let written = ready!(peer.poll_cast(*place, cx));
                written.map_err(|loss| lost(peer, &loss))
            }
            Step::New(_) | Step::Done => Ok(()),
        };
        this.step = Step::Done;
        Poll::Ready(sent)
    }
}

impl<A: Actor, Args> Drop for CastCall<'_, A, Args> {
    fn drop(&mut self) {
        if let Step::Wire(peer, place) = &self.step {
            peer.drop_cast(*place);
        }
    }
}

fn refused(peer: &Peer, error: CastRefused) -> SendError {
    match error {
        CastRefused::Full => SendError::Full,
        CastRefused::Down(loss) => lost(peer, &loss),
    }
}

fn lost(peer: &Peer, loss: &Loss) -> SendError {
    SendError::Lost(peer.loss_error(loss))
}

fn gone<A: Actor>(portal: &Portal<A>) -> RemoteError {
    RemoteError::new(
        RemoteErrorKind::Lost,
        portal.id().clone(),
        "the actor has ended",
    )
}

impl<A: Actor, Args> fmt::Debug for CastCall<'_, A, Args> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = A::methods()
            .get(self.index as usize)
            .map_or("?", |method| method.name());
        write!(f, "CastCall({method} of {})", self.portal.id())
    }
}
