//! Values to bytes and back, with failures that say what was wrong with them.

use std::any::Any;
use std::cell::Cell;

use bytes::Bytes;
use tractor_ipc::ActorId;
use tractor_ipc::wire::codec::append;

use crate::error::Error;
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::limits::{FAULT_BYTES, SCRATCH_MAX};
use crate::message::{AnyError, AppError, Message};

/// Encodes a value that is to leave `actor`, within the link's limit.
pub(crate) fn encode<T: serde::Serialize>(
    value: &T,
    limit: usize,
    actor: &ActorId,
) -> Result<Bytes, RemoteError> {
    let mut scratch = SCRATCH.take();
    let encoded = encode_into(&mut scratch, value, limit, actor).map(|()| match scratch.len() {
        ..SCRATCH_MAX => Bytes::copy_from_slice(&scratch),
        _ => Bytes::from(std::mem::take(&mut scratch)),
    });
    SCRATCH.set(scratch);
    encoded
}

/// Encodes a value that is to leave `actor`, within the link's limit, in place of what `out` held.
pub(crate) fn encode_into<T: serde::Serialize>(
    out: &mut Vec<u8>,
    value: &T,
    limit: usize,
    actor: &ActorId,
) -> Result<(), RemoteError> {
    if out.capacity() > SCRATCH_MAX {
        *out = Vec::new();
    }
    out.clear();
    append(out, value).map_err(|error| {
        let kind = RemoteErrorKind::MsgType {
            expected: None,
            got: None,
        };
        RemoteError::from_error(kind, actor.clone(), AnyError::of(&error))
    })?;
    if out.len() > limit {
        return Err(too_large(out.len(), limit, actor));
    }
    Ok(())
}

/// Decodes a value that arrived at `actor`.
pub(crate) fn decode<T: Message>(
    bytes: &[u8],
    what: &str,
    actor: &ActorId,
) -> Result<T, RemoteError> {
    let refuse = |text: String| {
        let kind = RemoteErrorKind::MsgType {
            expected: None,
            got: None,
        };
        RemoteError::new(kind, actor.clone(), text)
    };
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => {
            let name = std::any::type_name::<T>();
            Err(refuse(format!(
                "{what} is no {name}: {} bytes are left over",
                rest.len()
            )))
        }
        Err(error) => {
            let name = std::any::type_name::<T>();
            Err(refuse(format!("{what} is no {name}: {error}")))
        }
    }
}

/// The result of a handler as what is sent back.
pub(crate) fn encode_result<T: Message, E: AppError>(
    result: Result<T, E>,
    limit: usize,
    actor: &ActorId,
) -> Result<Bytes, RemoteError> {
    match result {
        Ok(value) => encode(&value, limit, actor),
        Err(error) => {
            let error = failure_of(&error, actor);
            let (size, room) = (error.value_len(), limit.saturating_sub(FAULT_BYTES));
            Err(if size > room {
                too_large(size, room, actor)
            } else {
                error
            })
        }
    }
}

/// What the error of a handler is to its caller: one of ours is the failure of an actor below, passed on as it is.
pub(crate) fn failure_of<E: AppError>(error: &E, actor: &ActorId) -> RemoteError {
    let any: &dyn Any = error;
    if let Some(error) = any.downcast_ref::<Error>() {
        return error.clone().into_remote(actor);
    }
    match any.downcast_ref::<RemoteError>() {
        Some(failure) => failure.clone(),
        None => RemoteError::app(error, actor.clone()),
    }
}

fn too_large(size: usize, limit: usize, actor: &ActorId) -> RemoteError {
    let (size, limit) = (size as u64, limit as u64);
    let text = format!("the message has {size} bytes; at most {limit} are allowed");
    RemoteError::new(
        RemoteErrorKind::TooLarge { size, limit },
        actor.clone(),
        text,
    )
}

thread_local! {
    /// Where values are encoded before their size is known: one allocation for each, of the right size.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}
