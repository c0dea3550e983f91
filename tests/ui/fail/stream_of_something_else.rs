struct Clock;

#[tractor::actor]
impl Clock {
    #[init]
    fn new() -> Self {
        Clock
    }

    #[stream]
    fn ticks(&self) -> Vec<u64> {
        vec![]
    }

    #[stream]
    fn tocks(&self) -> impl Iterator<Item = u64> {
        [1].into_iter()
    }

    #[stream]
    fn nothing(&self) {}
}

fn main() {}
