#[tractor::main]
async fn start() {}

fn main() {}
