//! The runtime around a user's `main` or test, and the order in which a root leaves.

use std::future::Future;
use std::process::{ExitCode, Termination};

use tokio::runtime::{Builder, Runtime};

use crate::guardian;
use crate::limits::{FLUSH, NURSERY_CAP};
use crate::node::{interrupted_by, name_default_root, reaper};

/// The runtime `#[tractor::main]` and `#[tractor::test]` make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// Worker threads, as many as there are cores unless said otherwise.
    MultiThread,
    /// The calling thread alone.
    CurrentThread,
}

/// What `#[tractor::main]` was given.
#[derive(Clone, Copy, Debug)]
pub struct MainOptions {
    /// Which runtime.
    pub flavor: Flavor,
    /// How many worker threads.
    pub workers: Option<usize>,
    /// The name of the root that the first nursery opens.
    pub name: Option<&'static str>,
}

/// What `#[tractor::test]` was given.
#[derive(Clone, Copy, Debug)]
pub struct TestOptions {
    /// Which runtime.
    pub flavor: Flavor,
    /// How many worker threads.
    pub workers: Option<usize>,
}

/// Runs a program's `main`. In a process that was started as a guardian or an actor it never returns; in a root it runs
/// `body`, and when it returns every process of the tree has left, guardian and nanny last.
///
/// A program that fails after a signal has cancelled its tree exits with that signal's code: 130 for Ctrl-C.
pub fn main<F, Fut>(options: MainOptions, body: F) -> Fut::Output
where
    F: FnOnce() -> Fut,
    Fut: Future,
    Fut::Output: Termination,
{
    super::init();
    if let Some(name) = options.name {
        name_default_root(name);
    }
    let output = run(options.flavor, options.workers, body);
    guardian::shutdown();
    match interrupted_by() {
        None => output,
        Some(by) => {
            let code = match output.report() {
                ExitCode::SUCCESS => 0,
                _ => by.exit_code().into(),
            };
            std::process::exit(code)
        }
    }
}

/// Runs a test. It diverts nothing: the entry hook has, before there were threads.
pub fn test<F, Fut>(options: TestOptions, body: F) -> Fut::Output
where
    F: FnOnce() -> Fut,
    Fut: Future,
{
    run(options.flavor, options.workers, body)
}

fn run<F, Fut>(flavor: Flavor, workers: Option<usize>, body: F) -> Fut::Output
where
    F: FnOnce() -> Fut,
    Fut: Future,
{
    let runtime = match build(flavor, workers) {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tractor: the runtime cannot be built: {error}");
            std::process::exit(1)
        }
    };
    let output = runtime.block_on(body());
    // What tasks of the user's still held is dropped here, nurseries among them; their actors are ended by the reaper.
    runtime.shutdown_timeout(FLUSH);
    if let Err(left) = reaper::wait_empty(NURSERY_CAP) {
        tracing::error!(?left, "processes have not ended; the guardian kills them");
    }
    output
}

fn build(flavor: Flavor, workers: Option<usize>) -> std::io::Result<Runtime> {
    let mut builder = match flavor {
        Flavor::MultiThread => Builder::new_multi_thread(),
        Flavor::CurrentThread => Builder::new_current_thread(),
    };
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    builder.enable_all().build()
}
