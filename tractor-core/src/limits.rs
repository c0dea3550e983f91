//! Every bound and every default duration of the runtime, each with the reason for its value. Those of the wire are in
//! [`tractor_ipc::limits`].

use std::time::Duration;

/// Requests waiting in one actor's mailbox from its own process before senders wait (upstream's buffer: 64).
pub const MAILBOX: usize = 64;

/// How long a normal end may drain before the actor is asked to cancel.
pub const DRAIN: Duration = Duration::from_secs(5);

/// How long a cancel request may stay unanswered before the next rung (upstream: 0.5 s).
pub const CANCEL_ACCEPT: Duration = Duration::from_millis(500);

/// From an unanswered cancel request to SIGKILL.
pub const CANCEL_UNANSWERED_KILL: Duration = Duration::from_secs(1);

/// How long an actor that accepted its cancel may take to end (upstream: 1.6 s).
pub const LADDER_LEFT: Duration = Duration::from_millis(1_600);

/// From SIGTERM to SIGKILL.
pub const TERMINATE_TO_KILL: Duration = Duration::from_millis(500);

/// Longest teardown of all children of a nursery together, from the cancel request (upstream: 3 s).
pub const NURSERY_CAP: Duration = Duration::from_secs(3);

/// How long a child may take from its start to its handshake: a cold start is a few milliseconds; this leaves room for a
/// machine that swaps.
pub const BOOT: Duration = Duration::from_secs(10);

/// How long the handshake itself may take once the child is there (DESIGN 10).
pub const HANDSHAKE: Duration = Duration::from_secs(2);

/// How long the `#[init]` of an actor may take.
pub const INIT: Duration = Duration::from_secs(60);

/// How long the end of a link to a child waits for the child's exit status, so that callers learn how it died and not
/// only that it did. The guardian reports an exit within a millisecond or two.
pub const LOSS_STATUS: Duration = Duration::from_millis(100);

/// How long a dialog that was cancelled and acknowledged may take before its block gives up waiting.
pub const DIALOG_CANCEL: Duration = Duration::from_secs(3);

/// How long a node that ends waits for its last bytes to be written.
pub const FLUSH: Duration = Duration::from_millis(500);

/// Bytes kept of what a child wrote last to its standard error (upstream keeps 16 KiB of a subprocess).
pub const STDERR_TAIL: usize = 4 << 10;

/// Bytes of a fault beside its first node's own value: what goes over it is left out and counted. A sixteenth of the longest
/// message, so that a fault always fits one.
pub const FAULT_BYTES: usize = tractor_ipc::limits::MESSAGE_MAX / 16;

/// Bytes a buffer that values are encoded in keeps between two of them, and below which a value is copied out of it: where
/// copying costs more than an allocation.
pub const SCRATCH_MAX: usize = 16 << 10;

/// Bytes of a rendered error text.
pub const ERROR_TEXT: usize = tractor_ipc::limits::FAULT_TEXT_MAX;

/// Arguments of one method: serde implements tuples up to sixteen; twelve is what a signature can bear.
pub const ARGUMENTS: usize = 12;

/// Passes over one type while its shape is found. Each sees at least one variant more, or one sample refused.
pub const SHAPE_PASSES: usize = 4 << 10;

/// Values read in all passes over one type: some milliseconds of work, where a usual type takes some hundred values.
pub const SHAPE_VALUES: usize = 1 << 18;

/// Values within values while a shape is found: the type's own code runs at each level, on the caller's stack.
pub const SHAPE_DEPTH: usize = 128;

/// Samples that may be refused in a row: a length and a leaf below it (13 × 18) can be tried in full.
pub const SHAPE_REFUSALS: usize = 256;

/// Program headers of an image that are looked at for its build id; a linker writes about a dozen.
pub const IMAGE_HEADERS: u64 = 256;

/// Bytes of one segment of notes that are looked at; the build id is among its first hundred.
pub const IMAGE_NOTES: u64 = 64 << 10;

/// Bytes of a build id: from those of the shortest hash a linker makes to those a handshake carries. A shorter one was
/// set by hand and tells too little.
pub const BUILD_ID: std::ops::RangeInclusive<usize> = 8..=64;
