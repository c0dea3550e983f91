trait Adds {
    fn add(&mut self, by: u64) -> u64;
}

struct Counter {
    n: u64,
}

#[tractor::actor]
impl Adds for Counter {
    fn add(&mut self, by: u64) -> u64 {
        self.n += by;
        self.n
    }
}

fn main() {
    Counter { n: 1 }.add(1);
}
