//! How processes come to be.

use tractor_core::host::ExitStatus;

use crate::harness::{Tree, case, this_test};

/// GUARD-2: an exit is reaped by the guardian and told to the parent as it was.
#[test]
fn exits_are_reported_as_they_were() {
    case(this_test!(), async || {
        let tree = Tree::new();
        for code in [0, 1, 42, 255] {
            let mut member = tree.start("exits").await;
            member.tell(&format!("exit {code}"));
            assert_eq!(member.process.exit.wait().await, ExitStatus::Exited(code));
        }
        for signal in [9, 11, 15] {
            let mut member = tree.start("signalled").await;
            member.tell(&format!("signal {signal}"));
            assert_eq!(
                member.process.exit.wait().await,
                ExitStatus::Signaled(signal)
            );
        }
    });
}
