//! Random trees of scopes, cleanups, shields and joins, with cancels and time at random points.
//!
//! A program is a tree; running it leaves a log. Whatever happens, every `finally` that was started is cleaned up once,
//! after all that were started inside it, and nothing is left at the root. Tasks are polled only when they were woken,
//! branches of a join too, so a wake that is missing shows as a program that stands still.

use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::*;

/// What a program does.
#[derive(Debug)]
enum Step {
    /// Waits for that many wakes.
    Wait(u32),
    /// Waits for the clock.
    Sleep(u64),
    /// A scope, with a deadline or none.
    Scope(Option<u64>, Vec<Self>),
    /// A body and how long its cleanup takes.
    Finally(Vec<Self>, Vec<Self>),
    /// Work no cancel reaches.
    Shield(Vec<Self>),
    /// Side by side.
    Join(Vec<Vec<Self>>),
}

#[derive(Default)]
struct World {
    clock: ManualClock,
    /// Waits that nobody has ended yet.
    waits: RefCell<VecDeque<Rc<Wait>>>,
    scopes: RefCell<Vec<Scope>>,
    /// Per `finally`: the one around it, and whether it was cleaned up.
    started: RefCell<Vec<(Option<usize>, bool)>>,
}

#[derive(Default)]
struct Wait {
    over: RefCell<bool>,
    waker: RefCell<Option<Waker>>,
}

struct Random(TestRng);

impl Random {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n
    }

    fn steps(&mut self, depth: u32) -> Vec<Step> {
        (0..1 + self.below(2)).map(|_| self.step(depth)).collect()
    }

    fn step(&mut self, depth: u32) -> Step {
        let kinds = if depth == 0 { 2 } else { 8 };
        match self.below(kinds) {
            0 => Step::Wait(self.below(4) as u32),
            1 => Step::Sleep(self.below(6)),
            2 => Step::Scope(None, self.steps(depth - 1)),
            3 => Step::Scope(Some(self.below(12)), self.steps(depth - 1)),
            4 | 5 => Step::Finally(self.steps(depth - 1), self.steps(depth.min(2) - 1)),
            6 => Step::Shield(self.steps(depth - 1)),
            _ => {
                let branches = 2 + self.below(3);
                Step::Join((0..branches).map(|_| self.steps(depth - 1)).collect())
            }
        }
    }
}

impl World {
    fn run<'a>(
        self: &'a Rc<Self>,
        steps: &'a [Step],
        around: Option<usize>,
    ) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            for step in steps {
                self.step(step, around).await;
            }
        })
    }

    async fn step(self: &Rc<Self>, step: &Step, around: Option<usize>) {
        let here = Scope::current().unwrap();
        match step {
            Step::Wait(n) => {
                for _ in 0..*n {
                    self.wait().await;
                }
            }
            Step::Sleep(span) => {
                let until = self.clock.now() + ms(*span);
                self.clock.sleep_until(until).await;
            }
            Step::Scope(deadline, steps) => {
                let deadline = deadline.map(|span| self.clock.now() + ms(span));
                let scope = here.child_with(ScopeOptions {
                    deadline,
                    ..ScopeOptions::default()
                });
                self.scopes.borrow_mut().push(scope.clone());
                let _cut = scope.run(self.run(steps, around)).await;
            }
            Step::Shield(steps) => {
                let done = here.shielded(HOUR, self.run(steps, around)).await;
                assert!(done.is_ok(), "nothing reaches into a shield");
            }
            Step::Join(branches) => {
                let mut all: FuturesUnordered<_> = branches
                    .iter()
                    .map(|steps| self.run(steps, around))
                    .collect();
                while all.next().await.is_some() {}
            }
            Step::Finally(body, cleanup) => self.finally(&here, body, cleanup, around).await,
        }
    }

    async fn finally(
        self: &Rc<Self>,
        here: &Scope,
        body: &[Step],
        cleanup: &[Step],
        around: Option<usize>,
    ) {
        let me = {
            let mut started = self.started.borrow_mut();
            started.push((around, false));
            started.len() - 1
        };
        let cleaned = here.finally(
            self.run(body, Some(me)),
            |_| async move {
                for (around, cleaned) in &*self.started.borrow() {
                    assert!(*around != Some(me) || *cleaned, "the inner ones come first");
                }
                self.run(cleanup, None).await;
                let before = std::mem::replace(&mut self.started.borrow_mut()[me].1, true);
                assert!(!before, "cleaned up twice");
            },
            HOUR,
        );
        assert_eq!(cleaned.await, Ok(()));
    }

    async fn wait(&self) {
        let wait = Rc::new(Wait::default());
        self.waits.borrow_mut().push_back(wait.clone());
        poll_fn(|cx| {
            if *wait.over.borrow() {
                return Poll::Ready(());
            }
            *wait.waker.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Ends a random wait, or moves the clock, so that in the end everything gets through.
    fn progress(&self, random: &mut Random) -> bool {
        let waiting = self.waits.borrow().len() as u64;
        let alarm = self
            .clock
            .next_alarm()
            .filter(|at| *at < Instant::ZERO + HOUR);
        match alarm {
            Some(at) if waiting == 0 || random.below(2) == 0 => {
                self.clock.advance(at.saturating_since(self.clock.now()));
            }
            Some(_) | None if waiting > 0 => {
                let pick = random.below(waiting) as usize;
                let wait = self.waits.borrow_mut().remove(pick).unwrap();
                *wait.over.borrow_mut() = true;
                let waker = wait.waker.borrow_mut().take();
                waker.into_iter().for_each(Waker::wake);
            }
            Some(_) | None => return false,
        }
        true
    }
}

/// One program; says how many cleanups ran and whether the root was cut.
fn round(seed: u64) -> (usize, bool) {
    let mut random = Random::new(seed);
    let program = random.steps(4);
    let world = Rc::new(World::default());
    let root = Scope::root(Arc::new(world.clock.clone()), me());
    let top = root.child();
    world.scopes.borrow_mut().push(top.clone());
    let (woken, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    let mut run = Box::pin(top.run(world.run(&program, None)));
    let mut ended = run.as_mut().poll(&mut cx);
    let mut idle = 0;
    while ended.is_pending() {
        if random.below(6) == 0 {
            let scopes = world.scopes.borrow();
            let scope = &scopes[random.below(scopes.len() as u64) as usize];
            scope.cancel(by(CancelReason::User));
        } else if random.below(10) == 0 {
            let scopes = world.scopes.borrow();
            let scope = &scopes[random.below(scopes.len() as u64) as usize];
            scope.set_deadline(Some(world.clock.now() + ms(random.below(9))));
        } else if !world.progress(&mut random) {
            idle += 1;
        }
        // Sometimes several things happen between two polls.
        if random.below(3) > 0 && woken.take() > 0 {
            idle = 0;
            ended = run.as_mut().poll(&mut cx);
        }
        assert!(idle < 100, "seed {seed}: stands still in {program:?}");
    }
    drop(run);
    let started = world.started.borrow();
    assert!(
        started.iter().all(|(_, cleaned)| *cleaned),
        "seed {seed}: lost one of {program:?}"
    );
    assert_eq!((top.aware_count(), top.0.waiting()), (0, 0), "seed {seed}");
    world.scopes.borrow_mut().clear();
    assert_eq!(top.0.children(), 0, "seed {seed}");
    (started.len(), matches!(ended, Poll::Ready(Err(_))))
}

/// `SCOPE-5`.
#[test]
fn no_started_cleanup_is_ever_lost() {
    let (mut cleaned, mut cut) = (0, 0);
    for seed in 0..ROUNDS {
        let (cleanups, was_cut) = round(seed);
        cleaned += cleanups;
        cut += usize::from(was_cut);
    }
    // The test tests something: many cleanups ran, and many programs were cut.
    assert!(cleaned > ROUNDS as usize / 2, "{cleaned} cleanups");
    assert!(cut > ROUNDS as usize / 10, "{cut} cut");
}

const ROUNDS: u64 = 20_000;

/// Longer than any program.
const HOUR: Duration = Duration::from_secs(3600);
