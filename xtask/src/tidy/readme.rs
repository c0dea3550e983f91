//! The README's program is `examples/quickstart.rs`, word for word: a test runs that one.

use super::Tree;

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let readme = tree.pages.get("README.md").map_or("", String::as_str);
    let (_, block) = readme.split_once("```rust\n").unwrap_or_default();
    let shown = block.split("```").next().unwrap_or_default();
    let example = tree.sources.get("examples/quickstart.rs");
    let example = example.map_or("", |source| source.text.as_str());
    let program = example.lines().skip_while(|line| line.starts_with("//!"));
    if !program.skip_while(|line| line.is_empty()).eq(shown.lines()) || shown.is_empty() {
        return vec![
            "README.md: its program is not examples/quickstart.rs; copy that one".to_owned(),
        ];
    }
    Vec::new()
}
