//! What is to be done when the actor of this task ends.

use std::future::Future;

use super::root::{Attached, attach};
use crate::error::{Error, Result};

/// Has `cleanup` run at the end of the actor this task belongs to: after everything below the actor has ended, and before
/// its parent, or whoever awaits the root, is told that it has. The last one first; each once, on every way out but a kill.
///
/// They have what is left of the actor's time to end, together at most 1.6 s, and nothing cancels them before; then they are
/// dropped, which is logged. A panic in one makes an actor that had not failed fail. A root whose block panics, or that is dropped from outside, can
/// wait for nothing any more, and drops them.
///
/// # Errors
///
/// [`Error::NoActor`] if this task belongs to no actor, or its actor has ended but for this; [`Error::NoRuntime`] outside of a
/// runtime.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tractor_core::error::Result<()> {
/// let file = std::env::temp_dir().join(format!("tractor-example-{}", std::process::id()));
/// let kept = file.clone();
/// tractor_core::nursery::root()
///     .run(async |_| {
///         std::fs::write(&kept, "for as long as the root is there").unwrap();
///         tractor_core::nursery::on_exit(async move || std::fs::remove_file(kept).unwrap())
///     })
///     .await?;
/// assert!(!file.exists());
/// # Ok(())
/// # }
/// ```
pub fn on_exit<F, Fut>(cleanup: F) -> Result<()>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let Attached::Here(place) = attach()? else {
        return Err(Error::NoActor);
    };
    let cleanup =
        Box::new(|| -> futures_util::future::BoxFuture<'static, ()> { Box::pin(cleanup()) });
    if place.node.exit_stack().push(cleanup) {
        Ok(())
    } else {
        Err(Error::NoActor)
    }
}
