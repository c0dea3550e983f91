//! Real processes: every tree in a case process of its own, below a harness process that counts what is left.
//!
//! A test re-executes this binary twice: as *harness*, a subreaper that drives the case from outside and takes the census,
//! and below it as *case*, the root of a tree. libtest only drives.

mod actor;
mod census;
mod containment;
mod ending;
mod hostile;
mod signals;
mod starting;
mod tree;
