//! The machines against each other and against random schedules.

mod pair;
mod smoke;
mod supervisor;
mod teardown;
