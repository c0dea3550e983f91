//! A byte stream, cut into pieces: see `tractor_ipc::fuzzing::frame`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tractor_ipc::fuzzing::frame(data));
