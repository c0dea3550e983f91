//! The free functions of this image, complete before anything runs: the linker makes the table.
//!
//! A dependency crate that nothing names is not linked at all, and its functions are then missing; the refusal of an
//! unknown function says so.

use std::collections::HashMap;
use std::sync::OnceLock;

use linkme::distributed_slice;
use tractor_ipc::msg::CallKind;

use super::serve;
use super::{LazySignature, RpcFn, Signature};
use crate::context::ContextFn;
use crate::fault::{RemoteError, RemoteErrorKind};
use crate::node::{Hosted, Opening, ServedTask};

/// Every function the macros registered.
#[distributed_slice]
pub static FUNCTIONS: [FunctionEntry];

/// One function of the catalogue.
#[derive(Debug)]
pub struct FunctionEntry {
    name: &'static str,
    kind: CallKind,
    drain: bool,
    signature: LazySignature,
    serve: fn(Opening) -> ServedTask,
}

impl FunctionEntry {
    /// An `#[rpc]` function.
    pub const fn rpc<F: RpcFn>() -> Self {
        Self {
            name: F::NAME,
            kind: CallKind::Unary,
            drain: false,
            signature: LazySignature::new(Signature::call::<F::Args, F::Ok, F::Err>),
            serve: serve::serve_rpc::<F>,
        }
    }

    /// A `#[context]` function.
    pub const fn context<F: ContextFn>() -> Self {
        Self {
            name: F::NAME,
            kind: CallKind::Context,
            drain: F::DRAIN,
            signature: LazySignature::new(
                Signature::context::<F::Args, F::Started, F::In, F::Out, F::Ok, F::Err>,
            ),
            serve: crate::context::serve_context_fn::<F>,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is called or opened.
    pub fn kind(&self) -> CallKind {
        self.kind
    }

    /// Its signature, traced on first use.
    pub fn signature(&self) -> &'static Signature {
        self.signature.get()
    }

    pub(crate) fn drains(&self) -> bool {
        self.drain
    }

    pub(crate) fn serve(&self, opening: Opening) -> ServedTask {
        (self.serve)(opening)
    }
}

/// The function of this name in this image.
fn find_function(name: &str) -> Option<&'static FunctionEntry> {
    static BY_NAME: OnceLock<HashMap<&'static str, &'static FunctionEntry>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        let mut by_name = HashMap::with_capacity(FUNCTIONS.len());
        for entry in FUNCTIONS {
            if by_name.insert(entry.name, entry).is_some() {
                tracing::error!(
                    function = entry.name,
                    "two functions have this name; one is not callable"
                );
            }
        }
        by_name
    });
    by_name.get(name).copied()
}

/// The function of this name, if the actor exposes it; otherwise a refusal that says how it would.
pub(crate) fn exposed_function(
    hosted: &Hosted,
    name: &str,
) -> Result<&'static FunctionEntry, RemoteError> {
    let id = hosted.id();
    let entry = find_function(name);
    if let Some(entry) = entry
        && hosted.exposes(name)
    {
        return Ok(entry);
    }
    let short = name.rsplit("::").next().unwrap_or(name);
    let text = match entry {
        Some(_) => format!(
            "{id} does not expose `{name}`; start it with `expose![{short}]` among its functions"
        ),
        None => format!(
            "the image of {id} has no function `{name}`; a crate that nothing names is not linked: add \
             `use its_name as _;` to the program"
        ),
    };
    Err(RemoteError::new(
        RemoteErrorKind::NotExposed,
        id.clone(),
        text,
    ))
}
