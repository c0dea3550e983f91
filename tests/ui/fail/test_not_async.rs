#[tractor::test]
fn works() {}

fn main() {}
