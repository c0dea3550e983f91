//! What the types of a head leave open, checked alike by the end that sends and the end that receives.
//!
//! Only what would cost memory or belongs to no dialog: a window that is too large is for its dialog to refuse.

use crate::limits::{CHAIN_MAX, FUNCTION_NAME_MAX};
use crate::msg::{FunctionRef, Msg};
use crate::wire::BoundError;

/// Checks every field that has a bound.
pub(super) fn check_bounds(msg: &Msg) -> Result<(), BoundError> {
    match msg {
        Msg::Start(start) => {
            check_function(&start.function)?;
            match start.chain.len() {
                len if len > CHAIN_MAX => Err(BoundError::Chain { len }),
                _ => Ok(()),
            }
        }
        Msg::Cast(cast) => check_function(&cast.function),
        Msg::StartAck(_)
        | Msg::Started { .. }
        | Msg::Yield { .. }
        | Msg::Credit(_)
        | Msg::Stop { .. }
        | Msg::Return { .. }
        | Msg::Fail { .. }
        | Msg::Cancel(_)
        | Msg::CancelAck(_)
        | Msg::SpawnSpec
        | Msg::Ready { .. }
        | Msg::Drain(_)
        | Msg::Ended { .. }
        | Msg::Ping(_)
        | Msg::Pong(_)
        | Msg::Bye => Ok(()),
    }
}

fn check_function(function: &FunctionRef) -> Result<(), BoundError> {
    match function {
        FunctionRef::Named(name) if name.len() > FUNCTION_NAME_MAX => {
            Err(BoundError::FunctionName { len: name.len() })
        }
        FunctionRef::Named(_) | FunctionRef::Method(_) => Ok(()),
    }
}
