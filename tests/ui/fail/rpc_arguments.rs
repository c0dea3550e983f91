#[tractor::rpc(named = "x")]
async fn one() {}

#[tractor::rpc(name = 3)]
async fn two() {}

#[tractor::rpc(name = "")]
async fn three() {}

#[tractor::rpc(name = "a", name = "b")]
async fn four() {}

#[tractor::rpc(crate = 1 + 1)]
async fn five() {}

fn main() {}
