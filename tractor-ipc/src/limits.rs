//! Every bound of the wire, each with the reason for its value.

/// Longest message: head and payload together, once its parts are joined (option of a node; 16 MiB holds any value one
/// should send in one piece, and a peer cannot make us hold more than this per dialog).
pub const MESSAGE_MAX: usize = 16 << 20;

/// Longest payload of one frame. A longer message travels in parts, so that a control message waits for at most one
/// such part; 64 KiB is what one write to a Unix socket moves without stalling.
pub const FRAME_PAYLOAD_MAX: usize = 64 << 10;

/// Longest head of one frame: a full exclusive chain of the longest names (32 × 82 bytes), the longest function name
/// and the fixed fields fit.
pub const HEAD_MAX: usize = 8 << 10;

/// Longest frame body before the peer is authenticated.
pub const HANDSHAKE_FRAME_MAX: usize = 4 << 10;

/// Longest actor name in bytes: fits a process title and a log column.
pub const NAME_MAX: usize = 64;

/// Longest name of a function on the wire in bytes (`module::path::function`).
pub const FUNCTION_NAME_MAX: usize = 512;

/// Nodes of one fault tree; what is cut is counted in the fault.
pub const FAULT_NODES_MAX: usize = 256;

/// Depth of one fault tree.
pub const FAULT_DEPTH_MAX: usize = 32;

/// Bytes of one text of a fault (a message, one link of a chain).
pub const FAULT_TEXT_MAX: usize = 4 << 10;

/// Links of one source chain of a fault.
pub const FAULT_CHAIN_MAX: usize = 16;

/// Hops of one relay path of a fault.
pub const FAULT_RELAY_MAX: usize = 32;

/// Actors in an exclusive chain; a longer one is refused with `TooDeep`.
pub const CHAIN_MAX: usize = 32;

/// Requests (`Start`, `Cast`) an actor accepts from one link before they are taken up, unless its node says otherwise.
pub const REQUEST_WINDOW: u32 = 64;

/// Values one direction of a stream may have under way, unless the reader says otherwise (upstream's buffer: 64).
pub const STREAM_WINDOW: u32 = 64;

/// Largest window a peer may grant: keeps credit sums far from overflow.
pub const WINDOW_MAX: u32 = 1 << 20;

/// Dialogs open at once over one link inside a tree.
pub const DIALOGS_MAX: usize = 65_536;

/// Bytes queued for writing on one channel above which senders of data wait: four of the largest frames, so that the
/// flusher always has the next write ready.
pub const WRITE_HIGH_WATER: usize = 256 << 10;

/// Bytes asked of the socket in one read.
pub const READ_CHUNK: usize = 64 << 10;
