//! Faults done to trees of real processes. Those of `kills` are done again and again, each trial to another victim of a tree
//! of 21: `cargo xtask chaos` runs them for long, the test command with few trials.
//!
//! A row ends with its line of the table: see [`table`].

mod deaf;
mod kills;
mod table;
mod tree;
