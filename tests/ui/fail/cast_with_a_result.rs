struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    #[cast]
    fn put(&mut self, key: u8) -> bool {
        key > 0
    }

    #[cast]
    async fn take(&mut self) -> Result<u8, tractor::AnyError> {
        Ok(1)
    }

    #[cast]
    fn log(&mut self) -> Result<(), tractor::AnyError> {
        Ok(())
    }
}

fn main() {}
