#![allow(unused)]

struct Store;

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store
    }

    #[on_start]
    async fn up(&mut self, name: String) {}

    #[on_stop]
    async fn down(&mut self) -> Result<(), tractor::AnyError> {
        Ok(())
    }
}

fn main() {}
