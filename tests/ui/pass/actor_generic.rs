//! A generic actor; its instances are named for the catalogue.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub)]

use std::marker::PhantomData;

use futures_util::Stream;
use tractor::__private::{ACTORS, Actor};
use tractor::{Context, Me, Message};

struct Worker<T, const N: usize>
where
    T: Message,
{
    values: Vec<T>,
}

#[tractor::actor]
impl<T: Message + Clone + Sync, const N: usize> Worker<T, N> {
    #[init]
    async fn new(values: Vec<T>) -> Result<Self, tractor::AnyError> {
        Ok(Self { values })
    }

    fn push(&mut self, value: T) -> usize {
        self.values.push(value);
        self.values.len().min(N)
    }

    fn last(&self) -> Option<T> {
        self.values.last().cloned()
    }

    #[stream]
    fn all(&self) -> impl Stream<Item = T> {
        futures_util::stream::iter(self.values.clone())
    }

    #[context]
    async fn feed(me: Me<Self>, ctx: Context<T, T, ()>, first: T) -> Result<(), tractor::AnyError> {
        let _ = (me, ctx, first);
        Ok(())
    }
}

struct Idle<T>(PhantomData<fn() -> T>);

#[tractor::actor]
impl<T> Idle<T>
where
    T: Send + 'static,
{
    #[init]
    fn new() -> Self {
        Self(PhantomData)
    }
}

tractor::register!(Worker<u32, 4>);
tractor::register!(Worker<String, 8>, Idle<u8>);

fn travels<T: Message>() {}

fn main() {
    travels::<WorkerPortal<u32, 4>>();
    let _spec = Worker::<u32, 4>::spec(vec![1]);
    let _spec = Idle::<u8>::spec();
    let _push = |portal: &WorkerPortal<u32, 4>| {
        let _ = portal.push(1);
        let _ = portal.last();
        let _ = portal.all();
        let _ = portal.feed(1);
        let _: &IdlePortal<u32>;
    };
    assert_eq!(Worker::<u32, 4>::methods().len(), 4);
    let mut names: Vec<_> = ACTORS.iter().map(|entry| entry.type_name()).collect();
    names.sort_unstable();
    let here = module_path!();
    let of = |name: &str| format!("{here}::{name}");
    let expected = ["Idle<u8>", "Worker<alloc::string::String, 8>", "Worker<u32, 4>"].map(of);
    assert_eq!(names, expected);
}
