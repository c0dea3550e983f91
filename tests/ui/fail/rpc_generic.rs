#[tractor::rpc]
async fn largest<T: Ord>(values: Vec<T>) -> Option<T> {
    values.into_iter().max()
}

#[tractor::rpc]
async fn fill<const N: usize>() -> Vec<u8> {
    vec![0; N]
}

#[tractor::rpc]
async fn first<'a>(text: std::borrow::Cow<'a, str>) -> usize {
    text.len()
}

fn main() {}
