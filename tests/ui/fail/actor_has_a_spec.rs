struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Counter
    }

    fn spec(n: u64) -> u64 {
        n
    }
}

fn main() {
    Counter::new();
    Counter::spec(1);
}
