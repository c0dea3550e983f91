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
    async fn down(&mut self) -> Result<(), std::fmt::Error> {
        Ok(())
    }
}

fn main() {}
