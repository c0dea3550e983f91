//! The payload of a Fail: see `tractor_ipc::fuzzing::fault`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tractor_ipc::fuzzing::fault(data));
