//! What the types of a head leave open, checked alike by the end that sends and the end that receives.

use crate::limits::{CHAIN_MAX, FUNCTION_NAME_MAX, WINDOW_MAX};
use crate::msg::{FunctionRef, Msg};
use crate::wire::BoundError;

/// Checks every field that has a bound.
pub(super) fn check_bounds(msg: &Msg) -> Result<(), BoundError> {
    match msg {
        Msg::Start(start) => {
            check_function(&start.function)?;
            check_window(start.window)?;
            match start.chain.len() {
                len if len > CHAIN_MAX => Err(BoundError::Chain { len }),
                _ => Ok(()),
            }
        }
        Msg::Cast(cast) => check_function(&cast.function),
        Msg::StartAck(ack) => check_window(ack.window),
        Msg::Credit(credit) => check_window(credit.amount),
        Msg::Started { .. }
        | Msg::Yield { .. }
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

fn check_window(size: u32) -> Result<(), BoundError> {
    match size {
        0..=WINDOW_MAX => Ok(()),
        _ => Err(BoundError::Window { size }),
    }
}
