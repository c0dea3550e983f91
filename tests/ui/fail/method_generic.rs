struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Counter
    }

    fn add<T: Into<u64>>(&mut self, by: T) -> u64 {
        by.into()
    }

    fn fill<const N: usize>(&mut self) -> usize {
        N
    }

    fn sized(&self)
    where
        Self: Sized,
    {
    }
}

fn main() {}
