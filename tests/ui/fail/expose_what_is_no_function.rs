#![allow(unused, unreachable_code)]

use tractor::expose;

#[tractor::rpc]
async fn is_prime(n: u64) -> bool {
    n > 1
}

fn main() {
    let _ = expose![is_prime(7)];
    let _ = expose![|n: u64| n];
    let _ = expose![is_prime::<u64>];
    let _ = expose![is_prime, 7, is_prime];
}
