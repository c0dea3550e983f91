struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Counter
    }

    fn title<'a>(&'a self, other: std::borrow::Cow<'a, str>) -> std::borrow::Cow<'a, str> {
        other
    }
}

fn main() {}
