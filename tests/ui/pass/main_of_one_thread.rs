//! `#[tractor::main]` on one thread, without a result.
#![forbid(unsafe_code)]
#![deny(warnings)]

#[tractor::main(flavor = "current_thread")]
async fn main() {
    std::future::ready(()).await;
}
