struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Counter
    }

    #[init]
    fn other() -> Self {
        Counter
    }
}

fn main() {
    Counter::new();
    Counter::other();
}
