//! `cargo xtask ci`: everything a change has to pass, in order, stopping at the first failure.
//!
//! A test that lacks a privilege writes `skipped: needs …` to standard error (past the capture of
//! the test harness: `std::io::stderr().write_all`) and passes; the last line counts those.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::tidy;

/// What the README tells a newcomer to run.
const TEST_COMMAND: &str = "cargo test --workspace --locked";

/// How a test says that it lacked something.
const SKIPPED: &str = "skipped: needs ";

enum Step {
    Tidy,
    /// A cargo command, with variables of the environment.
    Cargo(&'static str, &'static [(&'static str, &'static str)]),
    /// The process tests once more, under nextest, where that is installed.
    Nextest,
    /// The README's command, with its skips counted.
    Tests,
}

const STEPS: [(&str, Step); 10] = [
    ("format", Step::Cargo("fmt --all --check", &[])),
    ("tidy", Step::Tidy),
    (
        "clippy",
        Step::Cargo(
            "clippy --workspace --all-targets --all-features --locked -- -D warnings",
            &[],
        ),
    ),
    (
        "rustdoc",
        Step::Cargo(
            "doc --workspace --no-deps --all-features --document-private-items --locked",
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
    ),
    (
        "no features",
        Step::Cargo(
            "check --workspace --lib --no-default-features --locked",
            &[],
        ),
    ),
    (
        "all features",
        Step::Cargo("check --workspace --lib --all-features --locked", &[]),
    ),
    (
        "loom models",
        Step::Cargo(
            "test --package tractor-core --lib --release --locked --target-dir target/loom loom_",
            &[
                ("RUSTFLAGS", "--cfg tractor_loom"),
                ("LOOM_MAX_PREEMPTIONS", "3"),
            ],
        ),
    ),
    (
        "release",
        Step::Cargo("run --release --locked --example quickstart", &[]),
    ),
    ("nextest", Step::Nextest),
    ("tests", Step::Tests),
];

/// Runs every step on the workspace at `root`.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let start = now();
    let mut skipped = 0;
    for (at, (name, step)) in STEPS.iter().enumerate() {
        println!("== {}/{} {name}", at + 1, STEPS.len());
        let step_start = now();
        match step {
            Step::Tidy => tidy::run(root)?,
            Step::Cargo(args, env) => {
                let mut command = cargo(root, args);
                finish(name, command.envs(env.iter().copied()).status())?;
            }
            Step::Nextest => nextest(root)?,
            Step::Tests => skipped = tests(root)?,
        }
        println!("   {name}: {:.1} s", step_start.elapsed().as_secs_f32());
    }
    println!(
        "ci: passed in {:.0} s; tests skipped for lack of something: {skipped}",
        start.elapsed().as_secs_f32()
    );
    Ok(())
}

fn nextest(root: &Path) -> Result<(), String> {
    let mut probe = cargo(root, "nextest --version");
    let probe = probe.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("   cargo-nextest is not installed: process tests run under libtest alone");
        return Ok(());
    }
    finish(
        "nextest",
        cargo(root, "nextest run --workspace --locked --profile processes").status(),
    )
}

/// Runs the README's command, passes on what it prints, and counts the tests that were skipped.
fn tests(root: &Path) -> Result<usize, String> {
    let args = TEST_COMMAND.trim_start_matches("cargo ");
    let mut child = cargo(root, args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("tests: cannot run cargo: {e}"))?;
    let out = child
        .stdout
        .take()
        .map(|pipe| thread::spawn(move || relay(pipe, io::stdout())));
    let err = child
        .stderr
        .take()
        .map(|pipe| thread::spawn(move || relay(pipe, io::stderr())));
    let skipped = [out, err]
        .into_iter()
        .flatten()
        .map(|pump| pump.join().unwrap_or(0))
        .sum();
    finish("tests", child.wait())?;
    Ok(skipped)
}

/// Copies lines until the pipe's end; returns how many of them tell of a skipped test.
fn relay(from: impl Read, mut to: impl Write) -> usize {
    let mut skipped = 0;
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        skipped += usize::from(String::from_utf8_lossy(&line).contains(SKIPPED));
        // Nobody reads our output any more: the tests decide all the same.
        let _ = to.write_all(&line).and_then(|()| to.write_all(b"\n"));
    }
    skipped
}

fn cargo(root: &Path, args: &str) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args.split(' ')).current_dir(root);
    command
}

fn finish(name: &str, status: io::Result<std::process::ExitStatus>) -> Result<(), String> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("ci: {name} failed ({status})")),
        Err(e) => Err(format!("ci: {name}: cannot run cargo: {e}")),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "no node runs here; the seconds are for the person who waits"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_test_command() {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
        let readme = std::fs::read_to_string(readme).unwrap();
        assert!(readme.lines().any(|line| line.trim() == TEST_COMMAND));
    }

    #[test]
    fn skipped_tests_are_counted_and_every_line_is_passed_on() {
        let text = b"test a ... ok\ntest b ... skipped: needs a time namespace\nok\n";
        let mut out = Vec::new();
        assert_eq!(relay(&text[..], &mut out), 1);
        assert_eq!(out, text);
    }
}
