struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    #[on_start]
    fn up(&mut self) {}

    #[on_start]
    fn up_too(&mut self) {}
}

fn main() {}
