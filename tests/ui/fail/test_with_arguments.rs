#[tractor::test]
async fn works(n: u64) {
    let _ = n;
}

#[tractor::test(workers = 2)]
async fn one_thread() {}

#[tractor::test(name = "x", paused)]
async fn named() {}

#[tractor::test]
const N: u64 = 0;

fn main() {}
