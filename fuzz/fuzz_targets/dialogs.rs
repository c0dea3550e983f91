//! What a peer sends that has been let in: see `tractor_core::fuzzing::dialogs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tractor_core::fuzzing::dialogs(data));
