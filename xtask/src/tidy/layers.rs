//! Who may import whom, and what the pure machines and everybody outside the clock must not touch.
//!
//! Imports are the paths of a file that begin with `crate::` or `super::`. Test code may reach up:
//! nobody imports it.

use super::Tree;
use super::source::{lines, paths, words};

/// The layers of each crate, lowest first. A module imports from levels left of its own; one with a
/// path (`host/linux`) stands apart from the folder it lies in. `ARCHITECTURE.md` has these lines.
pub(super) const LAYERS: [(&str, &str); 2] = [
    (
        "tractor-ipc",
        "time limits ← id ← addr ← msg ← wire ← error ← transport ← channel ← testing fuzzing",
    ),
    (
        "tractor-core",
        "limits ← clock sync message ← fault ← scope proto host ← error guardian ← node ← cancel ← context \
         ← rpc ← actor ← spawn ← nursery ← boot ← private testing fuzzing",
    ),
];

/// Machines without a world: same inputs, same outputs.
const PURE: [&str; 4] = [
    "tractor-core/src/guardian/table",
    "tractor-core/src/proto",
    "tractor-ipc/src/msg",
    "tractor-ipc/src/wire",
];

/// Words a pure machine does not contain.
const IMPURE_WORDS: &str =
    "async await tokio libc rustix Mutex RwLock Condvar OnceLock SystemTime UnsafeCell";

/// Paths a pure machine does not contain.
const IMPURE_PATHS: &str = "std/env std/fs std/io std/net std/process std/thread std/sync/atomic \
     std/time/Instant crate/clock crate/sync";

/// Where time may be read, beside benches.
const CLOCK: [&str; 2] = ["tractor-core/src/clock", "xtask/src/ci"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, layers) in LAYERS {
        let layers = Layers::new(layers);
        for (path, source) in &tree.sources {
            let file = path
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix("/src/"));
            let Some(file) = file.filter(|file| *file != "lib.rs") else {
                continue;
            };
            let module: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
            let module = module.strip_suffix(&["mod"]).unwrap_or(&module);
            let Some((own, rank)) = layers.find(module) else {
                let table = "LAYERS in xtask/src/tidy/layers.rs and to ARCHITECTURE.md";
                findings.push(format!(
                    "{path}: its module is in no layer; add it to {table}"
                ));
                continue;
            };
            for (line, import) in imports(&source.shipped_code(), module) {
                match layers.find(&import) {
                    Some((target, above)) if target != own && above >= rank => {
                        findings.push(format!(
                            "{path}:{line}: `{own}` imports `{target}`, which is not below it; \
                             move down what both need, or send plain data up through a channel"
                        ));
                    }
                    Some(_) | None => {}
                }
            }
        }
    }
    findings
}

struct Layers<'a>(Vec<(&'a str, usize)>);

impl<'a> Layers<'a> {
    fn new(layers: &'a str) -> Self {
        let levels = layers.split('←').enumerate();
        let modules = levels
            .flat_map(|(rank, level)| level.split_whitespace().map(move |module| (module, rank)));
        Self(modules.collect())
    }

    /// The module of the table a path lies in, and its rank.
    fn find(&self, path: &[&str]) -> Option<(&'a str, usize)> {
        let mut ends = (1..=path.len()).rev();
        ends.find_map(|end| {
            let path = path[..end].join("/");
            self.0.iter().copied().find(|(module, _)| *module == path)
        })
    }
}

/// What the code of `module` names of its own crate, as paths from the crate's root.
fn imports<'a>(code: &'a str, module: &[&'a str]) -> Vec<(usize, Vec<&'a str>)> {
    let mut imports = paths(code, "crate");
    for (line, import) in paths(code, "super") {
        let ups = import.iter().take_while(|part| **part == "super").count();
        let stays = module.len().saturating_sub(ups + 1);
        imports.push((line, [&module[..stays], &import[ups..]].concat()));
    }
    imports
}

pub(super) fn check_pure(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, source) in &tree.sources {
        if !PURE.iter().any(|module| is_in(path, module)) {
            continue;
        }
        let is_impure = |word: &str| {
            word.starts_with("Atomic") || IMPURE_WORDS.split(' ').any(|banned| banned == word)
        };
        let mut found: Vec<(usize, String)> = words(&source.code)
            .filter(|(_, word)| is_impure(word))
            .map(|(line, word)| (line, word.to_owned()))
            .collect();
        for (root, banned) in IMPURE_PATHS
            .split(' ')
            .filter_map(|path| path.split_once('/'))
        {
            let named = paths(&source.code, root).into_iter();
            let named = named.map(|(line, path)| (line, path.join("/")));
            found.extend(named.filter(|(_, path)| is_in(path, banned)));
        }
        findings.extend(found.iter().map(|(line, what)| {
            let remedy = "take it as an argument, or return an action for the driver";
            format!("{path}:{line}: `{what}` in a pure machine; {remedy}")
        }));
    }
    findings
}

/// Outside `src/`, a program that measures real processes may read `Instant::now`: clippy has it say
/// why at the spot.
pub(super) fn check_clock(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, source) in &tree.sources {
        if path.contains("benches/") || CLOCK.iter().any(|clock| is_in(path, clock)) {
            continue;
        }
        let timers = paths(&source.code, "tokio").into_iter();
        let timers = timers.filter(|(_, path)| path[0] == "time");
        let mut found: Vec<usize> = timers.map(|(line, _)| line).collect();
        if path.split('/').any(|part| part == "src") {
            let now = lines(&source.code).filter(|(_, code)| code.contains("Instant::now"));
            found.extend(now.map(|(line, _)| line));
        }
        findings.extend(found.iter().map(|line| {
            format!("{path}:{line}: reads time past the clock; take `now`, or the node's clock")
        }));
    }
    findings
}

/// Whether `path` is the module `module` (a file or a folder) or lies in it.
fn is_in(path: &str, module: &str) -> bool {
    let rest = path.strip_prefix(module);
    rest.is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
}
