#[tractor::rpc]
async fn length(text: &str) -> usize {
    text.len()
}

#[tractor::rpc]
async fn sum(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().sum()
}

#[tractor::rpc]
async fn name() -> &'static str {
    "name"
}

#[tractor::rpc]
async fn numbers() -> impl Iterator<Item = u64> {
    [1].into_iter()
}

fn main() {}
