//! The machines against each other.

mod smoke;
