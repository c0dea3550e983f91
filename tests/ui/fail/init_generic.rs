struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new<T: Into<u64>>(start: T) -> Self {
        let _ = start.into();
        Counter
    }
}

fn main() {
    Counter::new(1u8);
}
