//! The mailbox against what it is: one queue of items with places, and some that wait for one.

use proptest::prelude::*;

use super::super::*;
use super::poll;

#[derive(Clone, Debug)]
enum Op {
    TrySend,
    Push,
    Wait,
    Poll(usize),
    StopWaiting(usize),
    Recv,
    Remove(u32),
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        120 => Just(Op::TrySend),
        40 => Just(Op::Push),
        80 => Just(Op::Wait),
        60 => (0usize..8).prop_map(Op::Poll),
        40 => (0usize..8).prop_map(Op::StopWaiting),
        200 => Just(Op::Recv),
        40 => (0u32..100).prop_map(Op::Remove),
        1 => Just(Op::Close),
    ]
}

/// A mailbox of numbers, in the order they are made, and its model.
struct Pair<'a> {
    sender: &'a Sender<u32>,
    receiver: Receiver<u32>,
    waits: VecDeque<(u32, Sending<&'a Sender<u32>, u32>)>,
    capacity: usize,
    /// Each with whether it takes room.
    queue: VecDeque<(u32, bool)>,
    waiting: VecDeque<u32>,
    closed: bool,
}

impl Pair<'_> {
    fn bounded(&self) -> usize {
        self.queue.iter().filter(|(_, bounded)| *bounded).count()
    }

    fn step(&mut self, op: &Op, n: u32) -> Result<(), TestCaseError> {
        match op {
            Op::TrySend => self.try_send(n),
            Op::Push => self.push(n),
            Op::Wait => self.wait(n),
            Op::Poll(pick) => self.poll(*pick),
            Op::StopWaiting(pick) => self.stop_waiting(*pick),
            Op::Recv => self.recv(),
            Op::Remove(wanted) => self.remove(*wanted),
            Op::Close => {
                self.sender.close();
                self.closed = true;
                Ok(())
            }
        }
    }

    fn try_send(&mut self, n: u32) -> Result<(), TestCaseError> {
        let full = !self.waiting.is_empty() || self.bounded() == self.capacity;
        let expected = match (self.closed, full) {
            (true, _) => Err(TrySendError::Closed(n)),
            (false, true) => Err(TrySendError::Full(n)),
            (false, false) => {
                self.queue.push_back((n, true));
                Ok(())
            }
        };
        prop_assert_eq!(self.sender.try_send(n), expected);
        Ok(())
    }

    fn push(&mut self, n: u32) -> Result<(), TestCaseError> {
        let expected = if self.closed { Err(Closed(n)) } else { Ok(()) };
        prop_assert_eq!(self.sender.push_unbounded(n), expected);
        if !self.closed {
            self.queue.push_back((n, false));
        }
        Ok(())
    }

    fn wait(&mut self, n: u32) -> Result<(), TestCaseError> {
        let mut sending = self.sender.send(n);
        match poll(&mut sending) {
            Poll::Ready(Ok(())) => {
                prop_assert!(!self.closed && self.waiting.is_empty());
                self.queue.push_back((n, true));
            }
            Poll::Ready(Err(Closed(back))) => prop_assert!(self.closed && back == n),
            Poll::Pending => {
                prop_assert!(!self.closed);
                self.waiting.push_back(n);
                self.waits.push_back((n, sending));
            }
        }
        Ok(())
    }

    fn poll(&mut self, pick: usize) -> Result<(), TestCaseError> {
        let pick = pick % self.waits.len().max(1);
        let Some((n, mut sending)) = self.waits.remove(pick) else {
            return Ok(());
        };
        let place = self.waiting.iter().position(|it| *it == n);
        match (poll(&mut sending), place) {
            (Poll::Ready(Ok(())), None) => {}
            (Poll::Ready(Err(Closed(back))), Some(place)) => {
                prop_assert!(self.closed && back == n);
                self.waiting.remove(place);
            }
            (Poll::Pending, Some(_)) => self.waits.push_back((n, sending)),
            (outcome, place) => prop_assert!(false, "{outcome:?} with {place:?}"),
        }
        Ok(())
    }

    fn stop_waiting(&mut self, pick: usize) -> Result<(), TestCaseError> {
        let pick = pick % self.waits.len().max(1);
        if let Some((n, sending)) = self.waits.remove(pick) {
            drop(sending);
            self.waiting.retain(|it| *it != n);
        }
        Ok(())
    }

    fn recv(&mut self) -> Result<(), TestCaseError> {
        let received = self.receiver.try_recv();
        self.promote();
        let nothing = if self.closed {
            TryRecvError::Closed
        } else {
            TryRecvError::Empty
        };
        let expected = self.queue.pop_front().map(|(n, _)| n).ok_or(nothing);
        prop_assert_eq!(received, expected);
        Ok(())
    }

    fn remove(&mut self, wanted: u32) -> Result<(), TestCaseError> {
        let place = self.queue.iter().position(|(n, _)| *n == wanted);
        let expected = place
            .and_then(|place| self.queue.remove(place))
            .map(|(n, _)| n);
        prop_assert_eq!(self.sender.remove(|n| *n == wanted), expected);
        Ok(())
    }

    /// Whoever waits no longer was let in, from the front.
    fn promote(&mut self) {
        let let_in = self.waiting.len() - self.sender.0.queue.lock().waiting.len();
        self.queue
            .extend(self.waiting.drain(..let_in).map(|n| (n, true)));
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.sender.len(), self.queue.len());
        prop_assert!(self.bounded() <= self.capacity);
        let room = self.capacity - self.bounded();
        let step = (self.capacity / PROMOTE_PARTS).max(1);
        prop_assert!(self.closed || self.waiting.is_empty() || room < step);
        Ok(())
    }
}

proptest! {
    /// `MBX-1` to `MBX-5`.
    #[test]
    fn it_behaves_as_its_model(capacity in 1usize..12, ops in prop::collection::vec(op(), 0..120)) {
        let (sender, receiver) = mailbox(capacity);
        let mut pair = Pair {
            sender: &sender,
            receiver,
            waits: VecDeque::new(),
            capacity,
            queue: VecDeque::new(),
            waiting: VecDeque::new(),
            closed: false,
        };
        for (op, n) in ops.iter().zip(0..) {
            pair.step(op, n)?;
            pair.promote();
            pair.check()?;
        }
        sender.close();
        let rest = std::iter::from_fn(|| pair.receiver.try_recv().ok());
        prop_assert!(rest.eq(pair.queue.iter().map(|(n, _)| *n)));
    }
}
