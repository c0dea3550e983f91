//! The checks of `cargo xtask tidy`: each takes the tree's texts and returns sentences that say
//! what is wrong, where, and what to do about it.
//!
//! The form of every comment these checks read is documented at the check:
//! [`invariants`] for numbered invariants, [`acceptance`] and [`architecture`] for their pages.

mod acceptance;
mod architecture;
mod files;
mod invariants;
mod layers;
mod licences;
mod readme;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use source::Source;

/// The texts the checks look at, by path from the workspace's root.
#[derive(Default)]
struct Tree {
    /// Every file, for questions of existence.
    paths: Vec<String>,
    /// Rust sources, taken apart.
    sources: BTreeMap<String, Source>,
    /// Markdown pages.
    pages: BTreeMap<String, String>,
}

/// Runs every check on the tree below `root`.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut tree = Tree::default();
    tree.read(root, "")
        .map_err(|e| format!("tidy: cannot read the tree: {e}"))?;
    let mut findings = check(&tree);
    findings.extend(licences::check(&licences::listing(root)?));
    if findings.is_empty() {
        println!("tidy: {} sources are in order", tree.sources.len());
        return Ok(());
    }
    findings.sort();
    findings.dedup();
    Err(format!(
        "{}\ntidy: {} findings",
        findings.join("\n"),
        findings.len()
    ))
}

fn check(tree: &Tree) -> Vec<String> {
    let checks = [
        files::check,
        layers::check,
        layers::check_pure,
        layers::check_clock,
        invariants::check,
        architecture::check,
        acceptance::check,
        readme::check,
    ];
    checks.iter().flat_map(|check| check(tree)).collect()
}

impl Tree {
    fn read(&mut self, root: &Path, below: &str) -> io::Result<()> {
        for entry in fs::read_dir(root.join(below))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{below}{name}");
            if entry.file_type()?.is_dir() {
                if name != ".git" && !name.starts_with("target") {
                    self.read(root, &format!("{path}/"))?;
                }
            } else if name.ends_with(".rs") || name.ends_with(".md") {
                self.add(&path, &fs::read_to_string(entry.path())?);
            } else {
                self.paths.push(path);
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &str, text: &str) {
        self.paths.push(path.to_owned());
        if path.ends_with(".rs") {
            self.sources
                .insert(path.to_owned(), Source::new(path, text));
        } else {
            self.pages.insert(path.to_owned(), text.to_owned());
        }
    }

    fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.paths.iter().any(|p| {
            p.strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}
