//! For tests that start real processes: each tree in a case process of its own, below a harness process that counts what
//! it has left.
//!
//! ```text
//!  libtest's thread ── harness process ── case process ── nanny ── guardian ── actors
//!    only drives        subreaper, census   root of a tree
//! ```
//!
//! All of them are the same test binary. The two processes below libtest's thread run the same test again, told by one
//! variable which of the three they are; the actors are taken by the entry before libtest can begin.
//!
//! - CASE-1: a case whose processes, sockets or descriptors are still there after its end fails its test.
//! - CASE-2: a case ends: one that is still there when its time is up is killed, and fails its test.

mod case;
mod census;
mod descriptors;
mod processes;
mod running;

pub use case::{Case, case, case_with};
pub use census::{Left, processes_of_the_case};
pub use processes::{children, children_of, ends_within, nanny_and_guardian, parse_pids, stop};
pub use running::{PATIENCE, Running, ends_well, pause, say, say_pids};

/// The name of the test it is written in, as libtest knows it.
#[macro_export]
macro_rules! this_test {
    () => {{
        fn here() {}
        $crate::testing::test_name(::std::any::type_name_of_val(&here))
    }};
}

/// The name libtest has for the test with this function in it; for [`this_test!`](crate::this_test).
#[doc(hidden)]
pub fn test_name(path: &'static str) -> &'static str {
    let path = path.strip_suffix("::here").unwrap_or(path);
    path.split_once("::").map_or(path, |(_, name)| name)
}
