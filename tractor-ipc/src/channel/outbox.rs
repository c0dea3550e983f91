//! What is queued on a link: two lanes of encoded frames, and the batch being written. Plain data, no lock.

use std::io::IoSlice;
use std::ops::Range;

use super::{Lane, LinkLimits, LinkStatistics};
use crate::id::Cid;
use crate::limits::WRITE_BUFFER_KEEP;
use crate::msg::{Msg, Ping};
use crate::wire::codec::{EncodeError, Encoder};

/// Frames queued and not yet taken by the flusher.
#[derive(Debug)]
pub(super) struct Outbox {
    encoder: Encoder,
    control: Vec<u8>,
    /// The answer to the newest ping, encoded when it is taken: a peer that asks faster than it reads is answered once,
    /// so that a flood of pings costs it its own time and us no memory.
    pong: Option<Ping>,
    data: Vec<u8>,
    /// Where the `Start`s in `data` lie, in order.
    starts: Vec<StartMark>,
    write_high_water: usize,
    statistics: LinkStatistics,
}

#[derive(Debug)]
struct StartMark {
    cid: Cid,
    bytes: Range<usize>,
    frames: u32,
}

impl Outbox {
    pub(super) fn new(limits: LinkLimits, parts: bool) -> Self {
        Self {
            encoder: Encoder::new(limits.message_max, parts),
            control: Vec::new(),
            pong: None,
            data: Vec::new(),
            starts: Vec::new(),
            write_high_water: limits.write_high_water,
            statistics: LinkStatistics::default(),
        }
    }

    pub(super) fn set_message_max(&mut self, message_max: usize) {
        self.encoder.set_message_max(message_max);
    }

    /// Queues a message behind what its lane holds; nothing is queued on an error.
    pub(super) fn push(
        &mut self,
        lane: Lane,
        msg: &Msg,
        payload: &[u8],
    ) -> Result<(), EncodeError> {
        if let Msg::Pong(pong) = msg {
            self.pong = Some(*pong);
            return Ok(());
        }
        self.append(lane, msg, payload)
    }

    fn append(&mut self, lane: Lane, msg: &Msg, payload: &[u8]) -> Result<(), EncodeError> {
        let queue = match lane {
            Lane::Control => &mut self.control,
            Lane::Data => &mut self.data,
        };
        let from = queue.len();
        let frames = self.encoder.encode(queue, msg, payload)?;
        let bytes = from..queue.len();
        self.statistics.messages += 1;
        self.statistics.frames += u64::from(frames);
        self.statistics.bytes += bytes.len() as u64;
        if let (Lane::Data, Msg::Start(start)) = (lane, msg) {
            let cid = start.cid;
            self.starts.push(StartMark { cid, bytes, frames });
        }
        Ok(())
    }

    /// Takes the `Start` of this dialog back, if it has not been taken by the flusher.
    pub(super) fn retract(&mut self, cid: Cid) -> bool {
        let Some(index) = self.starts.iter().rposition(|mark| mark.cid == cid) else {
            return false;
        };
        let StartMark { bytes, frames, .. } = self.starts.remove(index);
        self.data.drain(bytes.clone());
        for later in &mut self.starts[index..] {
            later.bytes.start -= bytes.len();
            later.bytes.end -= bytes.len();
        }
        self.statistics.messages -= 1;
        self.statistics.retracted += 1;
        self.statistics.frames -= u64::from(frames);
        self.statistics.bytes -= bytes.len() as u64;
        true
    }

    /// Moves everything into an empty batch; false if there is nothing.
    pub(super) fn take(&mut self, batch: &mut Batch) -> bool {
        debug_assert!(
            batch.is_done(),
            "a batch is written whole before the next is taken"
        );
        if let Some(pong) = self.pong.take() {
            let appended = self.append(Lane::Control, &Msg::Pong(pong), &[]);
            debug_assert!(appended.is_ok(), "a number always fits a frame");
        }
        if self.control.is_empty() && self.data.is_empty() {
            return false;
        }
        batch.clear();
        std::mem::swap(&mut self.control, &mut batch.control);
        std::mem::swap(&mut self.data, &mut batch.data);
        self.starts.clear();
        true
    }

    /// Forgets everything that is queued.
    pub(super) fn discard(&mut self) {
        self.control = Vec::new();
        self.pong = None;
        self.data = Vec::new();
        self.starts = Vec::new();
    }

    pub(super) fn has_room(&self) -> bool {
        self.data.len() < self.write_high_water
    }

    pub(super) fn count_writes(&mut self, writes: u64) {
        self.statistics.writes = writes;
    }

    pub(super) fn statistics(&self) -> LinkStatistics {
        LinkStatistics {
            queued: self.control.len() + self.data.len(),
            ..self.statistics
        }
    }
}

/// What the flusher is writing: control first, then data.
#[derive(Debug, Default)]
pub(super) struct Batch {
    control: Vec<u8>,
    data: Vec<u8>,
    written: usize,
}

impl Batch {
    pub(super) fn is_done(&self) -> bool {
        self.written == self.control.len() + self.data.len()
    }

    /// What is still to be written, in order.
    pub(super) fn rest(&self) -> (&[u8], &[u8]) {
        match self.control.get(self.written..) {
            Some(control) => (control, &self.data),
            None => (&[], &self.data[self.written - self.control.len()..]),
        }
    }

    pub(super) fn advance(&mut self, written: usize) {
        self.written += written;
    }

    fn clear(&mut self) {
        for buffer in [&mut self.control, &mut self.data] {
            buffer.clear();
            buffer.shrink_to(WRITE_BUFFER_KEEP);
        }
        self.written = 0;
    }
}

/// Two slices as a vectored write takes them.
pub(super) fn slices<'a>(rest: (&'a [u8], &'a [u8])) -> [IoSlice<'a>; 2] {
    [IoSlice::new(rest.0), IoSlice::new(rest.1)]
}
