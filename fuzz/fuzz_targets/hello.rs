//! One frame of the handshake: see `tractor_ipc::fuzzing::hello`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tractor_ipc::fuzzing::hello(data));
