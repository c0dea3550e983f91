struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new(&self) -> Self {
        Counter
    }
}

fn main() {
    Counter.new();
}
