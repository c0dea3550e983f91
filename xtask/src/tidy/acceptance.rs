//! `docs/acceptance.md` says of every acceptance case where it stands, and what it says is so.
//!
//! A line `Ranges: A1–A14, B1–B19` lists the cases; each has one row
//! `| A1 | what it is about | status | where |`:
//!
//! - `covered` names tests in backticks; each is a `fn` in test code whose doc comment names the
//!   case (`/// A1, A5: …`);
//! - `compile error` names the file of a compile test in backticks;
//! - `replaced` links to the section of the design page that says by what (`design.md#section`);
//! - `later` says with which subject it comes.

use std::collections::BTreeMap;

use super::Tree;
use super::source::{is_word, lines, words};

pub(super) const PAGE: &str = "docs/acceptance.md";
const DESIGN: &str = "docs/design.md";

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let Some(page) = tree.pages.get(PAGE) else {
        return vec![format!(
            "{PAGE}: missing; it says which case is shown where"
        )];
    };
    let mut findings = Vec::new();
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let tests = tests(tree);
    for (line, text) in lines(page) {
        let cells: Vec<&str> = text.split('|').map(str::trim).collect();
        if let ["", id, _, status, place, ""] = cells[..]
            && id.ends_with(char::is_numeric)
        {
            *rows.entry(id).or_default() += 1;
            let remedy = check_row(tree, &tests, id, status, place).err();
            findings.extend(remedy.map(|remedy| format!("{PAGE}:{line}: {id}: {remedy}")));
        }
    }
    let listed = page.lines().find_map(|line| line.strip_prefix("Ranges: "));
    let Some(listed) = listed.and_then(ranges) else {
        findings.push(format!(
            "{PAGE}: a line `Ranges: A1–A14, …` says which cases there are"
        ));
        return findings;
    };
    for id in &listed {
        match rows.remove(&**id).unwrap_or_default() {
            0 => findings.push(format!("{PAGE}: {id} has no row; say where it stands")),
            1 => {}
            n => findings.push(format!("{PAGE}: {id} has {n} rows; keep one")),
        }
    }
    let unlisted = rows
        .keys()
        .map(|id| format!("{PAGE}: {id} is in none of the ranges"));
    findings.extend(unlisted);
    findings
}

/// `A1–A3` is A1, A2, A3.
fn ranges(list: &str) -> Option<Vec<String>> {
    let mut ids = Vec::new();
    for range in list.split(',') {
        let (first, last) = range.trim().split_once('–')?;
        let group = first.trim_end_matches(char::is_numeric);
        let number = |id: &str| id.strip_prefix(group)?.parse::<u32>().ok();
        ids.extend((number(first)?..=number(last)?).map(|number| format!("{group}{number}")));
    }
    Some(ids)
}

/// The functions of test code with their doc comments.
fn tests(tree: &Tree) -> BTreeMap<&str, String> {
    let mut tests = BTreeMap::new();
    for source in tree.sources.values() {
        let mut docs = String::new();
        for (line, text) in source.test_lines() {
            let text = text.trim();
            let code = source.code.lines().nth(line - 1).unwrap_or_default();
            let mut code = words(code)
                .map(|(_, word)| word)
                .skip_while(|word| *word != "fn");
            if let Some(doc) = text.strip_prefix("///") {
                docs += doc;
            } else if let Some(name) = code.nth(1) {
                tests.insert(name, std::mem::take(&mut docs));
            } else if text.is_empty() || text.ends_with(['}', ';']) {
                docs.clear();
            }
        }
    }
    tests
}

fn check_row(
    tree: &Tree,
    tests: &BTreeMap<&str, String>,
    id: &str,
    status: &str,
    place: &str,
) -> Result<(), String> {
    let named: Vec<&str> = place.split('`').skip(1).step_by(2).collect();
    match status {
        "covered" | "compile error" if named.is_empty() => {
            Err("name in backticks what shows it".to_owned())
        }
        "covered" => named.iter().try_for_each(|name| match tests.get(name) {
            None => Err(format!("no test code has `fn {name}`")),
            Some(docs) if docs.split(|c| !is_word(c)).any(|word| word == id) => Ok(()),
            Some(_) => Err(format!("name it in the doc comment of `{name}`")),
        }),
        "compile error" => match named.iter().find(|path| !tree.has(path)) {
            None => Ok(()),
            Some(path) => Err(format!("there is no {path}")),
        },
        "replaced" if has_section(tree, place) => Ok(()),
        "replaced" => Err(format!(
            "link to a section of {DESIGN}: `[why](design.md#section)`"
        )),
        "later" if !place.is_empty() => Ok(()),
        "later" => Err("say with which subject it comes".to_owned()),
        _ => Err("its status is covered, compile error, replaced or later".to_owned()),
    }
}

/// Whether the design page has the heading `place` links to.
fn has_section(tree: &Tree, place: &str) -> bool {
    let (_, link) = place.split_once("design.md#").unwrap_or_default();
    let anchor = link.split(')').next().unwrap_or_default();
    let page = tree.pages.get(DESIGN).map_or("", String::as_str);
    let mut headings = page.lines().filter_map(|line| line.split_once("# "));
    headings.any(|(_, heading)| {
        let heading = heading.trim().to_lowercase().replace(' ', "-");
        heading
            .chars()
            .filter(|c| is_word(*c) || *c == '-')
            .eq(anchor.chars())
    })
}
