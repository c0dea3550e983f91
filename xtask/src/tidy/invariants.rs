//! Numbered invariants: declared once, in the docs of the module that keeps them, and cited by a
//! test that would fail without them.
//!
//! Declared by a line of a module's docs that begins like this, and may go on for more lines:
//!
//! ```text
//! //! - CTX-3: a context's result comes after its last streamed value.
//! ```
//!
//! Cited by a line of a test's doc comment: `/// CTX-3: …` or `/// … (CTX-3, CTX-4).` The numbers
//! of a prefix run from 1 without holes, so that nobody looks for one that is gone.

use std::collections::{BTreeMap, BTreeSet};

use super::Tree;
use super::source::{is_word, lines};

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let declared = declared(tree, &mut findings);
    let is_prefix = |prefix: &str| declared.keys().any(|id| prefix_of(id) == prefix);
    let mut cited = BTreeSet::new();
    for (path, source) in &tree.sources {
        for (line, text) in source.test_lines() {
            let doc = text.trim_start().strip_prefix("///").unwrap_or_default();
            for id in ids(doc) {
                if !declared.contains_key(id) && is_prefix(prefix_of(id)) {
                    findings.push(format!("{path}:{line}: cites {id}, which nobody declares"));
                }
                cited.insert(id);
            }
        }
    }
    for (id, place) in &declared {
        if !cited.contains(id) {
            findings.push(format!(
                "{place}: no test cites {id}; name it in the doc comment of the test that fails \
                 without it: `/// {id}: …`"
            ));
        }
        let number: u32 = id[prefix_of(id).len() + 1..].parse().unwrap_or_default();
        let before = format!("{}-{}", prefix_of(id), number.saturating_sub(1));
        if number > 1 && !declared.contains_key(&*before) {
            findings.push(format!(
                "{place}: {id} has no {before} before it; close the hole"
            ));
        }
    }
    findings
}

/// Every declared id with its place.
fn declared<'a>(tree: &'a Tree, findings: &mut Vec<String>) -> BTreeMap<&'a str, String> {
    let mut declared: BTreeMap<&str, String> = BTreeMap::new();
    for (path, source) in &tree.sources {
        for (line, text) in lines(&source.text) {
            let doc = text.strip_prefix("//!").unwrap_or_default();
            let bare = doc.trim_start_matches([' ', '-', '*', '`']);
            let Some(id) = ids(bare).next().filter(|id| bare.starts_with(id)) else {
                continue;
            };
            let is_item = doc.trim_start().starts_with(['-', '*']);
            if !is_item && !bare[id.len()..].starts_with(':') {
                continue; // prose
            }
            let place = format!("{path}:{line}");
            if !doc.starts_with(&format!(" - {id}: ")) {
                findings.push(format!("{place}: write the declaration as `//! - {id}: …`"));
            }
            if let Some(first) = declared.insert(id, place.clone()) {
                findings.push(format!("{place}: {id} is taken at {first}; number it anew"));
            }
        }
    }
    declared
}

/// Every id (`CTX-3`) of a text: two to six capitals and a number.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c| !is_word(c) && c != '-');
    words.filter(|word| {
        let (prefix, number) = word.split_once('-').unwrap_or_default();
        (2..=6).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_uppercase())
            && number.parse::<u32>().is_ok_and(|number| number > 0)
    })
}

fn prefix_of(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}
