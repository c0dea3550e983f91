//! Free functions: a call as a value, the plain function, the name in the catalogue.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, unnameable_types, unused_qualifications)]
#![deny(elided_lifetimes_in_paths, missing_debug_implementations, single_use_lifetimes)]
#![allow(missing_debug_implementations, reason = "so that the program's own types need none")]

use std::pin::pin;
use std::task::{Context as Cx, Poll, Waker};

use tractor::Context;
use tractor::__private::{ContextFn, Expose, FUNCTIONS, RpcFn};

/// Whether `n` is prime.
#[tractor::rpc]
pub async fn is_prime(n: u64) -> bool {
    n > 1 && (2..n).all(|d| n % d != 0)
}

#[tractor::rpc(name = "stable.sum")]
async fn sum((a, b): (u64, u64), _: String, mut c: u64) -> Result<u64, tractor::AnyError> {
    c += a + b;
    Ok(c)
}

/// Calls itself: the name is a call as a value in its own body, too.
#[tractor::rpc]
pub(crate) async fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1).await }
}

#[tractor::rpc]
async fn nothing() {}

#[tractor::rpc]
async fn r#match(r#in: u8) -> u8 {
    r#in
}

/// A module of its own.
pub mod math {
    /// Doubles.
    #[tractor::rpc]
    pub async fn double(n: u64) -> u64 {
        2 * n
    }
}

#[tractor::context]
async fn feed(ctx: Context<u32, String, ()>, data: u32) -> Result<u32, tractor::AnyError> {
    let _ = ctx;
    Ok(data)
}

#[tractor::context(name = "stable.quiet")]
async fn quiet(_ctx: Context<(), (), ()>) {}

fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Cx::from_waker(Waker::noop())) {
            return value;
        }
    }
}

fn is_send<T: Send + 'static>(value: T) -> T {
    value
}

fn main() {
    assert!(run(is_prime(7)));
    assert!(!run(is_send(is_prime::local(8))));
    assert_eq!(run(sum((1, 2), String::new(), 3)).ok(), Some(6));
    assert_eq!(run(factorial(5)), 120);
    assert_eq!(run(math::double(4)), 8);
    assert_eq!(run(r#match(3)), 3);
    run(nothing());
    let _context = feed(10);
    let _context = quiet();
    let _local = feed::local;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Local(u32);

    #[tractor::rpc]
    async fn inside(x: Local) -> Local {
        Local(2 * x.0)
    }

    assert_eq!(run(inside(Local(2))).0, 4);

    let here = module_path!();
    assert_eq!(<is_prime as RpcFn>::NAME, format!("{here}::is_prime"));
    assert_eq!(<math::double as RpcFn>::NAME, format!("{here}::math::double"));
    assert_eq!(<r#match as Expose>::NAME, format!("{here}::match"));
    assert_eq!(<sum as RpcFn>::NAME, "stable.sum");
    assert_eq!(<feed as ContextFn>::NAME, format!("{here}::feed"));
    let mut names: Vec<_> = FUNCTIONS.iter().map(|entry| entry.name()).collect();
    names.sort_unstable();
    let of = |name: &str| format!("{here}::{name}");
    let mut expected = vec!["stable.quiet".to_owned(), "stable.sum".to_owned()];
    expected.extend(
        ["factorial", "feed", "inside", "is_prime", "match", "math::double", "nothing"].map(of),
    );
    expected.sort_unstable();
    assert_eq!(names, expected);
    let _exposed = tractor::expose![is_prime, math::double, feed, sum,];
    let _none = tractor::expose![];
}
