struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Counter
    }

    fn run(&mut self) {}

    #[cast]
    fn clone(&self) {}
}

fn main() {
    let mut counter = Counter::new();
    counter.run();
    counter.clone();
}
