struct Counter {
    n: u64,
}

#[tractor::actor]
impl Counter {
    fn add(&mut self, by: u64) -> u64 {
        self.n += by;
        self.n
    }
}

fn main() {
    Counter { n: 0 }.add(1);
}
