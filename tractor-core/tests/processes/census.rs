//! The census of these tests can fail: whatever a case leaves is found, and a case that does not end is ended.

use std::fs::File;
use std::io::Read;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use tractor_core::testing::{Case, Left, case, case_with, ends_well, say};
use tractor_core::this_test;

use crate::tree::Tree;

/// CASE-1: a daemon that left its parents, and even its process group, is found.
#[test]
fn it_finds_a_process_that_is_left() {
    Case::new(this_test!()).run_judged(
        async || {
            let daemon = "setsid sleep 1000 >&- 2>&- <&- &";
            Command::new("sh").args(["-c", daemon]).status().unwrap();
        },
        ends_well,
        |left| match &left[..] {
            [Left::Process { command, .. }] => assert!(command.contains("sleep 1000"), "{left:?}"),
            _ => panic!("{left:?}"),
        },
    );
}

/// CASE-1: a child nobody waited for is found, though it is dead.
#[test]
#[expect(clippy::zombie_processes, reason = "a zombie is what is to be found")]
fn it_finds_a_zombie_that_is_left() {
    Case::new(this_test!()).run_judged(
        async || {
            let mut child = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
            // The end of its output is its own.
            let mut output = child.stdout.take().unwrap();
            output.read_to_string(&mut String::new()).unwrap();
        },
        ends_well,
        |left| match &left[..] {
            [Left::Process { state, .. }] => assert_eq!(*state, Some('Z'), "{left:?}"),
            _ => panic!("{left:?}"),
        },
    );
}

/// CASE-1: a descriptor that was open before the tree is none of the tree's; one that was not is found.
#[test]
fn it_finds_a_descriptor_that_is_left() {
    Case::new(this_test!()).run_judged(
        async || {
            let tree = Tree::new();
            let mut member = tree.start("member").await;
            member.ask("pid");
            let file = File::open("/dev/null").unwrap();
            // Lives as long as the process.
            Box::leak(Box::new(file));
        },
        ends_well,
        |left| match &left[..] {
            [Left::Descriptor(what)] => assert!(what.ends_with("-> /dev/null"), "{left:?}"),
            _ => panic!("{left:?}"),
        },
    );
}

/// CASE-1: the file of a socket is found, in whatever folder of the case's it is.
#[test]
fn it_finds_a_socket_that_is_left() {
    Case::new(this_test!()).run_judged(
        async || {
            let folder = std::env::temp_dir().join("deep");
            std::fs::create_dir(&folder).unwrap();
            UnixListener::bind(folder.join("socket")).unwrap();
        },
        ends_well,
        |left| match &left[..] {
            [Left::Socket(path)] => assert!(path.ends_with("deep/socket"), "{left:?}"),
            _ => panic!("{left:?}"),
        },
    );
}

/// CASE-2: a case that does not end is killed when its time is up, and that is a failure whatever its script says.
#[test]
fn it_ends_a_case_that_does_not_end() {
    Case::new(this_test!())
        .within(Duration::from_millis(300))
        .run(
            async || {
                say("here");
                std::future::pending::<()>().await;
            },
            |running| {
                assert_eq!(running.hear(), "here");
                let waiting = std::panic::AssertUnwindSafe(|| running.wait());
                let failure = std::panic::catch_unwind(waiting).unwrap_err();
                let text = failure.downcast_ref::<&str>().unwrap();
                assert!(text.contains("time was up"), "{text}");
            },
        );
}

/// A failing case fails its test, and its words are heard.
#[test]
fn it_passes_on_what_the_case_says() {
    case_with(
        this_test!(),
        async || say("hello"),
        |running| assert_eq!(running.hear(), "hello"),
    );
}

/// A case without a tree leaves nothing.
#[test]
fn an_empty_case_leaves_nothing() {
    case(this_test!(), async || {});
}
