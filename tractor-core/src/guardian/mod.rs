//! Nothing outlives the tree: the guardian and the nanny, and the connections to them.
//!
//! ```text
//!  root process ──────────── nanny            subreaper; when the guardian ends it kills and reaps all it inherits
//!    │  │ lifeline             │ parent of
//!    │  └──────┐            guardian          OS parent of every process actor: forks, watches, kills, reaps
//!    │ data    │               │ parent of    one SEQPACKET connection to each process: spawn, signal → exit
//!    └─────── actor ───────────┘
//! ```
//!
//! Owns fork and exec, death signals, process groups, exit statuses, and the logical tree of processes
//! ([`table`], a pure machine). It must never run a runtime, wait for a peer, or touch randomness before a fork.
//! Guardian and nanny are this same image, re-executed, with one thread each.
//!
//! Invariants:
//! - GUARD-1: The logical parent of a process is the owner of the connection the request came on, never a field.
//! - GUARD-2: A process is reaped by the guardian alone, and its exit is told to its logical parent once, after all
//!   processes below it have been reaped.
//! - GUARD-3: When a process ends, every process below it is killed, at any depth.
//! - GUARD-4: The guardian never blocks on a peer: what a peer does not take is queued, and a peer with a full queue is
//!   not read.
//! - GUARD-5: Root gone, or nanny gone: everything is killed and reaped before the guardian leaves.

pub mod arm;
pub mod client;
pub mod nanny;
mod reader;
mod serve;
pub mod table;
pub mod title;
pub mod wire;

pub use client::{LinuxHost, for_this_process, image_learns_its_role, inherit, shutdown};

use std::time::Duration;

/// The root asks the guardian for a sign of life this often (DESIGN 15.6).
pub(crate) const PING_EVERY: Duration = Duration::from_secs(1);

/// Pings that may go unanswered before the guardian is taken for stopped and killed: with [`PING_EVERY`] two seconds.
pub(crate) const PINGS_MISSED_MAX: u32 = 2;

/// Ticks of [`PING_EVERY`] a guardian may take to start: a few milliseconds, or seconds under an emulator.
pub(crate) const START_TICKS_MAX: u32 = 10;

/// How long the nanny gives the guardian, once the root is gone, to kill and reap everything by itself: ten times what
/// it takes for a large tree; more only matters when it is stopped.
pub(crate) const SWEEP_GRACE: Duration = Duration::from_millis(50);

/// How long the root waits for guardian and nanny to leave before it kills them: they only reap.
pub(crate) const LEAVE: Duration = Duration::from_secs(2);

/// Longest record on a connection. The environment beyond it travels in a memory file: one record must fit the default
/// socket buffer (208 KiB) several times.
pub(crate) const RECORD_MAX: usize = 64 << 10;

/// Longest argument and environment block taken from a peer: what the kernel accepts at most for one exec.
pub(crate) const BLOCK_MAX: usize = 6 << 20;

/// Events queued for one peer above which its requests are not read (each request makes at most one answer; exits are
/// bounded by the processes it started).
pub(crate) const QUEUE_PAUSE: usize = 64;

/// Processes below one guardian: a quarter of the pids a small system has. Descriptors run out first where the limit
/// is low, which is an error of that one start.
pub(crate) const PROCESSES_MAX: usize = 8192;
