//! What every source file owes its reader: a first word about itself, a size one can hold in mind,
//! nothing left open, and tests that run.

use super::Tree;
use super::source::{Source, lines, words};

/// Longest file in lines, tests included: house style aims at 150 to 250.
const LINES_MAX: usize = 600;

/// Words that mark work left open.
const OPEN_WORK: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// Code that proves nothing, and what to do instead.
const EMPTY_CODE: [(&str, &str); 4] = [
    ("todo!", "write it, or leave it out"),
    ("unimplemented!", "write it, or leave it out"),
    (
        "#[ignore",
        "an ignored test proves nothing: make it run, or print `skipped: needs …`",
    ),
    (
        "#[should_panic",
        "assert on the value, or on the error of `catch_unwind`",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, source) in &tree.sources {
        if !has_module_docs(path, &source.text) {
            findings.push(format!(
                "{path}:1: no module docs; begin with `//!`: what this file owns and never does"
            ));
        }
        let count = source.text.lines().count();
        if count > LINES_MAX {
            let remedy = "split it by concept";
            findings.push(format!(
                "{path}: {count} lines, at most {LINES_MAX}; {remedy}"
            ));
        }
        findings.extend(open_ends(path, source));
    }
    findings
}

/// A compile test stands for a user's file, and its name says what it is about.
fn has_module_docs(path: &str, text: &str) -> bool {
    let mut lines = text.lines().skip_while(|line| line.starts_with("#!"));
    path.contains("tests/ui/") || lines.next().is_some_and(|line| line.starts_with("//!"))
}

fn open_ends(path: &str, source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for (line, word) in words(&source.comments).filter(|(_, word)| OPEN_WORK.contains(word)) {
        findings.push(format!(
            "{path}:{line}: {word}; do it, or put it in an issue"
        ));
    }
    for (line, code) in lines(&source.code) {
        for (what, remedy) in EMPTY_CODE.iter().filter(|(what, _)| code.contains(what)) {
            findings.push(format!("{path}:{line}: `{what}`; {remedy}"));
        }
    }
    findings
}
