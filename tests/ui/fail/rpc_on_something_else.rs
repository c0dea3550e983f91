#[tractor::rpc]
struct Job;

struct Worker;

impl Worker {
    #[tractor::rpc]
    async fn work(&self, n: u64) -> u64 {
        n
    }
}

fn main() {}
