//! The macro cannot see whether the type is public; every combination works, without a lint.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, private_interfaces, private_bounds)]

/// A module.
pub mod inner {
    struct Secret;

    #[tractor::actor]
    impl Secret {
        #[init]
        pub fn new() -> Self {
            Self
        }

        pub fn shown(&self) {}
    }

    pub(crate) struct Ours;

    #[tractor::actor]
    impl Ours {
        #[init]
        fn new() -> Self {
            Self
        }

        pub(super) fn near(&self) {}
    }

    /// Everybody's.
    #[derive(Debug)]
    pub struct Open;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Hidden;

    #[tractor::actor]
    impl Open {
        /// Made by anybody.
        #[init]
        pub fn new() -> Self {
            Self
        }

        fn hidden(&self, hidden: Hidden) -> Hidden {
            hidden
        }

        /// Called by anybody.
        pub fn shown(&self) {}
    }

    /// Uses what is private here.
    pub fn inside(portal: &OpenPortal) {
        let _ = portal.hidden(Hidden);
        let _ = Secret::spec();
        let _ = Ours::spec();
        let _ = |portal: &SecretPortal| {
            let _ = portal.shown();
        };
    }
}

/// Uses what is public there.
pub fn outside(portal: &inner::OpenPortal) {
    let _ = portal.shown();
    let _ = inner::Open::spec();
}

fn near(portal: &inner::OursPortal) {
    let _ = portal.near();
}

fn main() {
    let _ = near;
}
