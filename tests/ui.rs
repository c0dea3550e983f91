//! What the macros refuse, and what they accept: one file per rule in `tests/ui/{fail,pass}`.
//!
//! A file in `fail` has the exact text and place of each error beside it (`.stderr`); only errors that our macros make
//! stand there, since the compiler's own change from one release to the next.

/// `MAC-1`: each error stands at the user's tokens and says what to do. `MAC-2`: nothing but our errors is reported,
/// since the user's items are still there.
#[test]
fn misuse_is_refused_where_it_stands_and_use_is_not() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
