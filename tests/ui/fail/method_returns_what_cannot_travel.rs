struct Store {
    name: String,
}

#[tractor::actor]
impl Store {
    #[init]
    fn new() -> Self {
        Store { name: String::new() }
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn parts(&self) -> Result<Vec<&str>, tractor::AnyError> {
        Ok(vec![&self.name])
    }

    fn letters(&self) -> impl Iterator<Item = char> {
        self.name.chars()
    }

    fn never(&self) -> ! {
        loop {}
    }
}

fn main() {}
