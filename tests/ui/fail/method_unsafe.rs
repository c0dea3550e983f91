struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Counter
    }

    unsafe fn poke(&mut self) {}

    extern "C" fn call(&mut self) {}
}

fn main() {}
