//! Messages between two processes: what a call and a streamed value cost, beside the least a tokio program does.
//!
//! `cargo bench --bench ipc` measures each thing by criterion, then all once more in turns, floor, ours, floor, ours, and
//! prints the table of `docs/benchmarks.md`. `TRACTOR_BENCH=table` leaves criterion out, `TRACTOR_BENCH=criterion` the table.

mod common;
#[path = "common/floor.rs"]
mod floor;

use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use common::peer::{self, Part};
use common::{Comparison, HEAD, now, pin, rounds};
use criterion::{Criterion, Throughput};
use floor::Floor;
use futures_util::future::try_join_all;
use tractor::prelude::*;

fn main() {
    if peer::play() {
        return;
    }
    pin();
    if let Err(error) = root::main() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

/// The actor at the far end.
struct Echo;

#[tractor::actor]
impl Echo {
    #[init]
    async fn new() -> Self {
        Self
    }

    async fn echo(&mut self, payload: Bytes) -> Bytes {
        payload
    }
}

/// Counts what is streamed to it.
#[tractor::context]
async fn sink(ctx: Context<(), Bytes, ()>) -> Result<u64, AnyError> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    let mut count = 0;
    while stream.next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

mod root {
    use super::*;

    /// The tree; what is measured in it comes from a thread of its own, since criterion is no future.
    #[tractor::main(flavor = "current_thread")]
    pub(crate) async fn main() -> tractor::Result<()> {
        let (bench, jobs) = tokio::sync::mpsc::unbounded_channel();
        let bench = std::thread::spawn(move || drive(&Bench { jobs: bench }));
        open_nursery(async |an| {
            let spec = Echo::spec().expose(tractor::expose![sink]);
            let lab = Lab {
                echo: an.start_actor("echo", spec).await?,
                echo_floor: Floor::new(Part::Echo),
                sink_floor: Floor::new(Part::Sink),
            };
            lab.serve(jobs).await
        })
        .await?;
        bench
            .join()
            .map_err(|_| tractor::Error::App(AnyError::message("the bench panicked")))?;
        Ok(())
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Call,
    Calls64,
    Stream64,
    Stream64Ki,
}

impl What {
    const ALL: [Self; 4] = [Self::Call, Self::Calls64, Self::Stream64, Self::Stream64Ki];

    fn name(self) -> &'static str {
        match self {
            Self::Call => "unary call, 64 B",
            Self::Calls64 => "unary call, 64 B, 64 in flight",
            Self::Stream64 => "stream, 64 B",
            Self::Stream64Ki => "stream, 64 KiB",
        }
    }

    fn payload(self) -> Bytes {
        let size = match self {
            Self::Call | Self::Calls64 | Self::Stream64 => 64,
            Self::Stream64Ki => 64 << 10,
        };
        vec![7; size].into()
    }

    /// At most so often the floor.
    fn goal(self) -> f64 {
        match self {
            Self::Call => 2.0,
            Self::Calls64 => 0.6,
            Self::Stream64 => 12.0,
            Self::Stream64Ki => 2.0,
        }
    }

    /// Operations of one turn: some tens of milliseconds.
    fn turn(self, side: Side) -> u64 {
        match (self, side) {
            (Self::Call, Side::Floor | Side::Ours) => 2_000,
            (Self::Calls64, Side::Floor | Side::Ours) => 12_800,
            (Self::Stream64, Side::Floor) => 400_000,
            (Self::Stream64, Side::Ours) => 60_000,
            (Self::Stream64Ki, Side::Floor | Side::Ours) => 1_500,
        }
    }
}

/// Whose way of doing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Floor,
    Ours,
}

/// One thing to be measured, and where its time is waited for.
#[derive(Debug)]
struct Job {
    what: What,
    side: Side,
    count: u64,
    time: mpsc::Sender<Duration>,
}

/// Both sides, ready to be measured.
struct Lab {
    echo: EchoPortal,
    echo_floor: Floor,
    sink_floor: Floor,
}

impl Lab {
    async fn serve(
        mut self,
        mut jobs: tokio::sync::mpsc::UnboundedReceiver<Job>,
    ) -> tractor::Result<()> {
        while let Some(job) = jobs.recv().await {
            let payload = job.what.payload();
            let start = now();
            match job.side {
                Side::Floor => self.floor(job.what, &payload, job.count).await,
                Side::Ours => self.ours(job.what, &payload, job.count).await?,
            }
            // A bench that has failed waits for nothing.
            let _unheard = job.time.send(start.elapsed());
        }
        Ok(())
    }

    async fn floor(&mut self, what: What, payload: &[u8], count: u64) {
        match what {
            What::Call => self.echo_floor.echo(payload, count, 1).await,
            What::Calls64 => self.echo_floor.echo(payload, count, 64).await,
            What::Stream64 | What::Stream64Ki => self.sink_floor.stream(payload, count).await,
        }
    }

    async fn ours(&self, what: What, payload: &Bytes, count: u64) -> tractor::Result<()> {
        match what {
            What::Call => self.call(payload, count).await,
            What::Calls64 => {
                let callers = (0..64).map(|caller| {
                    let share = (count + caller) / 64;
                    self.call(payload, share)
                });
                try_join_all(callers).await?;
                Ok(())
            }
            What::Stream64 | What::Stream64Ki => self.stream(payload, count).await,
        }
    }

    async fn call(&self, payload: &Bytes, count: u64) -> tractor::Result<()> {
        for _ in 0..count {
            let answer = self.echo.echo(payload.clone()).await?;
            assert_eq!(answer.len(), payload.len());
        }
        Ok(())
    }

    async fn stream(&self, payload: &Bytes, count: u64) -> tractor::Result<()> {
        let block = async |ctx: tractor::OpenedContext<_, _, u64, AnyError>, ()| {
            let mut stream = ctx.open_stream().await?;
            for _ in 0..count {
                stream.send(payload.clone()).await?;
            }
            stream.stop();
            Ok(stream.ctx().result().await?)
        };
        let counted: tractor::Result<u64> = self.echo.open_context(sink(), block).await;
        assert_eq!(counted?, count);
        Ok(())
    }
}

/// Has things measured, from a thread that may wait.
struct Bench {
    jobs: tokio::sync::mpsc::UnboundedSender<Job>,
}

impl Bench {
    /// How long so many operations take.
    fn time(&self, what: What, side: Side, count: u64) -> Duration {
        let (time, measured) = mpsc::channel();
        let job = Job {
            what,
            side,
            count,
            time,
        };
        self.jobs.send(job).expect("the lab serves");
        measured.recv().expect("the lab serves")
    }

    fn criterion(&self) {
        let mut criterion = Criterion::default()
            .measurement_time(Duration::from_secs(2))
            .warm_up_time(Duration::from_millis(500))
            .configure_from_args();
        for what in What::ALL {
            let mut group = criterion.benchmark_group(what.name());
            group.throughput(Throughput::Elements(1));
            for (name, side) in [("floor", Side::Floor), ("tractor", Side::Ours)] {
                group.bench_function(name, |bencher| {
                    bencher.iter_custom(|count| self.time(what, side, count));
                });
            }
        }
        criterion.final_summary();
    }

    fn table(&self) {
        let rounds = rounds(31);
        println!("\nMedians of {rounds} rounds [the middle eight tenths of them]:\n\n{HEAD}");
        for what in What::ALL {
            let mut comparison = Comparison::default();
            // The first round warms both sides up.
            for round in 0..=rounds {
                let [floor, ours] = [Side::Floor, Side::Ours].map(|side| {
                    let count = what.turn(side);
                    self.time(what, side, count).div_f64(count as f64)
                });
                if round > 0 {
                    comparison.add(floor, ours);
                }
            }
            println!("{}", comparison.row(what.name(), what.goal()));
        }
    }
}

fn drive(bench: &Bench) {
    let part = std::env::var("TRACTOR_BENCH").ok();
    if part.as_deref() != Some("table") {
        bench.criterion();
    }
    // `cargo test --benches` only wants to know whether it runs.
    let tests_only = std::env::args().any(|argument| argument == "--test");
    if part.as_deref() != Some("criterion") && !tests_only {
        bench.table();
    }
}
