struct Reader<'a> {
    text: &'a str,
}

#[tractor::actor]
impl<'a> Reader<'a> {
    #[init]
    fn new() -> Self {
        Reader { text: "" }
    }

    fn length(&self) -> usize {
        self.text.len()
    }
}

fn main() {
    Reader::new().length();
}
