//! spike
#![allow(
    missing_docs,
    non_camel_case_types,
    missing_debug_implementations,
    clippy::all
)]
use tractor_core::error::Error;
use tractor_core::message::Never;
use tractor_core::nursery::open_nursery;
use tractor_core::private as k;

pub struct is_prime {}
impl is_prime {
    pub async fn local(n: u64) -> bool {
        n > 1 && (2..n).take_while(|d| d * d <= n).all(|d| n % d != 0)
    }
}
fn is_prime(n: u64) -> k::FnCall<is_prime> {
    k::FnCall::new((n,))
}
impl k::RpcFn for is_prime {
    type Args = (u64,);
    type Output = bool;
    type Ok = bool;
    type Err = Never;
    const NAME: &'static str = "spike::is_prime";
    fn invoke((n,): (u64,)) -> impl Future<Output = bool> + Send + 'static {
        is_prime::local(n)
    }
    fn outcome(o: bool) -> Result<bool, Never> {
        Ok(o)
    }
}
impl k::Expose for is_prime {
    const NAME: &'static str = <Self as k::RpcFn>::NAME;
}
const _: () = {
    #[k::linkme::distributed_slice(k::FUNCTIONS)]
    #[linkme(crate = k::linkme)]
    static E: k::FunctionEntry = k::FunctionEntry::rpc::<is_prime>();
};

pub struct chat {}
impl chat {
    pub async fn local(
        ctx: k::Context<u32, u32, u32>,
        data: u32,
    ) -> Result<u32, tractor_core::message::AnyError> {
        let ctx = ctx.started(data + 1).await?;
        let mut s = ctx.open_stream().await?;
        let mut n = 0;
        while let Some(x) = s.next().await? {
            s.send(x * 2).await?;
            n += 1;
        }
        Ok(n)
    }
}
fn chat(d: u32) -> k::FnContext<chat> {
    k::FnContext::new((d,))
}
impl k::ContextFn for chat {
    type Args = (u32,);
    type Started = u32;
    type In = u32;
    type Out = u32;
    type Ok = u32;
    type Err = tractor_core::message::AnyError;
    const NAME: &'static str = "spike::chat";
    fn invoke(
        ctx: k::Context<u32, u32, u32>,
        (d,): (u32,),
    ) -> impl Future<Output = Result<u32, Self::Err>> + Send + 'static {
        chat::local(ctx, d)
    }
}
impl k::Expose for chat {
    const NAME: &'static str = <Self as k::ContextFn>::NAME;
}
const _: () = {
    #[k::linkme::distributed_slice(k::FUNCTIONS)]
    #[linkme(crate = k::linkme)]
    static E: k::FunctionEntry = k::FunctionEntry::context::<chat>();
};

fn main() {
    tracing_init();
    let out = k::main(
        k::MainOptions {
            flavor: k::Flavor::MultiThread,
            workers: None,
            name: None,
        },
        body,
    );
    println!("{out:?}");
}
fn tracing_init() {}
async fn body() -> Result<(), Error> {
    let t = std::time::Instant::now();
    open_nursery(async |an| {
        let w = an
            .start_actor(
                "worker",
                k::Exposed::new(vec![
                    k::expose_entry::<is_prime>(),
                    k::expose_entry::<chat>(),
                ]),
            )
            .await?;
        println!("started {:?} in {:?}", w.id(), t.elapsed());
        println!(
            "7: {:?} 9: {:?}",
            w.run(is_prime(7)).await?,
            w.run(is_prime(9)).await?
        );
        let t = std::time::Instant::now();
        for _ in 0..1000 {
            w.run(is_prime(7)).await?;
        }
        println!("call {:?}", t.elapsed() / 1000);
        let r = w
            .open_context(chat(10), async |ctx, first| -> Result<u32, Error> {
                assert_eq!(first, 11);
                let mut s = ctx.open_stream().await?;
                let mut sum = 0;
                for i in 0..200 {
                    s.send(i).await?;
                    sum += s.next().await?.unwrap();
                }
                s.stop();
                println!("result {:?}", s.ctx().result().await);
                Ok(sum)
            })
            .await?;
        println!("ctx {r}");
        let p = an.run_in_actor(is_prime(97)).await?;
        println!("oneshot {p}");
        let shot = an.run_in_actor(is_prime(98)).start().await?;
        println!("shot {:?}", shot.result().await);
        Ok::<(), Error>(())
    })
    .await?;
    println!("all {:?}", t.elapsed());
    Ok(())
}
