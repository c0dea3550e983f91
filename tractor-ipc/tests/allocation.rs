//! Memory under hostile input: what a decoder allocates follows what it received, never what it was told.
//!
//! A binary of its own, as it counts every allocation of its process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;

use tractor_ipc::limits::{FRAME_MAX, HEAD_MAX, MESSAGE_MAX};
use tractor_ipc::wire::codec::{Decoder, decode_fault, decode_handshake};

struct Largest;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

#[allow(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: hands every request to the system's allocator as it is.
unsafe impl GlobalAlloc for Largest {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Threads that end have no place to count any more, and allocate nothing of interest.
        let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(layout.size())));
        // SAFETY: the caller's promises are the system allocator's conditions.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above, and the block came from there.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Largest = Largest;

/// The largest single allocation `work` makes.
fn largest(work: impl FnOnce()) -> usize {
    LARGEST.set(0);
    work();
    LARGEST.get()
}

/// A frame of one message with this content.
fn frame(content: &[u8]) -> Vec<u8> {
    let mut frame = (content.len() as u32 + 1).to_le_bytes().to_vec();
    frame.push(0);
    frame.extend_from_slice(content);
    frame
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(target);
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

/// `WIRE-1`: every length of a good message replaced by a huge one, at every byte, with what follows left as it is.
#[test]
fn lengths_from_outside_allocate_nothing() {
    let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    let vandalised = |data: &[u8], at: usize| [&data[..at], &huge, &data[at + 1..]].concat();
    let mut tried = 0;
    let mut check = |what: &str, data: &[u8], decode: &dyn Fn(&[u8])| {
        let allowed = ALLOWED + 64 * data.len();
        let worst = largest(|| decode(data));
        assert!(
            worst <= allowed,
            "{what}: {worst} bytes at once for {}",
            data.len()
        );
        tried += 1;
    };
    for seed in corpus("msg") {
        for at in 0..seed.len() {
            let stream = frame(&vandalised(&seed, at));
            check("message", &stream, &|data| {
                let mut decoder = Decoder::new(MESSAGE_MAX);
                decoder.room().extend_from_slice(data);
                drop(decoder.decode());
            });
        }
    }
    for seed in corpus("hello") {
        for at in 0..seed.len().saturating_sub(4) {
            let body = vandalised(&seed[4..], at);
            check("greeting", &body, &|data| drop(decode_handshake(data)));
        }
    }
    for seed in corpus("fault") {
        for at in 0..seed.len().min(300) {
            let payload = vandalised(&seed, at);
            check("fault", &payload, &|data| drop(decode_fault(data)));
        }
    }
    assert!(tried > 1000, "{tried}");
    let length = largest(|| {
        let mut decoder = Decoder::new(MESSAGE_MAX);
        decoder
            .room()
            .extend_from_slice(&(FRAME_MAX as u32).to_le_bytes());
        assert!(matches!(decoder.decode(), Ok(None)));
        decoder.room();
    });
    assert!(length <= ALLOWED, "{length} bytes for a length field");
}

/// What a decoder may allocate at once whatever it was sent: its read buffer.
const ALLOWED: usize = 3 * HEAD_MAX;
