//! A test in its three processes.

use std::future::Future;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio, Termination};
use std::time::Duration;

use rustix::process::set_child_subreaper;

use super::census::{self, Left};
use super::descriptors;
use super::running::{PATIENCE, Running, bid_farewell, ends_well};
use crate::boot::{self, Flavor, MainOptions};

/// Says which of the three a process is.
const LEVEL: &str = "TRACTOR_TEST_LEVEL";

/// Marks every process of one run of one case, whatever it does to its parents.
pub(super) const MARK: &str = "TRACTOR_TEST_MARK";

/// How often a case with trials is run, instead of as often as it says.
const TRIALS: &str = "TRACTOR_TEST_TRIALS";

/// A test whose case does everything by itself and ends well; nothing may be left.
pub fn case<F: Future>(name: &'static str, body: impl FnOnce() -> F)
where
    F::Output: Termination,
{
    Case::new(name).run(body, ends_well);
}

/// A test whose case is driven from outside by `script`; nothing may be left.
pub fn case_with<F: Future>(
    name: &'static str,
    body: impl FnOnce() -> F,
    script: impl FnMut(&mut Running),
) where
    F::Output: Termination,
{
    Case::new(name).run(body, script);
}

/// A test to be.
#[derive(Debug)]
#[must_use = "a case is nothing until it is run"]
pub struct Case {
    name: &'static str,
    flavor: Flavor,
    trials: usize,
    within: Duration,
    wrap: Option<&'static str>,
    reapers_die: bool,
}

impl Case {
    /// The case of the test with this name.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            flavor: Flavor::CurrentThread,
            trials: 1,
            within: PATIENCE,
            wrap: None,
            reapers_die: false,
        }
    }

    /// The same case so often.
    pub fn trials(mut self, trials: usize) -> Self {
        let given = std::env::var(TRIALS).ok();
        let given = given.and_then(|given| given.parse().ok());
        self.trials = given.unwrap_or(trials);
        self
    }

    /// The time it has for one trial.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// The runtime its body runs on.
    pub fn flavor(mut self, flavor: Flavor) -> Self {
        self.flavor = flavor;
        self
    }

    /// Starts the case by this shell script, which ends in `exec "$@"`.
    pub fn wrap(mut self, script: &'static str) -> Self {
        self.wrap = Some(script);
        self
    }

    /// Its nanny is killed while the root lives: whom nobody else is left to reap is the harness's, as elsewhere it would
    /// be init's.
    pub fn reapers_die(mut self) -> Self {
        self.reapers_die = true;
        self
    }

    /// Runs this process's part of the test; nothing may be left.
    pub fn run<F: Future>(self, body: impl FnOnce() -> F, script: impl FnMut(&mut Running))
    where
        F::Output: Termination,
    {
        self.run_judged(body, script, |left| {
            assert!(left.is_empty(), "left behind: {left:#?}");
        });
    }

    /// Runs this process's part of the test, and gives what was left, which has been ended, to `judge`.
    pub fn run_judged<F: Future>(
        self,
        body: impl FnOnce() -> F,
        mut script: impl FnMut(&mut Running),
        mut judge: impl FnMut(Vec<Left>),
    ) where
        F::Output: Termination,
    {
        match std::env::var(LEVEL).as_deref() {
            Ok("case") => self.as_case(body),
            Ok("harness") => {
                for _ in 0..self.trials {
                    judge(self.as_harness(&mut script));
                }
            }
            _ => self.as_test(),
        }
    }

    /// For a test with a runtime of its own: true in the case, whose body is the caller's to run; false where it has been
    /// run below.
    pub fn enter(self) -> bool {
        let is_case = std::env::var(LEVEL).as_deref() == Ok("case");
        if !is_case {
            self.run(async || {}, ends_well);
        }
        is_case
    }

    fn as_test(&self) {
        let mark = uuid::Uuid::new_v4().to_string();
        let output = self.again("harness").env(MARK, mark).output();
        let output = output.expect("this image can be executed");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        assert!(output.status.success(), "{}", output.status);
    }

    fn as_harness(&self, script: impl FnOnce(&mut Running)) -> Vec<Left> {
        let me = rustix::process::getpid();
        set_child_subreaper(Some(me)).expect("a process may be a subreaper");
        let folder = Folder::new();
        let child = self
            .again("case")
            .envs(["TMPDIR", "XDG_RUNTIME_DIR"].map(|name| (name, &folder.0)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut running = Running::new(child.expect("this image can be executed"), self.within);
        script(&mut running);
        let (mut left, farewell) = running.end();
        left.extend(census::of_processes(farewell && !self.reapers_die));
        left.extend(census::of_sockets(&folder.0));
        left
    }

    fn as_case<F: Future>(&self, body: impl FnOnce() -> F)
    where
        F::Output: Termination,
    {
        let before = descriptors::open();
        let options = MainOptions {
            flavor: self.flavor,
            workers: None,
            name: None,
        };
        let fate = boot::main(options, body).report();
        assert_eq!(fate, ExitCode::SUCCESS, "the case failed");
        descriptors::report(&before);
        bid_farewell();
    }

    fn again(&self, level: &str) -> Command {
        let image = std::env::current_exe().expect("this image has a path");
        let mut command = match self.wrap {
            Some(script) if level == "case" => {
                let mut shell = Command::new("sh");
                shell.args(["-c", script, "sh"]).arg(image);
                shell
            }
            Some(_) | None => Command::new(image),
        };
        command
            .args([self.name, "--exact", "--nocapture", "--test-threads=1"])
            .env(LEVEL, level)
            .env("RUST_BACKTRACE", "0");
        command
    }
}

/// The folder a case has for its files, its sockets among them.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("tractor-test-{}", uuid::Uuid::new_v4());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("the folder for temporary files can be written");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
