//! Faults done to a tree of 21 processes, again and again, each trial to another victim: what `cargo xtask chaos` runs for
//! long, and the test command with few trials.
//!
//! A row ends with its line of the table: see [`table`].

mod kills;
mod table;
mod tree;
