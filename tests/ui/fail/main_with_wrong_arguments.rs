#[tractor::main(threads = 2, workers = 0, name = 7)]
async fn main() {}
