//! Every check on small trees: silent on a good one, and one finding for each thing it is there to
//! find.

use super::source::{Source, paths};
use super::*;

/// A tree of these files.
fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.add(path, text);
    }
    tree
}

/// Asserts that each finding of `check` on these files has the words expected of it, in order.
#[track_caller]
fn expect(check: fn(&Tree) -> Vec<String>, files: &[(&str, &str)], expected: &[&str]) {
    let findings = check(&tree(files));
    let fits = findings.len() == expected.len()
        && findings
            .iter()
            .zip(expected)
            .all(|(found, words)| found.contains(words));
    assert!(fits, "found {findings:#?}, expected {expected:#?}");
}

#[test]
fn comments_and_quotes_are_told_from_code() {
    let text = concat!(
        "let a = \"// not \\\" a comment\"; // yes\n",
        "/* one /* two */ still */ let b = '\"'; let c: &'static str = r#\"x \" y\"#;\n",
        "let r#type = b\"TODO\"; let d = '\\''; let e = 'é'; let f = br\"\\\";\n",
    );
    let source = Source::new("a/src/x.rs", text);
    let squeezed: String = source.code.split_whitespace().collect();
    assert_eq!(
        squeezed,
        "leta=;letb=;letc:&'staticstr=;letr#type=;letd=;lete=;letf=;"
    );
    let comments: Vec<&str> = source.comments.split_whitespace().collect();
    assert_eq!(comments.join(" "), "// yes /* one /* two */ still */");
    assert_eq!(source.code.lines().count(), text.lines().count());
}

#[test]
fn use_trees_are_written_out() {
    let code =
        "x;\nuse crate::{a::{self, b as c}, d::*};\nfn f(x: crate::e::F<'_>) { xcrate::g() }";
    let found = paths(code, "crate").into_iter();
    let found: Vec<(usize, String)> = found.map(|(line, path)| (line, path.join("/"))).collect();
    let expected = [(2, "a/self"), (2, "a/b"), (2, "d"), (3, "e/F")];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn a_file_has_docs_a_bounded_size_and_nothing_left_open() {
    let good = "//! Docs.\n\nfn f() {} // say \"todo\" as you like\n";
    let long = format!("//! Docs.\n{}", "\n".repeat(600));
    let check = files::check;
    expect(
        check,
        &[("src/a.rs", good), ("tests/ui/fail/b.rs", "fn main() {}")],
        &[],
    );
    expect(
        check,
        &[("src/a.rs", "fn f() {}")],
        &["a.rs:1: no module docs"],
    );
    expect(
        check,
        &[("src/a.rs", "// Not of the module.")],
        &["no module docs"],
    );
    expect(check, &[("src/a.rs", &long)], &["601 lines, at most 600"]);
    for (line, finding) in [
        ("/// TODO: more", "TODO; do it"),
        ("let x = 1; // FIXME", "FIXME; do it"),
        ("fn f() { todo!() }", "`todo!`; write it"),
        (
            "fn f() { unimplemented!(\"x\") }",
            "`unimplemented!`; write it",
        ),
        ("#[ignore = \"slow\"]", "proves nothing"),
        ("#[should_panic]", "assert on the value"),
    ] {
        let bad = format!("//! Docs.\n{line}\n");
        expect(check, &[("src/a.rs", &bad)], &[finding]);
    }
}

#[test]
fn imports_point_down() {
    let check = layers::check;
    let good = "use crate::limits::X;\nuse crate::scope::tree::Y;\n#[cfg(test)]\nmod tests {\n    \
                use crate::boot::Z;\n}\n";
    expect(check, &[("tractor-core/src/node/peer.rs", good)], &[]);
    expect(
        check,
        &[("tractor-core/src/node/tests/a.rs", "use crate::boot::Z;")],
        &[],
    );
    expect(
        check,
        &[("tractor-core/src/lib.rs", "pub use crate::boot::Z;")],
        &[],
    );
    expect(check, &[("src/a.rs", "use crate::boot::Z;")], &[]);
    for (path, import, finding) in [
        (
            "scope/mod.rs",
            "use crate::node::X;",
            "`scope` imports `node`",
        ),
        (
            "scope/tree.rs",
            "use crate::{limits, proto::X};",
            "`scope` imports `proto`",
        ),
        (
            "scope/tree.rs",
            "use super::super::node::X;",
            "`scope` imports `node`",
        ),
        ("fault.rs", "use super::node::X;", "`fault` imports `node`"),
        (
            "fault.rs",
            "fn f() { crate::boot::enter() }",
            "`fault` imports `boot`",
        ),
        ("brand_new.rs", "", "is in no layer"),
    ] {
        expect(
            check,
            &[(&format!("tractor-core/src/{path}"), import)],
            &[finding],
        );
    }
    expect(
        check,
        &[("tractor-ipc/src/msg/mod.rs", "use crate::wire::F;")],
        &["`msg` imports `wire`"],
    );
}

#[test]
fn pure_machines_have_no_world() {
    let check = layers::check_pure;
    let good = "use std::sync::Arc;\nuse std::time::Duration;\nuse tractor_ipc::time::Instant;\n\
                /// No async, no Mutex.\nfn f() { \"tokio\" }";
    expect(check, &[("tractor-core/src/proto/dialog.rs", good)], &[]);
    expect(
        check,
        &[("tractor-core/src/guardian/serve.rs", "use std::io::Read;")],
        &[],
    );
    for (code, finding) in [
        ("async fn f() {}", "`async`"),
        ("use tokio::sync::mpsc;", "`tokio`"),
        ("use std::{fmt, sync::Mutex};", "`Mutex`"),
        ("static N: AtomicU64;", "`AtomicU64`"),
        ("use std::{fmt, io};", "`io`"),
        ("fn f() { std::fs::read(p) }", "`fs/read`"),
        ("use std::time::{Duration, Instant};", "`time/Instant`"),
        ("use crate::clock::Clock;", "`clock/Clock`"),
    ] {
        for path in [
            "core/src/proto/dialog",
            "core/src/guardian/table",
            "ipc/src/wire/codec",
        ] {
            let path = format!("tractor-{path}.rs");
            expect(
                check,
                &[(&path, code)],
                &[&format!("{path}:1: {finding} in a pure machine")],
            );
        }
    }
}

#[test]
fn time_is_read_in_the_clock_alone() {
    let check = layers::check_clock;
    let now = "let t = std::time::Instant::now();";
    let sleep = "tokio::time::sleep(d).await;";
    expect(
        check,
        &[
            ("benches/ipc.rs", now),
            ("tests/it/harness.rs", now),
            ("tractor-core/src/clock.rs", sleep),
        ],
        &[],
    );
    expect(check, &[("src/a.rs", now)], &["src/a.rs:1: reads time"]);
    expect(
        check,
        &[("tests/it/a.rs", "use tokio::{io, time};")],
        &["tests/it/a.rs:1: reads time"],
    );
    expect(
        check,
        &[("tractor-core/src/clock_face.rs", sleep)],
        &["reads time"],
    );
}

#[test]
fn an_invariant_is_declared_once_and_cited() {
    let check = invariants::check;
    let module = (
        "src/a.rs",
        "//! Docs.\n//!\n//! - CTX-1: one.\n//! - CTX-2: two, in\n//!   UTF-8.\n",
    );
    let cites =
        "/// CTX-1: it is so.\n#[test]\nfn one() {}\n\n/// Also this (CTX-2), by SHA-256.\n";
    expect(check, &[module, ("src/a/tests.rs", cites)], &[]);
    let inline = format!("{}#[cfg(test)]\nmod tests {{\n{cites}}}\n", module.1);
    expect(check, &[("src/a.rs", &inline)], &[]);
    let outside = format!("{}{cites}", module.1);
    expect(
        check,
        &[("src/a.rs", &outside)],
        &[
            "src/a.rs:3: no test cites CTX-1",
            "src/a.rs:4: no test cites CTX-2",
        ],
    );
    let ghost = format!("{cites}/// CTX-7\n");
    expect(
        check,
        &[module, ("tests/a.rs", &ghost)],
        &["tests/a.rs:6: cites CTX-7, which nobody"],
    );
    let twice = ("src/b.rs", "//! - CTX-1: again.\n");
    expect(
        check,
        &[module, twice, ("tests/a.rs", cites)],
        &["src/b.rs:1: CTX-1 is taken at src/a.rs:3"],
    );
    for form in [
        "//! * **CTX-3**: three",
        "//! CTX-3: three",
        "//! * `CTX-3` Three",
        "//! - `CTX-3`: three",
    ] {
        let cites = format!("{cites}/// CTX-3\n");
        expect(
            check,
            &[module, ("src/b.rs", form), ("tests/a.rs", &cites)],
            &["src/b.rs:1: write the declaration as `//! - CTX-3: …`"],
        );
    }
    let hole = [
        ("src/a.rs", "//! - GUARD-2: two\n"),
        ("tests/a.rs", "/// GUARD-2\n"),
    ];
    expect(check, &hole, &["GUARD-2 has no GUARD-1 before it"]);
}

#[test]
fn only_known_licences_pass() {
    let good = "a v1.0.0|MIT\nb v2.0.0 (/src/b)|MIT OR Apache-2.0 (*)\n\n";
    assert_eq!(licences::check(good), Vec::<String>::new());
    let bad = licences::check("a v1.0.0|AGPL-3.0\nb v1.0.0|\na v1.0.0|AGPL-3.0 (*)\n");
    assert_eq!(bad.len(), 2, "{bad:?}");
    assert!(bad[0].contains("a v1.0.0 is under \"AGPL-3.0\""), "{bad:?}");
}

/// A page that passes, with this added to it.
fn architecture(added: &str) -> String {
    let layers = layers::LAYERS.map(|(name, layers)| format!("{name}   {layers}"));
    let walks = "### Spawn\n### Call\n### Stream message\n### Cancel";
    format!(
        "```text\n{}\n`not a name`\n```\n{walks}\n{added}\n",
        layers.join("\n")
    )
}

#[test]
fn the_architecture_page_names_what_there_is() {
    let code = "//! Docs.\nenum Phase {\n    Open(u8),\n    Ended { how: u8 },\n}\nimpl Phase { fn end() {} }\n\
                macro_rules! expose { () => {} }\n";
    let check_with = |added: &str, expected: &[&str]| {
        let page = architecture(added);
        let elsewhere = ("src/far.rs", "fn far() {}");
        let files = [
            ("ARCHITECTURE.md", &*page),
            ("tractor-core/src/proto/dialog.rs", code),
            elsewhere,
        ];
        expect(architecture::check, &files, expected);
    };
    let good = "`proto/dialog`, `proto/`, `tractor-core/src/proto/{dialog,dialog.rs}`, `far`, `Phase`, \
                `Phase::Open`, `Phase::end()`, `Ended`, `expose!`, `cargo x/y`, `a.b(2)`, `CTX-3`";
    check_with(good, &[]);
    for bad in [
        "proto/router",
        "proto/{dialog,router}",
        "dialog.md",
        "Router",
        "Phase::Closed",
        "Phase::far",
    ] {
        check_with(&format!("`{bad}`"), &[&format!("`{bad}` is nowhere")]);
    }
    expect(architecture::check, &[], &["ARCHITECTURE.md: missing"]);
    let page = architecture("")
        .replace("### Call", "")
        .replace("← addr", "");
    let expected = ["lacks `tractor-ipc", "the walk `### Call` is missing"];
    expect(
        architecture::check,
        &[("ARCHITECTURE.md", &page)],
        &expected,
    );
}

#[test]
fn the_acceptance_table_is_complete_and_true() {
    let tests =
        "//! Docs.\n/// A1: it is so.\n#[test]\nfn one() {}\n\n/// Other.\n#[test]\nfn two() {}\n";
    let check_with = |rows: &str, expected: &[&str]| {
        let page = format!(
            "# Acceptance\n\nRanges: A1–A2, B1–B1\n\n| case | about | status | where |\n|---|---|---|---|\n{rows}"
        );
        let files = [
            ("docs/acceptance.md", &*page),
            ("docs/design.md", "# Design\n\n## Streams, and *credit*\n"),
            ("tests/it/a.rs", tests),
            ("tests/ui/fail/x.rs", "// Rule."),
        ];
        expect(acceptance::check, &files, expected);
    };
    let a1 = "| A1 | x | covered | `one` |\n";
    let a2 = "| A2 | x | replaced | [why](design.md#streams-and-credit) |\n";
    let b1 = "| B1 | x | compile error | `tests/ui/fail/x.rs` |\n";
    check_with(&format!("{a1}{a2}{b1}"), &[]);
    check_with(&format!("{a1}{b1}| A2 | x | later | discovery |\n"), &[]);
    check_with(&format!("{a1}{a2}"), &["B1 has no row"]);
    check_with(&format!("{a1}{a2}{b1}{a2}"), &["A2 has 2 rows"]);
    check_with(
        &format!("{a1}{a2}{b1}| B2 | x | later | x |\n"),
        &["B2 is in none"],
    );
    for (row, finding) in [
        ("covered | `three`", "A1: no test code has `fn three`"),
        ("covered | `two`", "A1: name it in the doc comment of `two`"),
        ("covered | some test", "A1: name in backticks"),
        (
            "compile error | `tests/ui/fail/y.rs`",
            "A1: there is no tests/ui/fail/y.rs",
        ),
        (
            "replaced | [why](design.md#credit)",
            "A1: link to a section",
        ),
        ("later | ", "A1: say with which subject"),
        ("planned | x", "A1: its status is"),
    ] {
        check_with(&format!("| A1 | x | {row} |\n{a2}{b1}"), &[finding]);
    }
    let no_ranges = [("docs/acceptance.md", "| A1 | x | later | x |\n")];
    expect(acceptance::check, &no_ranges, &["a line `Ranges:"]);
    expect(acceptance::check, &[], &["missing"]);
}

#[test]
fn the_readme_shows_the_quickstart() {
    let program = "use tractor::prelude::*;\n\nfn main() {}\n";
    let readme = format!("# x\n\n```rust\n{program}```\n\n```sh\ny\n```\n");
    let example = format!("//! Docs.\n//! More.\n\n{program}");
    let check = readme::check;
    expect(
        check,
        &[("README.md", &readme), ("examples/quickstart.rs", &example)],
        &[],
    );
    let other = example.replace("main", "other");
    let finding = &["its program is not examples/quickstart.rs"];
    expect(
        check,
        &[("README.md", &readme), ("examples/quickstart.rs", &other)],
        finding,
    );
    expect(check, &[("README.md", &readme)], finding);
    expect(check, &[], finding);
}
