//! Every bound of the wire, each with the reason for its value.

/// Longest message: head and payload together, once its parts are joined (option of a node; 16 MiB holds any value one
/// should send in one piece, and a peer cannot make us hold more than this per dialog).
pub const MESSAGE_MAX: usize = 16 << 20;

/// Longest payload of one frame. A longer message travels in parts, so that a control message waits for at most one
/// such part; 64 KiB is what one write to a Unix socket moves without stalling. A value of that many bytes has a few more
/// once it is encoded (its length, the tag of a variant around it), and need not be cut for them.
pub const FRAME_PAYLOAD_MAX: usize = (64 << 10) + 64;

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

/// Values a stream's window may grow to while its reader keeps up: sixteen times the usual one, so that the round trip of
/// a credit is shared by 512 values and costs each about as much as its own way through a socket.
pub const STREAM_WINDOW_GROWN: u32 = 1024;

/// Bytes a stream's window may hold of values like those that came last, for it to grow: what is queued on a channel
/// before senders wait. Larger values gain nothing by a larger window.
pub const STREAM_WINDOW_BYTES: u64 = WRITE_HIGH_WATER as u64;

/// Largest window a peer may grant: keeps credit sums far from overflow.
pub const WINDOW_MAX: u32 = 1 << 20;

/// Dialogs open at once over one link inside a tree.
pub const DIALOGS_MAX: usize = 65_536;

/// Bytes queued for writing on one channel above which senders of data wait: four of the largest frames, so that the
/// flusher always has the next write ready.
pub const WRITE_HIGH_WATER: usize = 256 << 10;

/// Bytes asked of the socket in one read on a busy link: one of the largest frames and most of a second.
pub const READ_CHUNK_MAX: usize = 128 << 10;

/// Bytes of a frame before its content: length, flags and, for a part, the message's number.
pub const FRAME_HEADER_MAX: usize = 4 + 1 + 4;

/// Longest frame behind its length field: flags, number, the longest head and the longest payload of one frame.
pub const FRAME_MAX: usize = 1 + 4 + HEAD_MAX + FRAME_PAYLOAD_MAX;

/// Messages of one link that may be in parts at once: a sender needs one for each size class it interleaves, not one
/// for each dialog, and every one of them may hold up to a whole message here.
pub const ASSEMBLIES_MAX: usize = 64;

/// Longest catalogue fingerprint in bytes: build ids have 20, hashes at most 64.
pub const CATALOG_MAX: usize = 64;

/// Payloads from here on are cut out of the read buffer without a copy; a smaller one is copied, because keeping it
/// would keep the buffer around it (at most 16 times its size at this value), and copying this much costs less than
/// the allocation behind it.
pub const PAYLOAD_SHARED_MIN: usize = 16 << 10;

/// Bytes asked of the socket in one read on a link that has been quiet: what an idle link keeps.
pub const READ_CHUNK_MIN: usize = 8 << 10;

/// Capacity an emptied write buffer may keep: twice what is queued before senders wait. One large message does not
/// stay behind as memory of its link for ever.
pub const WRITE_BUFFER_KEEP: usize = 2 * WRITE_HIGH_WATER;
