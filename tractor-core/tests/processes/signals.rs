//! Signals as descriptors.

use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tractor_core::host::signals::Signals;
use tractor_core::testing::{Case, Left, ends_well};
use tractor_core::this_test;

/// V4: more signals than there is room to write down; it is told once that there were some, and those after are told too.
#[test]
fn a_signal_is_not_lost_where_there_is_no_room_for_more() {
    let body = async || {
        let mut signals = Signals::install(&[Signal::USR1.as_raw()]).unwrap();
        for many in [100_000, 1] {
            for _ in 0..many {
                kill_process(getpid(), Signal::USR1).unwrap();
            }
            let told = signals.wait(Some(Duration::from_secs(10)));
            assert_eq!(told, [Signal::USR1.as_raw()]);
            assert_eq!(signals.wait(Some(Duration::ZERO)), []);
        }
    };
    // Handlers stay for good, and with them what they write to.
    Case::new(this_test!()).run_judged(body, ends_well, |left| {
        let kept = |left: &Left| matches!(left, Left::Descriptor(_));
        assert!(left.iter().all(kept), "{left:?}");
    });
}
