#![allow(unused)]

trait Adds {
    fn sum(&self) -> u8;
}

#[tractor::actor]
impl dyn Adds {
    fn twice(&self) -> u8 {
        2 * self.sum()
    }
}

fn main() {}
