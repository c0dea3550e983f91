use tractor::register;

struct Worker<T>(T);

register!();
register!(Worker<_>);
register!(Worker<std::borrow::Cow<'_, str>>);
register!(&'static Worker<u32>);
register!(7);

fn main() {
    let _ = Worker(1).0;
}
