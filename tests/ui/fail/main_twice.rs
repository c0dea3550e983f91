#[tractor::main]
#[tokio::main]
async fn main() {}
