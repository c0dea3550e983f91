//! Replays the seed corpus, and every input a fuzzer ever found, through the fuzz targets' own entry points.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tractor_ipc::fuzzing;
use tractor_ipc::limits::MESSAGE_MAX;
use tractor_ipc::wire::codec::{self, Decoder};

fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(target);
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), fs::read(&path).unwrap())
        })
        .collect();
    inputs.sort();
    assert!(inputs.len() >= 5, "a corpus of {} is none", inputs.len());
    inputs
}

fn replay(target: &str, entry: impl Fn(&[u8])) {
    for (path, data) in inputs(target) {
        println!("{path}");
        entry(&data);
        for cut in 0..data.len().min(200) {
            entry(&data[..cut]);
        }
    }
}

#[test]
fn frames_replay() {
    replay("frame", fuzzing::frame);
}

#[test]
fn messages_replay() {
    replay("msg", fuzzing::msg);
}

#[test]
fn greetings_replay() {
    replay("hello", fuzzing::hello);
}

#[test]
fn faults_replay() {
    replay("fault", fuzzing::fault);
}

/// A new message needs a seed, or the fuzzer has to guess it.
#[test]
fn every_message_has_a_seed() {
    let mut missing: BTreeSet<_> = MESSAGES.into_iter().collect();
    for (path, data) in inputs("msg") {
        let mut decoder = Decoder::new(MESSAGE_MAX);
        let room = decoder.room();
        room.extend_from_slice(&(data.len() as u32 + 1).to_le_bytes());
        room.extend_from_slice(&[0]);
        room.extend_from_slice(&data);
        match decoder.decode() {
            Ok(Some((msg, _))) => drop(missing.remove(codec::name(&msg))),
            Ok(None) => panic!("{path} is not whole"),
            Err(_) => assert!(path.contains("bad"), "{path} should decode"),
        }
    }
    assert!(
        missing.is_empty(),
        "no seed in tests/corpus/msg for {missing:?}"
    );
}

/// The names of all messages; `codec::name` matches exhaustively, and says so when one is added.
const MESSAGES: [&str; 18] = [
    "Start",
    "StartAck",
    "Started",
    "Yield",
    "Credit",
    "Stop",
    "Return",
    "Fail",
    "Cancel",
    "CancelAck",
    "Cast",
    "SpawnSpec",
    "Ready",
    "Drain",
    "Ended",
    "Ping",
    "Pong",
    "Bye",
];
