use tractor::Message;

#[derive(Message)]
struct Line {
    text: &'static str,
    parts: Vec<&'static [u8]>,
    number: u64,
}

#[derive(Message)]
enum Event {
    Opened(u64),
    Named { name: &'static str },
    At(*const u8),
}

fn main() {}
