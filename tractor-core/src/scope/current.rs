//! Which scope the code that runs now is in: one cell per thread, changed around each poll.
//!
//! A future that runs in a scope keeps a [`Frame`] and swaps it with the cell while it is polled or dropped. So no
//! reference count moves in a poll, and code in `Drop` sees its scope too.

use std::cell::Cell;
use std::sync::Arc;

use super::tree::Node;

#[cfg(tractor_loom)]
use loom::thread_local;

/// A scope entered on this thread.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) node: Arc<Node>,
    /// Whether whoever entered it drops what is inside once the scope is cancelled.
    pub(super) unwinds: bool,
}

#[cfg(not(tractor_loom))]
thread_local! {
    static CURRENT: Cell<Option<Frame>> = const { Cell::new(None) };
}

#[cfg(tractor_loom)]
thread_local! {
    static CURRENT: Cell<Option<Frame>> = Cell::new(None);
}

/// While it lives, `frame` is the current one and the place it came from keeps the one before.
pub(super) struct Entered<'a>(&'a mut Option<Frame>);

/// Enters `frame` until the guard is dropped.
pub(super) fn enter(frame: &mut Option<Frame>) -> Entered<'_> {
    swap(frame);
    Entered(frame)
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        swap(self.0);
    }
}

/// Looks at the current frame.
pub(super) fn peek<R>(look: impl FnOnce(Option<&Frame>) -> R) -> R {
    let mut frame = None;
    // Puts it back even if `look` panics.
    let entered = enter(&mut frame);
    look(entered.0.as_ref())
}

/// Whether whoever polls us now will drop us, because its scope is cancelled.
pub(super) fn is_unwinding() -> bool {
    peek(|frame| frame.is_some_and(|frame| frame.unwinds && frame.node.is_cancelled()))
}

/// A thread that is ending has no current scope any more: then nothing is swapped, on entering as on leaving.
fn swap(frame: &mut Option<Frame>) {
    let _ending = CURRENT.try_with(|current| {
        let mine = frame.take();
        *frame = current.replace(mine);
    });
}
