#[tractor::rpc]
fn is_prime(n: u64) -> bool {
    n > 1
}

fn main() {}
