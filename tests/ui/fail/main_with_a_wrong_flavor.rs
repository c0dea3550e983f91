#[tractor::main(flavor = "sweet")]
async fn main() {}
