//! `ARCHITECTURE.md` has the layer table, the four walks, and no name without its thing.
//!
//! Names stand in backticks outside fenced blocks: a path (something with a `/`, or a file's name)
//! from the workspace's root or a `src` folder, like `proto/router` or `node/{root,peer}.rs`, or an
//! item the sources define, like `Dialog`, `Scope::cancel` or `expose!`. Whatever else stands in
//! backticks is code, and not looked at.

use std::collections::BTreeMap;

use super::Tree;
use super::layers::LAYERS;
use super::source::{is_word, lines, words};

pub(super) const PAGE: &str = "ARCHITECTURE.md";

/// The walks a newcomer follows through the code.
const WALKS: [&str; 4] = ["### Spawn", "### Call", "### Stream message", "### Cancel"];

/// Where a path may begin.
const ROOTS: [&str; 5] = [
    "",
    "src/",
    "tractor-core/src/",
    "tractor-ipc/src/",
    "tractor-macros/src/",
];

/// Words before a name that define it.
const DEFINING: &str = "const enum fn macro_rules mod static struct trait type union";

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let Some(page) = tree.pages.get(PAGE) else {
        return vec![format!("{PAGE}: missing; it is where a newcomer starts")];
    };
    let mut findings = Vec::new();
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, layers) in LAYERS {
        let layers = format!("{name} {layers}");
        if !flat.contains(&layers) {
            findings.push(format!("{PAGE}: its layer table lacks `{layers}`"));
        }
    }
    for walk in WALKS {
        if !page.lines().any(|line| line == walk) {
            findings.push(format!("{PAGE}: the walk `{walk}` is missing; write it"));
        }
    }
    let items = items(tree);
    for (line, name) in quoted(page) {
        let bare = name.trim_end_matches("()").trim_end_matches('!');
        let is_file = [".rs", ".md", ".toml"]
            .iter()
            .any(|end| name.ends_with(end));
        let known = if name.contains('/') && !name.contains(' ') || is_file {
            braces(name).iter().all(|path| has_module(tree, path))
        } else if bare.chars().all(|c| is_word(c) || c == ':') {
            has_item(&items, bare)
        } else {
            continue;
        };
        if !known {
            findings.push(format!(
                "{PAGE}:{line}: `{name}` is nowhere; name what is there"
            ));
        }
    }
    findings
}

/// What stands in backticks outside fenced blocks.
fn quoted(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let prose = lines(page).filter(move |(_, text)| {
        let fence = text.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    prose.flat_map(|(line, text)| {
        text.split('`')
            .skip(1)
            .step_by(2)
            .map(move |name| (line, name))
    })
}

/// `a/{b,c}` is `a/b` and `a/c`.
fn braces(path: &str) -> Vec<String> {
    let (head, rest) = path.split_once('{').unwrap_or((path, "}"));
    let (inner, tail) = rest.split_once('}').unwrap_or((rest, ""));
    inner
        .split(',')
        .map(|part| format!("{head}{part}{tail}"))
        .collect()
}

fn has_module(tree: &Tree, path: &str) -> bool {
    let places = ROOTS.iter().map(|root| format!("{root}{path}"));
    let mut places = places.flat_map(|path| [format!("{path}.rs"), path]);
    places.any(|path| tree.has(&path))
}

/// Every name the sources define, with the folders of the files that do.
fn items(tree: &Tree) -> BTreeMap<&str, Vec<&str>> {
    let mut items: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (path, source) in &tree.sources {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let all: Vec<&str> = words(&source.code).map(|(_, word)| word).collect();
        let defines = |pair: &&[&str]| DEFINING.split(' ').any(|word| word == pair[0]);
        let defined = all.windows(2).filter(defines).map(|pair| pair[1]);
        for name in defined.chain(source.code.lines().filter_map(variant)) {
            items.entry(name).or_default().push(folder);
        }
    }
    items
}

/// The name of the variant on this line: capital, first, and followed by its fields or a comma.
fn variant(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let (name, rest) = line.split_at(line.find(|c| !is_word(c))?);
    let is_variant = name.starts_with(char::is_uppercase);
    (is_variant && rest.trim_start().starts_with([',', '(', '{'])).then_some(name)
}

/// `Type::member` counts where both are defined in one folder.
fn has_item(items: &BTreeMap<&str, Vec<&str>>, name: &str) -> bool {
    let folders = |part: &str| items.get(part).map_or(&[][..], Vec::as_slice);
    let (first, rest) = name.split_once("::").unwrap_or((name, name));
    folders(first)
        .iter()
        .any(|folder| folders(rest).contains(folder))
}
