#[tractor::actor]
struct Counter {
    n: u64,
}

#[tractor::actor]
enum State {
    On,
}

#[tractor::actor]
fn counter() {}

fn main() {
    let _ = (Counter { n: 1 }.n, State::On);
    counter();
}
