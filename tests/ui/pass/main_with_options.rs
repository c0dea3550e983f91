//! `#[tractor::main]` with all its options, and a result.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

/// Has the name of our body's caller, and is called all the same.
fn body() -> u64 {
    7
}

#[tractor::main(flavor = "multi_thread", workers = 2, name = "root")]
async fn main() -> Result<(), tractor::AnyError> {
    let value = async { body() }.await;
    assert_eq!(value, 7);
    Ok(())
}
