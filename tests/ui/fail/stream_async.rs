struct Clock;

trait Stream {
    type Item;
}

struct Ticks;

impl Stream for Ticks {
    type Item = u64;
}

#[tractor::actor]
impl Clock {
    #[init]
    fn new() -> Self {
        Clock
    }

    #[stream]
    async fn ticks(&self) -> impl Stream<Item = u64> {
        Ticks
    }
}

fn main() {}
