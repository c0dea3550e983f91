//! The open descriptors of a case's process, before its tree and after it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{Timespec, poll};

use super::running::report_left;
use crate::host::stderr;
use crate::node::kept_for_signals;

/// Number and target of every open descriptor.
pub(super) type Open = BTreeMap<i32, PathBuf>;

/// Threads that hold the last descriptors end by themselves, soon after what they serve.
const LOOKS: usize = 200;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Every descriptor this process has open now.
pub(super) fn open() -> Open {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten();
    let numbers = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let numbers: Vec<i32> = numbers.collect();
    // That of the listing itself has been closed again.
    let target = |number: &i32| fs::read_link(format!("/proc/self/fd/{number}")).ok();
    numbers
        .iter()
        .filter_map(|number| Some((*number, target(number)?)))
        .collect()
}

/// Tells the harness of every descriptor that was not open before; the pump of the children's standard error and what waits
/// for signals are the process's own until its end.
pub(super) fn report(before: &Open) {
    let mut left = Open::new();
    for _ in 0..LOOKS {
        left = open();
        left.retain(|number, target| before.get(number) != Some(target));
        left.retain(|number, _| Some(*number) != stderr::kept());
        left.retain(|number, _| !kept_for_signals().contains(number));
        if left.is_empty() {
            return;
        }
        let pause = Timespec::try_from(PAUSE).ok();
        let _ready = poll(&mut [], pause.as_ref());
    }
    for (number, target) in left {
        report_left(format_args!("{number} -> {}", target.display()));
    }
}
