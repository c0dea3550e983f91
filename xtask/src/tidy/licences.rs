//! Licences of everything we build with: only those that let a user of ours keep theirs.

use std::path::Path;
use std::process::Command;

/// What a dependency's manifest may say, word for word: an alternative we can take is enough.
const ALLOWED: [&str; 12] = [
    "(MIT OR Apache-2.0) AND Unicode-3.0",
    "Apache-2.0",
    "Apache-2.0 OR MIT",
    "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
    "BSD-2-Clause OR Apache-2.0 OR MIT",
    "BSD-3-Clause",
    "MIT",
    "MIT OR Apache-2.0",
    "MIT/Apache-2.0",
    "Unlicense OR MIT",
    "Unlicense/MIT",
    "Zlib",
];

/// Asks cargo for every package of the build on this platform: a line each, `name version|licence`.
pub(super) fn listing(root: &Path) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--all-features", "--locked"])
        .args([
            "--prefix=none",
            "--edges=normal,build,dev",
            "--format={p}|{l}",
        ])
        .current_dir(root)
        .output()
        .map_err(|e| format!("tidy: cannot run cargo: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(format!("tidy: `cargo tree --locked` failed:\n{why}"))
}

pub(super) fn check(listing: &str) -> Vec<String> {
    let lines = listing.lines().map(|line| line.trim_end_matches(" (*)")); // seen before
    let packages = lines.filter_map(|line| line.rsplit_once('|'));
    let mut refused: Vec<String> = packages
        .filter(|(_, licence)| !ALLOWED.contains(licence))
        .map(|(package, licence)| {
            let table = "ALLOWED in xtask/src/tidy/licences.rs";
            format!(
                "Cargo.lock: {package} is under {licence:?}; argue for it in {table}, or do without"
            )
        })
        .collect();
    refused.sort();
    refused.dedup();
    refused
}
