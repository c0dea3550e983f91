#[tractor::main]
struct Main;

fn main() {}
