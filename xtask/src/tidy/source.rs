//! A Rust source taken apart just far enough for the checks: comments, code without its strings,
//! words, and paths. It never fails: what it does not understand counts as code.

/// One Rust file. `code` and `comments` keep the text's lines; what belongs to the other one, and
/// what stands between quotes, is blank there.
pub(super) struct Source {
    pub(super) text: String,
    pub(super) code: String,
    pub(super) comments: String,
    /// Line at which test code begins; it goes on to the end of the file.
    tests_from: usize,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, comments) = split(text);
        let is_test = path.split('/').any(|part| TESTS.contains(&part));
        let tests_from = if is_test { 1 } else { tests_from(&code) };
        let text = text.to_owned();
        Self {
            text,
            code,
            comments,
            tests_from,
        }
    }

    /// The code before the tests.
    pub(super) fn shipped_code(&self) -> String {
        let lines: Vec<&str> = self.code.lines().take(self.tests_from - 1).collect();
        lines.join("\n")
    }

    /// The lines of the tests.
    pub(super) fn test_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        lines(&self.text).skip(self.tests_from - 1)
    }
}

/// Where `#[cfg(test)] mod … {` begins; house style puts it last.
fn tests_from(code: &str) -> usize {
    let all: Vec<&str> = code.lines().collect();
    let is_start = |pair: &[&str]| {
        let cfg = pair[0].starts_with("#[cfg(") && words(pair[0]).any(|(_, word)| word == "test");
        cfg && pair[1].contains("mod ") && pair[1].ends_with('{')
    };
    all.windows(2)
        .position(is_start)
        .map_or(usize::MAX, |at| at + 1)
}

/// The lines of a text with their number (from 1).
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line))
}

/// The words of a text with their line.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    lines(text).flat_map(|(line, text)| {
        let words = text.split(|c| !is_word(c)).filter(|word| !word.is_empty());
        words.map(move |word| (line, word))
    })
}

/// Whether `c` can be part of a word.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path of `code` that starts at `root` (`crate`, `std`, …), without it, with its line and
/// with the groups of `use` trees written out.
pub(super) fn paths<'a>(code: &'a str, root: &str) -> Vec<(usize, Vec<&'a str>)> {
    let mut found = Vec::new();
    let start = format!("{root}::");
    for (at, _) in code.match_indices(&start) {
        if code[..at].ends_with(|c| is_word(c) || c == ':') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let mut ends = Vec::new();
        path_tree(&code[at + start.len()..], &[], &mut ends);
        found.extend(ends.into_iter().map(|path| (line, path)));
    }
    found
}

/// Reads one `use` tree, adds its paths to `ends`, and returns what follows it.
fn path_tree<'a>(rest: &'a str, prefix: &[&'a str], ends: &mut Vec<Vec<&'a str>>) -> &'a str {
    let rest = rest.trim_start();
    if let Some(mut inner) = rest.strip_prefix('{') {
        loop {
            inner = inner.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
            if inner.is_empty() || inner.starts_with('}') {
                return inner.get(1..).unwrap_or_default();
            }
            inner = path_tree(inner, prefix, ends);
            let renamed = inner.find([',', '}']).unwrap_or(inner.len()); // `as name`
            inner = &inner[renamed..];
        }
    }
    let (word, rest) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
    let path = [prefix, &[word]].concat();
    match rest.trim_start().strip_prefix("::").map(str::trim_start) {
        Some(more) if more.starts_with(|c| is_word(c) || c == '{') => path_tree(more, &path, ends),
        _ => {
            ends.push(path);
            rest
        }
    }
}

#[derive(PartialEq)]
enum Part {
    Code,
    Comment,
    Quoted,
}

fn split(text: &str) -> (String, String) {
    let (mut code, mut comments) = (String::new(), String::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (part, len) = next_part(rest);
        for c in rest[..len].chars() {
            let blank = if c == '\n' { '\n' } else { ' ' };
            code.push(if part == Part::Code { c } else { blank });
            comments.push(if part == Part::Comment { c } else { blank });
        }
        rest = &rest[len..];
    }
    (code, comments)
}

/// The part `text` begins with, and its length in bytes.
fn next_part(text: &str) -> (Part, usize) {
    if text.starts_with("//") {
        return (Part::Comment, text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return (Part::Comment, block_comment(text));
    }
    let word = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (prefix, rest) = text.split_at(word);
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if matches!(prefix, "r" | "br" | "cr") && rest[hashes..].starts_with('"') {
        let close = format!("\"{}", "#".repeat(hashes));
        let from = word + hashes + 1;
        let end = text[from..].find(&close);
        return (
            Part::Quoted,
            end.map_or(text.len(), |end| from + end + close.len()),
        );
    }
    if matches!(prefix, "" | "b" | "c") && rest.starts_with('"') {
        return (Part::Quoted, word + quoted(rest));
    }
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some('\\'), Some(_)) => (Part::Quoted, quoted(text)),
        (Some('\''), Some(_), Some('\'')) => (Part::Quoted, quoted(text)),
        (first, ..) => (Part::Code, word.max(first.map_or(0, char::len_utf8))),
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let step = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => 1,
            [b'*', b'/', ..] => -1,
            _ => 0,
        };
        depth += step;
        at += if step == 0 { 1 } else { 2 };
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of the text between the quote `text` begins with and the next one that is not escaped.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\\' => escaped = !escaped,
            _ if !escaped && text.starts_with(c) => return at + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

/// Folders and files of test code; what else is stands behind `#[cfg(test)]` at a file's end.
const TESTS: [&str; 3] = ["tests", "tests.rs", "models.rs"];
