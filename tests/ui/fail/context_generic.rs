use tractor::Context;

#[tractor::context]
async fn feed<T>(ctx: Context<(), T, T>, first: T) {
    let _ = (ctx, first);
}

fn main() {}
