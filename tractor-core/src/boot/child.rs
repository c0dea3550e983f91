//! The life of an actor's process.

use super::role::ActorRole;

/// Runs the actor this process is; never returns.
pub fn main(role: ActorRole) -> ! {
    eprintln!("tractor: actor {} has no body yet", role.actor);
    std::process::exit(1)
}
