//! Every mistake is reported, not only the first.

struct Counter {
    n: u64,
}

#[tractor::actor(workers = 2)]
impl Counter {
    #[init]
    fn new(&self, name: &str) -> Self {
        Counter { n: name.len() as u64 }
    }

    fn add<T: Into<u64>>(&mut self, by: T) -> u64 {
        self.n += by.into();
        self.n
    }

    #[cast]
    async fn log(self, line: &str) -> usize {
        line.len()
    }

    fn peek(&self) -> &u64 {
        &self.n
    }
}

fn main() {}
