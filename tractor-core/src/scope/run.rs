//! Futures in scopes: [`Run`] drops its future once the scope is cancelled, [`Inherit`] only carries the scope along,
//! [`Cancelled`] waits for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::current::{self, Frame};
use super::deadline::Alarm;
use super::tree::{AwareGuard, Node, Waiter};
use super::{Cancellation, Scope};

pin_project! {
    #[project = RunProjection]
    /// A future inside a scope, by [`Scope::run`].
    ///
    /// Ends with the future's output, or with the cancellation that cut it. Where a scope around it that will be
    /// dropped itself was cancelled too, it never ends: the outermost cancelled one is where a cancellation is caught.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<F> {
        #[pin]
        future: Option<F>,
        frame: Option<Frame>,
        waiter: Waiter,
        alarm: Alarm,
        aware: Option<AwareGuard>,
        catches: bool,
    }

    impl<F> PinnedDrop for Run<F> {
        fn drop(this: Pin<&mut Self>) {
            this.project().end();
        }
    }
}

impl<F> Run<F> {
    pub(super) fn new(scope: Scope, future: F) -> Self {
        let catches = scope.0.is_shield();
        Self {
            future: Some(future),
            frame: Some(Frame {
                node: scope.0,
                unwinds: true,
            }),
            waiter: Waiter::new(),
            alarm: Alarm::new(),
            aware: None,
            catches,
        }
    }

    /// Makes it end with the cancellation even where a scope around it was cancelled: for a cancel-aware node, which
    /// tears down after this and is waited for ([`Scope::aware`]).
    pub fn catching(mut self) -> Self {
        self.catches = true;
        self
    }
}

impl<F: Future> Future for Run<F> {
    type Output = Result<F::Output, Cancellation>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            // Cut already; the scope around us has yet to drop us.
            return Poll::Pending;
        };
        if this.aware.is_none() && node_of(this.frame).is_shield() {
            *this.aware = node_of(this.frame).parent().cloned().map(AwareGuard::new);
        }
        let polled = {
            let _inside = current::enter(this.frame);
            future.poll(cx)
        };
        if let Poll::Ready(output) = polled {
            this.end();
            return Poll::Ready(Ok(output));
        }
        let node = node_of(this.frame);
        this.waiter.register(node, cx.waker());
        if !node.is_cancelled() {
            ready!(this.alarm.poll_expired(node, cx));
            node.cancel(Cancellation::deadline(node.me().clone()));
        }
        if !node.is_unwinding() {
            return Poll::Pending;
        }
        let cut = node.cancellation();
        let catches = *this.catches;
        this.end();
        match cut {
            Some(cut) if catches || !current::is_unwinding() => Poll::Ready(Err(cut)),
            Some(_) | None => Poll::Pending,
        }
    }
}

impl<F> RunProjection<'_, F> {
    /// Drops the future, inside its scope, and lets go of everything around it.
    fn end(&mut self) {
        if self.future.is_some() {
            let _inside = current::enter(self.frame);
            self.future.set(None);
        }
        self.waiter.release(node_of(self.frame));
        *self.alarm = Alarm::new();
        *self.aware = None;
    }
}

fn node_of(frame: &Option<Frame>) -> &Arc<Node> {
    let frame = frame
        .as_ref()
        .expect("the frame is away only while the future is polled or dropped");
    &frame.node
}

impl<F> fmt::Debug for Run<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("scope", node_of(&self.frame))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// A future that sees the scope it was given, by [`inherit`] or [`Scope::inherit`], and is never dropped by it.
    #[must_use = "futures do nothing unless polled"]
    pub struct Inherit<F> {
        #[pin]
        future: Option<F>,
        frame: Option<Frame>,
    }

    impl<F> PinnedDrop for Inherit<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _inside = current::enter(this.frame);
            this.future.set(None);
        }
    }
}

/// Carries the current scope into a task that somebody else starts.
///
/// The future is not dropped when the scope is cancelled, since nobody could say what its output were; our operations
/// inside it fail. Where a task should end with its scope, put a [`Scope::run`] around it instead.
pub fn inherit<F: Future>(future: F) -> Inherit<F> {
    let frame = current::peek(|frame| frame.map(|frame| frame.node.clone())).map(|node| Frame {
        node,
        unwinds: false,
    });
    Inherit {
        future: Some(future),
        frame,
    }
}

impl<F> Inherit<F> {
    pub(super) fn new(scope: Scope, future: F) -> Self {
        Self {
            future: Some(future),
            frame: Some(Frame {
                node: scope.0,
                unwinds: false,
            }),
        }
    }
}

impl<F: Future> Future for Inherit<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            return Poll::Pending;
        };
        let _inside = current::enter(this.frame);
        future.poll(cx)
    }
}

impl<F> fmt::Debug for Inherit<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inherit").finish_non_exhaustive()
    }
}

/// A wait for the cancellation of a scope, by [`Scope::cancelled`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Cancelled {
    scope: Scope,
    waiter: Waiter,
}

impl Cancelled {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            waiter: Waiter::new(),
        }
    }
}

impl Future for Cancelled {
    type Output = Cancellation;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cancellation> {
        let this = &mut *self;
        if !this.scope.is_cancelled() {
            this.waiter.register(&this.scope.0, cx.waker());
        }
        match this.scope.cancellation() {
            Some(cancellation) => Poll::Ready(cancellation),
            None => Poll::Pending,
        }
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.waiter.release(&self.scope.0);
    }
}
