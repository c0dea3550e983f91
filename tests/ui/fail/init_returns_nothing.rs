struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    async fn new(start: u64) {
        let _ = start;
    }
}

fn main() {
    let _ = (Counter::new(1), Counter);
}
