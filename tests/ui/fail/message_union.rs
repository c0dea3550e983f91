use tractor::Message;

#[derive(Message)]
union Bits {
    whole: u32,
    real: f32,
}

fn main() {}
