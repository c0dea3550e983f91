//! Actors that do not end: each is taken down the ladder as far as it has to be, and no further than its time.

use std::time::Duration;

use rustix::process::{Pid, Signal};
use tractor::Result;
use tractor::prelude::*;
use tractor_core::host::signals::Signals;
use tractor_core::testing::{case, stop};
use tractor_core::this_test;

use crate::actors::{block, pid, stay};
use crate::signs::{self, took};

/// Accepts its cancel, and cleans up for as long as it is let.
#[tractor::rpc]
async fn linger(name: String) {
    let wait = async {
        signs::give(&name);
        std::future::pending::<()>().await;
    };
    let _cut = tractor::finally_within(LONG, wait, async |_| {
        std::future::pending::<()>().await;
    })
    .await;
}

const LONG: Duration = Duration::from_secs(60);

/// Blocks its thread, and does not die of SIGTERM.
#[tractor::rpc]
async fn block_and_catch(name: String) {
    let mut signals = Signals::install(&[Signal::TERM.as_raw()]).unwrap();
    signs::give(&name);
    loop {
        let _caught = signals.wait(None);
    }
}

/// Cancels a nursery with one actor in it; how long its end takes.
async fn end_of<F: tractor_core::rpc::RpcFn>(
    function: tractor::FnCall<F>,
    stopped: bool,
) -> Result<Duration> {
    open_nursery(async |an| -> Result<_> {
        let exposed = tractor::expose![linger, block, block_and_catch, stay, pid];
        let child = an.start_actor("child", exposed).await?;
        let process = child.run(pid()).await?;
        let calling = child.clone();
        an.start_soon(async move {
            let _ended = calling.run(function).await;
            Ok(())
        });
        signs::seen("there").await;
        signs::take_back("there");
        if stopped {
            stop(Pid::from_raw(process.cast_signed()).unwrap());
        }
        let ((), took) = took(an.cancel()).await;
        assert!(!std::path::Path::new(&format!("/proc/{process}")).exists());
        Ok(took)
    })
    .await
}

/// AC-6, AC-7: who accepts and does not end has what it has promised; who does not hear is terminated after 0.5 s; and who does
/// not die of that, or is stopped, is killed after another 0.5 s. Nobody has more.
#[test]
fn nobody_outstays_the_ladder() {
    case(this_test!(), async || -> Result<_> {
        let name = || "there".to_owned();
        let ends = [
            ("lingers", end_of(linger(name()), false).await?, 1600),
            ("blocks", end_of(block(name()), false).await?, 500),
            (
                "catches SIGTERM",
                end_of(block_and_catch(name()), false).await?,
                1000,
            ),
            ("is stopped", end_of(stay(name()), true).await?, 1000),
        ];
        for (who, took, ladder) in ends {
            let ladder = Duration::from_millis(ladder);
            println!("one who {who}: {took:?}, of {ladder:?}");
            assert!(took < ladder + BUSY, "one who {who}: {took:?}");
        }
        Ok(())
    });
}

/// What a machine that is busy with everything else may add.
const BUSY: Duration = Duration::from_millis(400);
