//! What the macros refuse, and what they accept: one file per rule in `tests/ui/{fail,pass,compiler}`.
//!
//! A file in `fail` has the exact text and place of each error beside it (`.stderr`); only errors that our macros make
//! stand there, since the compiler's own change from one release to the next. Those are in `compiler`: each file marks
//! the lines that are refused and the codes they are refused with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// CTX-2: the phases of a context are types (`compiler/context_*`).
/// MAC-1: each error stands at the user's tokens and says what to do. MAC-2: nothing but our errors is reported, since
/// what is right in the user's items is still there. MAC-3: `pass/portals_that_travel`.
#[test]
fn misuse_is_refused_where_it_stands_and_use_is_not() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
    // Its drop runs the cases.
    drop(cases);
    compiler_errors_are_as_marked();
}

/// `#[tractor::test]` runs its body in a runtime: on one thread, unless it is told otherwise.
#[tractor::test]
async fn a_test_runs_in_a_runtime_of_one_thread() {
    let runtime = tokio::runtime::Handle::current();
    assert_eq!(
        runtime.runtime_flavor(),
        tokio::runtime::RuntimeFlavor::CurrentThread
    );
}

#[tractor::test(flavor = "multi_thread", workers = 2)]
async fn a_test_runs_in_a_runtime_of_its_choice() -> tractor::Result<()> {
    let runtime = tokio::runtime::Handle::current();
    assert_eq!(
        runtime.runtime_flavor(),
        tokio::runtime::RuntimeFlavor::MultiThread
    );
    assert_eq!(runtime.metrics().num_workers(), 2);
    Ok(())
}

/// The compiler's own errors, for types that do not fit: one for each mistake, and none at the macro.
fn compiler_errors_are_as_marked() {
    let files = files_of("tests/ui/compiler");
    let output = check(&files);
    let mut wrong = String::new();
    for file in &files {
        let (marked, reported) = (marks_of(file), errors_of(file, &output));
        if marked != reported {
            wrong += &format!(
                "{}:\n  marked   {marked:?}\n  reported {reported:?}\n",
                file.display()
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "errors are not where they are marked\n{wrong}\n{output}"
    );
    let stray: Vec<_> = output
        .lines()
        .filter(|line| is_stray(line, &files))
        .collect();
    assert!(
        stray.is_empty(),
        "errors outside the files: {stray:#?}\n{output}"
    );
}

/// Compiles all files as programs, beside those of trybuild: with its dependencies, which are built already.
fn check(files: &[PathBuf]) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("a target folder");
    let shared = target.join("tests/trybuild");
    let project = shared.join("compiler");
    fs::create_dir_all(&project).expect("the project's folder");
    let theirs = shared.join(env!("CARGO_PKG_NAME"));
    let manifest = fs::read_to_string(theirs.join("Cargo.toml")).expect("trybuild's manifest");
    let mut manifest = without_programs(&manifest);
    for file in files {
        let name = file.file_stem().expect("a file has a name").display();
        manifest += &format!(
            "[[bin]]\nname = {:?}\npath = {file:?}\n\n",
            name.to_string()
        );
    }
    fs::write(project.join("Cargo.toml"), manifest).expect("the manifest");
    fs::copy(theirs.join("Cargo.lock"), project.join("Cargo.lock")).expect("the lock file");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let flags =
        r#"["--cfg", "trybuild", "--verbose", "-A", "dead_code", "--diagnostic-width=140"]"#;
    let output = Command::new(cargo)
        .args([
            "build",
            "--offline",
            "--bins",
            "--keep-going",
            "--quiet",
            "--color=never",
        ])
        .args([
            "--message-format=short",
            &format!("--config=build.rustflags={flags}"),
        ])
        .env_remove("RUSTFLAGS")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", &shared)
        .current_dir(&project)
        .output()
        .expect("cargo runs");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A manifest without its `[[bin]]` tables.
fn without_programs(manifest: &str) -> String {
    let mut in_program = false;
    let mut rest = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_program = line == "[[bin]]";
        }
        if !in_program {
            rest += line;
            rest += "\n";
        }
    }
    rest
}

/// The lines marked `//~ CODE ..`, sorted.
fn marks_of(file: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(file).expect("a test file");
    let mut marks = Vec::new();
    for (place, line) in text.lines().enumerate() {
        if let Some((_, codes)) = line.split_once("//~ ") {
            marks.extend(
                codes
                    .split_whitespace()
                    .map(|code| (place + 1, code.to_owned())),
            );
        }
    }
    marks.sort();
    marks
}

/// The lines reported with their codes (`error` for one without), sorted.
fn errors_of(file: &Path, output: &str) -> Vec<(usize, String)> {
    let name = format!(
        "{}:",
        file.file_name().expect("a file has a name").display()
    );
    let mut errors: Vec<_> = output
        .lines()
        .filter_map(|line| {
            let (_, place) = line.split_once(&name)?;
            let (number, rest) = place.split_once(':')?;
            let (_, what) = rest.split_once(": error")?;
            let code = match what.strip_prefix('[').and_then(|what| what.split_once(']')) {
                Some((code, _)) => code,
                None => "error",
            };
            Some((number.parse().ok()?, code.to_owned()))
        })
        .collect();
    errors.sort();
    errors
}

/// An error that stands at some place in none of the files.
fn is_stray(line: &str, files: &[PathBuf]) -> bool {
    let in_file =
        |file: &PathBuf| line.contains(&file.file_name().expect("a name").display().to_string());
    line.contains(": error") && !files.iter().any(in_file)
}

fn files_of(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder of the cases");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no cases");
    files
}
