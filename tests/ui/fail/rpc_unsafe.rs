#![allow(unused)]

#[tractor::rpc]
async unsafe fn poke(at: usize) {}

#[tractor::rpc]
async extern "C" fn call() {}

fn main() {}
