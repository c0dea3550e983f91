//! The project's own checks, in std alone, so that nothing needs installing to run them.
//!
//! `cargo xtask tidy` checks what the compiler and clippy do not (see [`tidy`]); `cargo xtask ci`
//! runs everything a change has to pass (see [`ci`]); `cargo xtask chaos --trials N` kills trees for
//! long and tells how long they take to go (see [`chaos`]).

mod chaos;
mod ci;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = root.expect("xtask is a folder of the workspace");
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy::run(root),
        ["ci"] => ci::run(root),
        ["chaos", "--trials", trials] => chaos::run(root, trials),
        _ => Err("usage: cargo xtask tidy | ci | chaos --trials N".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
