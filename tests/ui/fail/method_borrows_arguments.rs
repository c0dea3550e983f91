#![allow(unused)]

use std::borrow::Cow;
use std::path::Path;

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    fn text(&mut self, key: &str) {}

    fn slice(&mut self, values: &[u8]) {}

    fn path(&mut self, path: &Path) {}

    fn change(&mut self, list: &mut Vec<u8>) {}

    fn nested(&mut self, pairs: Vec<(u8, &str)>, one: Option<&u64>) {}

    fn maybe(&mut self, text: Cow<'_, str>) {}

    fn pointer(&mut self, at: *const u8) {}
}

fn main() {}
