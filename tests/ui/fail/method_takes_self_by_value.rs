use std::pin::Pin;
use std::sync::Arc;

struct Counter;

#[tractor::actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Counter
    }

    fn finish(self) -> u64 {
        0
    }

    fn share(self: Arc<Self>) -> u64 {
        0
    }

    #[cast]
    fn pinned(self: Pin<&mut Self>) {}

    #[context]
    async fn chat(mut self, ctx: tractor::Context<(), (), ()>) {
        let _ = (&mut self, ctx);
    }
}

fn main() {}
