//! Ctrl-C and its like, at the process of a root.
//!
//! A thread of its own waits for the signals and performs what the machine ([`Interrupts`]) decides, so no executor that is
//! blocked and no task that never yields keeps it from being heard: cancelling is storing a flag and waking, killing goes
//! through the guardian, and the last step leaves the process to guardian and nanny.
//!
//! Actors have process groups of their own: a terminal's Ctrl-C reaches the root alone, which asks them in its own way.

use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak, mpsc};

use rustix::process::Signal;
use tractor_ipc::msg::CancelReason;

use super::{Node, reaper};
use crate::clock::machine_time;
use crate::guardian::arm;
use crate::host::signals::Signals;
use crate::proto::{InterruptAction, Interrupts, Termination};
use crate::scope::Cancellation;

/// A root that signals cancel, until it is dropped: the root has ended.
#[derive(Debug)]
pub(crate) struct Interruptible(Weak<Node>);

impl Interruptible {
    /// Has signals cancel this root. The first one of the process takes the signals over.
    pub(crate) fn new(root: &Arc<Node>) -> Self {
        static THREAD: Once = Once::new();
        THREAD.call_once(|| {
            if let Err(error) = start() {
                tracing::warn!(%error, "signals end this process without an orderly end of its tree");
            }
        });
        let root = Arc::downgrade(root);
        let mut table = table();
        if table.living.is_empty() {
            // What came before has been dealt with: the program went on.
            table.last = None;
        }
        table.living.push(root.clone());
        Self(root)
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        table().living.retain(|root| !root.ptr_eq(&self.0));
    }
}

/// The signal by which roots of this process were cancelled last, if they were.
pub(crate) fn interrupted_by() -> Option<Termination> {
    table().last
}

#[derive(Default)]
struct Table {
    living: Vec<Weak<Node>>,
    last: Option<Termination>,
}

fn table() -> MutexGuard<'static, Table> {
    static TABLE: Mutex<Table> = Mutex::new(Table {
        living: Vec::new(),
        last: None,
    });
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn living() -> Vec<Arc<Node>> {
    table().living.iter().filter_map(Weak::upgrade).collect()
}

fn start() -> std::io::Result<()> {
    // The thread first: a signal that is taken over is heard. It ends if there is nothing to hear.
    let (hand_over, handed_over) = mpsc::channel::<Signals>();
    arm::quiet_thread("tractor-signals", STACK, move || {
        if let Ok(mut signals) = handed_over.recv() {
            listen(&mut signals);
        }
    })?;
    let signals = Signals::install(&Termination::ALL.map(|by| signal(by).as_raw()))?;
    #[cfg(feature = "testing")]
    KEPT.get_or_init(|| signals.descriptors());
    let _heard = hand_over.send(signals);
    Ok(())
}

fn listen(signals: &mut Signals) -> ! {
    let mut machine = Interrupts::new();
    loop {
        let within = machine.next_deadline();
        let within = within.map(|at| at.saturating_since(machine_time()));
        let heard = signals.wait(within);
        // Its time is that of the roots it was told to, not of those that have begun since.
        if heard.is_empty() && !living().iter().any(|root| root.is_interrupted()) {
            machine.handle_ended();
        }
        for heard in heard {
            let by = Termination::ALL
                .into_iter()
                .find(|one| signal(*one).as_raw() == heard);
            let (Some(by), roots) = (by, living()) else {
                continue;
            };
            // A signal is the second one only of a root that has had its first.
            if !roots.iter().any(|root| root.is_interrupted()) {
                machine.handle_ended();
            }
            machine.handle_signal(by, !roots.is_empty(), machine_time());
        }
        if living().is_empty() {
            machine.handle_ended();
        }
        while let Some(action) = machine.poll_action(machine_time()) {
            perform(action);
        }
    }
}

fn perform(action: InterruptAction) {
    match action {
        InterruptAction::Default(by) | InterruptAction::Leave(by) => arm::die_of(signal(by)),
        InterruptAction::Cancel(by) => {
            table().last = Some(by);
            for root in living() {
                let canceller = root.id().clone();
                tracing::info!(root = %canceller, ?by, "cancelled by a signal");
                root.interrupt(Cancellation {
                    canceller,
                    reason: CancelReason::User,
                });
            }
        }
        InterruptAction::Kill => {
            let killed = reaper::kill_all();
            tracing::warn!(processes = killed, "killed: the signal came again");
        }
    }
}

fn signal(by: Termination) -> Signal {
    match by {
        Termination::Interrupt => Signal::INT,
        Termination::Terminate => Signal::TERM,
    }
}

/// The thread waits, wakes and logs.
const STACK: usize = 128 << 10;

/// The descriptors that stay open until the process ends.
#[cfg(feature = "testing")]
pub(crate) fn kept() -> &'static [i32] {
    KEPT.get().map_or(&[], Vec::as_slice)
}

#[cfg(feature = "testing")]
static KEPT: std::sync::OnceLock<Vec<i32>> = std::sync::OnceLock::new();
