//! Every form a function in an `#[actor]` block can have, under lints that let nothing through.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, unnameable_types, unused_qualifications)]
#![deny(elided_lifetimes_in_paths, missing_debug_implementations, single_use_lifetimes)]
#![deny(unit_bindings, redundant_lifetimes, trivial_casts, trivial_numeric_casts, unused_results)]

use std::time::Duration;

use futures_util::Stream;
use tractor::__private::{Actor, CastError, MethodKind, OnError};
use tractor::{Context, Me};

/// Counts.
#[derive(Debug)]
pub struct Counter {
    n: u64,
}

/// Not ready yet.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct NotReady;

impl std::fmt::Display for NotReady {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not ready")
    }
}

impl std::error::Error for NotReady {}

mod answer {
    pub(super) type Result<T> = std::result::Result<T, super::NotReady>;
}

#[tractor::actor]
impl Counter {
    const STEP: usize = 2;

    /// Starts at `start`.
    #[init]
    pub async fn new(start: u64) -> Self {
        Self { n: start }
    }

    /// Adds.
    pub async fn add(&mut self, by: u64) -> u64 {
        self.n += by;
        self.n
    }

    async fn peek(&self) -> Result<u64, NotReady> {
        if self.n == 0 { Err(NotReady) } else { Ok(self.n) }
    }

    fn bump(&mut self, by: u64) {
        self.n += by;
    }

    fn steps(&self, of: [u8; Self::STEP]) -> Option<[u8; Self::STEP]> {
        Some(of)
    }

    fn alias(&self, _: u8, (a, b): (u64, u64), mut c: u64) -> answer::Result<u64> {
        c += a + b;
        Ok(c)
    }

    fn r#type(&self, r#in: String) -> String {
        r#in
    }

    /// Names that could meet ours.
    fn names(&mut self, reply: u8, message: u8, a0: u8, me: u8, index: u8) -> u8 {
        reply + message + a0 + me + index
    }

    #[cast]
    async fn log(&mut self, line: String) {
        self.n += line.len() as u64;
    }

    #[cast]
    fn check(&self, line: String) -> answer::Result<()> {
        if line.is_empty() { Err(NotReady) } else { Ok(()) }
    }

    #[cancel_safe]
    async fn slow(&mut self) {
        std::future::pending().await
    }

    #[blocking]
    fn read(&self, path: std::path::PathBuf) -> Vec<u8> {
        path.into_os_string().into_encoded_bytes()
    }

    #[stream]
    fn ticks(&self, every: Duration) -> impl Stream<Item = u64> {
        let n = self.n;
        futures_util::stream::iter((0..n).map(move |i| i * every.as_secs()))
    }

    #[context]
    async fn chat(me: Me<Self>, ctx: Context<u32, String, ()>, room: String) -> answer::Result<u32> {
        let _ = (me, ctx);
        if room.is_empty() { Err(NotReady) } else { Ok(1) }
    }

    #[tractor::context(drain)]
    async fn last(_me: Me<Counter>, _ctx: Context<(), (), ()>) {}

    #[on_start]
    async fn up(&mut self) {
        self.n += 1;
    }

    #[on_stop]
    fn down(&mut self) {
        self.n -= 1;
    }

    #[on_error]
    fn failed(&self, error: CastError) -> OnError {
        let _ = error;
        OnError::Continue
    }

    /// Stays as it is: nobody calls it from elsewhere.
    pub fn plain(n: u64) -> Self {
        Self { n }
    }
}

fn main() {
    let kinds: Vec<_> = Counter::methods().iter().map(|one| (one.name(), one.kind())).collect();
    assert_eq!(
        kinds,
        [
            ("add", MethodKind::Exclusive),
            ("peek", MethodKind::Shared),
            ("bump", MethodKind::Exclusive),
            ("steps", MethodKind::Shared),
            ("alias", MethodKind::Shared),
            ("type", MethodKind::Shared),
            ("names", MethodKind::Exclusive),
            ("log", MethodKind::Exclusive),
            ("check", MethodKind::Shared),
            ("slow", MethodKind::CancelSafe),
            ("read", MethodKind::Blocking),
            ("ticks", MethodKind::Shared),
            ("chat", MethodKind::Context { drain: false }),
            ("last", MethodKind::Context { drain: true }),
        ]
    );
    let _spec = Counter::spec(40);
    let _ = Counter::plain(1);
}

fn _calls(counter: &CounterPortal) {
    let _ = counter.add(1);
    let _ = counter.peek();
    let _ = counter.steps([1, 2]);
    let _ = counter.alias(1, (2, 3), 4);
    let _ = counter.r#type(String::new());
    let _ = counter.names(1, 2, 3, 4, 5);
    let _ = counter.log(String::new());
    let _ = counter.check(String::new());
    let _ = counter.slow();
    let _ = counter.read(std::path::PathBuf::new());
    let _ = counter.ticks(Duration::ZERO);
    let _ = counter.chat(String::new());
    let _ = counter.last();
}
