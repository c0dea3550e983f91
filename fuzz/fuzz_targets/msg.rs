//! One message: see `tractor_ipc::fuzzing::msg`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tractor_ipc::fuzzing::msg(data));
