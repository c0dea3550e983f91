#![allow(unused)]

struct CastError;

enum OnError {
    Continue,
}

struct Missing;

#[tractor::actor]
impl Missing {
    #[init]
    fn new() -> Self {
        Missing
    }

    #[on_error]
    fn failed(&self) -> OnError {
        OnError::Continue
    }
}

struct Waits;

#[tractor::actor]
impl Waits {
    #[init]
    fn new() -> Self {
        Waits
    }

    #[on_error]
    async fn failed(&self, error: CastError) -> OnError {
        OnError::Continue
    }
}

struct Changes;

#[tractor::actor]
impl Changes {
    #[init]
    fn new() -> Self {
        Changes
    }

    #[on_error]
    fn failed(&mut self, error: CastError) -> OnError {
        OnError::Continue
    }
}

struct Silent;

#[tractor::actor]
impl Silent {
    #[init]
    fn new() -> Self {
        Silent
    }

    #[on_error]
    fn failed(&self, error: CastError) {}
}

fn main() {}
