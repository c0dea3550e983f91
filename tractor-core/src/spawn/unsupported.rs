//! The methods that cannot be used, each with its reason and what to use instead.

use super::SpawnMethodKey;
use crate::error::SpawnError;

/// The refusal of a method that does not work here; `None` for one that does.
pub(crate) fn refusal(method: SpawnMethodKey) -> Option<SpawnError> {
    let (reason, analysis) = match method {
        SpawnMethodKey::Exec => return None,
        SpawnMethodKey::ForkServer => ("this build has no warm image to fork from", None),
        SpawnMethodKey::Command => ("this build cannot take back a program that dials in", None),
        SpawnMethodKey::Thread => ("this build starts actors as processes only", None),
        SpawnMethodKey::Task => ("this build starts actors as processes only", None),
        SpawnMethodKey::ThreadFork => (
            "a fork of a process with threads inherits locks whose owners do not exist in the child, \
             and a runtime without its workers: it hangs",
            Some("docs/analysis/thread_fork_blocked.md"),
        ),
    };
    let (method, instead) = (method.name(), SpawnMethodKey::Exec.name());
    Some(SpawnError::Unsupported {
        method,
        reason,
        analysis,
        instead,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C2: a key that cannot work is a key all the same, and says why and what to use.
    #[test]
    fn each_refusal_names_its_method_and_one_that_works() {
        for method in SpawnMethodKey::ALL {
            match refusal(method) {
                None => assert_eq!(method, SpawnMethodKey::Exec),
                Some(error) => {
                    let text = error.to_string();
                    assert!(
                        text.contains(method.name()) && text.contains("exec"),
                        "{text}"
                    );
                }
            }
        }
    }
}
