use tractor::Context;

#[tractor::context]
async fn feed(ctx: Context<&'static str, (), &[u8]>, name: &str) -> &'static str {
    let _ = (ctx, name);
    "done"
}

fn main() {}
