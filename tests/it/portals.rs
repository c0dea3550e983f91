//! Portals are values: they can be sent, called by whoever has them, and a call that would wait for itself is told.

use tractor::Result;
use tractor::prelude::*;
use tractor_core::testing::case;
use tractor_core::this_test;

struct Parent;

#[tractor::actor]
impl Parent {
    #[init]
    fn new() -> Self {
        Self
    }

    /// Asks a child of its own, which asks back.
    async fn ask(&mut self, me: ParentPortal) -> Result<String> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![ask_back]).await?;
            Ok(child.run(ask_back(me)).await?)
        })
        .await
    }

    /// The same, while others may ask.
    async fn ask_beside(&self, me: ParentPortal) -> Result<u32> {
        open_nursery(async |an| -> Result<_> {
            let child = an
                .start_actor("child", tractor::expose![ask_back_beside])
                .await?;
            Ok(child.run(ask_back_beside(me)).await?)
        })
        .await
    }

    fn answer(&mut self) -> u32 {
        42
    }

    fn answer_beside(&self) -> u32 {
        43
    }
}

#[tractor::rpc]
async fn ask_back(parent: ParentPortal) -> String {
    match parent.answer().await {
        Err(CallError::Deadlock { cycle }) => {
            let names: Vec<_> = cycle.iter().map(tractor::ActorId::name).collect();
            names.join(" ")
        }
        other => format!("{other:?}"),
    }
}

#[tractor::rpc]
async fn ask_back_beside(parent: ParentPortal) -> u32 {
    parent.answer_beside().await.unwrap()
}

/// A portal can be sent: a child calls back the actor that has started it.
#[test]
fn a_child_calls_its_parent_back() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let parent = an.start_actor("parent", Parent::spec()).await?;
            assert_eq!(parent.ask_beside(parent.clone()).await?, 43);
            Ok(())
        })
        .await
    });
}

/// A call into its own chain would wait for itself: it fails at once, and the chain goes on.
#[test]
fn a_call_into_its_own_chain_is_a_deadlock_at_once() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let parent = an.start_actor("parent", Parent::spec()).await?;
            assert_eq!(parent.ask(parent.clone()).await?, "parent parent");
            assert_eq!(parent.answer().await?, 42);
            Ok(())
        })
        .await
    });
}
