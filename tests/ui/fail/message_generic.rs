use tractor::Message;

#[derive(Message)]
struct Sample<T> {
    value: T,
}

#[derive(Message)]
struct Text<'a> {
    text: std::borrow::Cow<'a, str>,
}

#[derive(Message)]
enum Block<const N: usize> {
    Full([u8; N]),
}

fn main() {}
