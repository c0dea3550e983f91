use tractor::Message;

#[derive(Message)]
#[message(nmae = "x")]
struct One;

#[derive(Message)]
#[message(version = 0)]
struct Two;

#[derive(Message)]
#[message(name = "", opaque = true)]
struct Three;

#[derive(Message)]
#[message(name = "a")]
#[message(name = "b")]
struct Four;

#[derive(Message)]
#[message]
struct Five;

#[derive(Message)]
struct Six {
    #[message(opaque)]
    value: u64,
}

fn main() {}
