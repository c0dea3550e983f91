struct Counter;

#[tractor::actor(nmae = "counter", crate = tractor, drain)]
impl Counter {
    #[init]
    fn new() -> Self {
        Counter
    }
}

fn main() {
    Counter::new();
}
