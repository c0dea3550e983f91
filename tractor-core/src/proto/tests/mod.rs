//! The machines against each other and against random schedules.

mod smoke;
mod supervisor;
mod teardown;
