struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    async fn new(name: &str, list: impl Iterator<Item = u8>) -> Self {
        let _ = (name, list);
        Counter
    }
}

fn main() {
    let _ = Counter::new("", [1].into_iter());
}
