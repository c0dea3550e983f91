struct Clock;

trait Stream {
    type Item;
}

struct Names(&'static str);

impl Stream for Names {
    type Item = &'static str;
}

#[tractor::actor]
impl Clock {
    #[init]
    fn new() -> Self {
        Clock
    }

    #[stream]
    fn names(&self) -> impl Stream<Item = &'static str> {
        Names("")
    }
}

fn main() {}
