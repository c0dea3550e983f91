//! Signs one process of a case gives and another waits for: files in the folder of the case, which all of them share.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};

/// Gives a sign. Giving it again changes nothing.
pub(crate) fn give(sign: &str) {
    fs::write(path(sign), []).unwrap();
}

/// Takes a sign back.
pub(crate) fn take_back(sign: &str) {
    fs::remove_file(path(sign)).unwrap();
}

/// Writes one more line in a sign.
pub(crate) fn write_line(sign: &str, line: &str) {
    let file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path(sign));
    file.unwrap()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

/// What is written in a sign.
pub(crate) fn read(sign: &str) -> String {
    fs::read_to_string(path(sign)).unwrap()
}

/// Whether the sign has been given.
pub(crate) fn given(sign: &str) -> bool {
    path(sign).exists()
}

/// How many signs have been given whose names begin like this.
pub(crate) fn count(prefix: &str) -> usize {
    let names = fs::read_dir(std::env::temp_dir()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_str().is_some_and(|name| name.starts_with(prefix)))
        .count()
}

/// Blocks this thread until the sign has been given. The case's time bounds it.
pub(crate) fn block_on(sign: &str) {
    block_until(|| given(sign));
}

/// Blocks this thread until something is written in the sign.
pub(crate) fn block_until_written(sign: &str) {
    block_until(|| given(sign) && !read(sign).is_empty());
}

/// Blocks this thread until so many signs have been given.
pub(crate) fn block_on_all(prefix: &str, many: usize) {
    block_until(|| count(prefix) >= many);
}

/// Blocks this thread for so long.
pub(crate) fn block_for(span: Duration) {
    let end = now() + span;
    block_until(|| now() >= end);
}

/// Blocks this thread until the process has died and been reaped.
pub(crate) fn block_on_death_of(pid: u32) {
    block_until(|| !PathBuf::from(format!("/proc/{pid}")).exists());
}

/// Waits until the sign has been given.
pub(crate) async fn seen(sign: &str) {
    let sign = sign.to_owned();
    let waiting = tokio::task::spawn_blocking(move || block_on(&sign));
    waiting.await.unwrap();
}

/// Waits until so many signs have been given.
pub(crate) async fn seen_all(prefix: &str, many: usize) {
    let prefix = prefix.to_owned();
    let waiting = tokio::task::spawn_blocking(move || block_on_all(&prefix, many));
    waiting.await.unwrap();
}

/// Gives its sign when it is dropped.
#[derive(Debug)]
pub(crate) struct OnDrop(pub(crate) String);

impl Drop for OnDrop {
    fn drop(&mut self) {
        give(&self.0);
    }
}

/// Waits until what is true soon is true, with everything else of this runtime going on.
pub(crate) async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}

/// How long something takes.
pub(crate) async fn took<F: Future>(what: F) -> (F::Output, Duration) {
    let start = now();
    let output = what.await;
    (output, start.elapsed())
}

/// The time.
#[expect(clippy::disallowed_methods, reason = "measures real processes")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Blocks this thread while something is so.
pub(crate) fn block_while(what: impl Fn() -> bool) {
    block_until(|| !what());
}

fn block_until(what: impl Fn() -> bool) {
    let pause = Timespec::try_from(Duration::from_millis(1)).unwrap();
    while !what() {
        let _ready = poll(&mut [], Some(&pause));
    }
}

/// Where a sign is.
pub(crate) fn path(sign: &str) -> PathBuf {
    std::env::temp_dir().join(sign)
}
