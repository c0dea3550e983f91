//! A portal is a value like others: an actor may take and give its own, alone or inside of other types.
#![forbid(unsafe_code)]
#![deny(warnings)]

use futures_util::Stream;
use serde::{Deserialize, Serialize};
use tractor::{Context, Me, Message};

struct Parent {
    children: Vec<ParentPortal>,
}

#[derive(Clone, Serialize, Deserialize, Message)]
struct Letter {
    from: ParentPortal,
    copies: Vec<ParentPortal>,
}

#[tractor::actor]
impl Parent {
    #[init]
    fn new(grandparent: Option<ParentPortal>) -> Self {
        Self { children: grandparent.into_iter().collect() }
    }

    async fn ask(&mut self, me: ParentPortal, letter: Letter) -> ParentPortal {
        self.children.push(letter.from);
        self.children.extend(letter.copies);
        me
    }

    fn first(&self) -> Result<ParentPortal, tractor::AnyError> {
        self.children.first().cloned().ok_or_else(|| tractor::AnyError::message("no child"))
    }

    #[cast]
    fn adopt(&mut self, child: ParentPortal) {
        self.children.push(child);
    }

    #[stream]
    fn all(&self) -> impl Stream<Item = ParentPortal> {
        futures_util::stream::iter(self.children.clone())
    }

    #[context]
    async fn chat(me: Me<Self>, ctx: Context<ParentPortal, Letter, ParentPortal>, with: Letter) {
        let _ = (me, ctx, with);
    }
}

struct Room;

#[tractor::actor]
impl Room {
    #[init]
    fn new() -> Self {
        Self
    }

    fn next(&self, next: RoomPortal) -> RoomPortal {
        next
    }
}

/// Two that know each other.
struct Ping;

#[tractor::actor]
impl Ping {
    #[init]
    fn new(pong: Option<PongPortal>) -> Self {
        let _ = pong;
        Self
    }

    fn meet(&mut self, pong: PongPortal) -> PongPortal {
        pong
    }
}

struct Pong;

#[tractor::actor]
impl Pong {
    #[init]
    fn new(ping: PingPortal) -> Self {
        let _ = ping;
        Self
    }

    fn meet(&mut self, ping: PingPortal) -> PingPortal {
        ping
    }
}

struct Worker<T>(Vec<T>);

#[tractor::actor]
impl<T: Message> Worker<T> {
    #[init]
    fn new() -> Self {
        Self(Vec::new())
    }

    fn beside(&mut self, other: WorkerPortal<T>, value: T) -> WorkerPortal<T> {
        self.0.push(value);
        other
    }
}

#[tractor::rpc]
async fn ask(parent: ParentPortal, letter: Letter) -> Option<ParentPortal> {
    parent.ask(letter.from.clone(), letter).await.ok()
}

#[tractor::context]
async fn feed(ctx: Context<Letter, ParentPortal, ()>, parent: ParentPortal) -> RoomPortal {
    let _ = (ctx, parent);
    std::future::pending().await
}

/// An actor that holds a call, whose arguments hold its portal.
struct Holder {
    call: Option<tractor::__private::FnCall<later>>,
}

#[tractor::actor]
impl Holder {
    #[init]
    fn new() -> Self {
        Self { call: None }
    }

    fn keep(&mut self, me: HolderPortal) {
        self.call = Some(later(me));
    }
}

#[tractor::rpc]
async fn later(holder: HolderPortal) {
    let _ = holder;
}

fn main() {
    let _ = Parent::spec(None);
    let _ = Room::spec();
    let _ = Ping::spec(None);
    let _ = tractor::expose![ask, feed, later];
}
