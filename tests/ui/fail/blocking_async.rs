struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    #[blocking]
    async fn read(&mut self) -> Vec<u8> {
        vec![]
    }
}

fn main() {}
