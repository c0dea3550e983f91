//! `cargo xtask chaos --trials N`: the kills of `tests/it/faults`, each done to `N` trees of real processes one after the
//! other, and a table of what came of it.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// What a row begins with: `chaos|name|trials|failures|p50|p99|max`.
const LINE: &str = "chaos|";

/// How the tests learn the number of trials.
const TRIALS: &str = "TRACTOR_TEST_TRIALS";

/// Runs the kills; fails if any trial has.
pub(crate) fn run(root: &Path, trials: &str) -> Result<(), String> {
    let trials: u32 = match trials.parse() {
        Ok(trials) if trials > 0 => trials,
        _ => return Err(format!("--trials {trials}: a number of trials, 1 or more")),
    };
    let mut child = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["test", "--locked", "--test", "it", "faults::kills::"])
        .args(["--", "--nocapture", "--test-threads=1"])
        .env(TRIALS, trials.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("chaos: cannot run cargo: {e}"))?;
    let output = child.stdout.take();
    let rows = output.map(|output| collect(BufReader::new(output)));
    let status = child
        .wait()
        .map_err(|e| format!("chaos: cannot wait for cargo: {e}"))?;
    let rows = rows.unwrap_or_default();
    println!("\n{}", table(&rows));
    if status.success() && !rows.is_empty() {
        Ok(())
    } else {
        Err("chaos: there are failures".to_owned())
    }
}

/// The rows in the tests' output, which is passed on.
fn collect(output: impl BufRead) -> Vec<String> {
    let mut rows = Vec::new();
    for line in output.lines().map_while(Result::ok) {
        // The line may be glued to libtest's own.
        if let Some((_, row)) = line.split_once(LINE) {
            rows.push(row.to_owned());
        }
        // Nobody reads our output any more: the trials go on all the same.
        let _ = writeln!(io::stdout(), "{line}");
    }
    rows
}

fn table(rows: &[String]) -> String {
    let mut table = String::from(
        "| killed; the tree | trials | failures | p50 ms | p99 ms | max ms |\n|---|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        table.push_str(&format!("| {} |\n", row.replace('|', " | ")));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_in_what_libtest_prints() {
        let output = "test faults::a ... \nchaos|root; idle|10|0|1.0|2.0|2.1\nok\n";
        let rows = collect(output.as_bytes());
        assert_eq!(rows, ["root; idle|10|0|1.0|2.0|2.1"]);
        assert!(table(&rows).ends_with("| root; idle | 10 | 0 | 1.0 | 2.0 | 2.1 |\n"));
    }

    #[test]
    fn a_number_of_trials_is_a_number() {
        for bad in ["0", "-1", "many"] {
            assert!(run(Path::new("."), bad).unwrap_err().contains(bad));
        }
    }
}
