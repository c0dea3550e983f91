struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    #[cancel_safe]
    async fn shared(&self) {}

    #[cancel_safe]
    fn plain(&mut self) {}

    #[cancel_safe]
    #[blocking]
    fn read(&mut self) {}

    #[cancel_safe]
    async fn fine(&mut self) {}
}

fn main() {}
