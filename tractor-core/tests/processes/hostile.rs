//! Programs that do what a library would rather they did not.

use std::process::{Command, Stdio};

use rustix::process::WaitOptions;
use tractor_core::guardian::arm::{self, Fork};
use tractor_core::host::{ExitStatus, SignalError, StartError, linux};

use tractor_core::testing::{Case, case, case_with, ends_well, nanny_and_guardian, say};
use tractor_core::this_test;

use crate::tree::Tree;

/// A root that reaps whatever it gets takes the nanny's exit status too: nobody relies on it.
#[test]
fn a_root_may_reap_everything() {
    case(this_test!(), async || {
        let mut member = Tree::new().start("member").await;
        member.ask("pid");
        std::thread::spawn(|| while rustix::process::wait(WaitOptions::empty()).is_ok() {});
        member.tell("exit 4");
        assert_eq!(member.process.exit.wait().await, ExitStatus::Exited(4));
    });
}

/// Ignored SIGCHLD crosses exec: guardian and actors start from default dispositions all the same.
#[test]
fn a_root_may_ignore_sigchld() {
    Case::new(this_test!())
        .wrap("trap '' CHLD HUP; exec \"$@\"")
        .run(
            async || {
                let mut member = Tree::new().start("member").await;
                let ignored = u64::from_str_radix(&member.ask("ignored"), 16).unwrap();
                // SIGPIPE and SIGTTOU, by our own hand. 32 and 33 are the C library's and cannot be set by others.
                let ours = 1 << 12 | 1 << 21;
                assert_eq!(ignored & !(3 << 31), ours, "{ignored:016x}");
                member.tell("exit 5");
                assert_eq!(member.process.exit.wait().await, ExitStatus::Exited(5));
            },
            ends_well,
        );
}

/// A fork of a root has its memory, not its children.
#[test]
fn a_forked_root_is_refused() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let mut member = tree.start("member").await;
        member.ask("pid");
        let (request, _link) = tree.request("refused");
        let mut start = tree.host.start(request);
        match arm::fork().unwrap() {
            Fork::Child => {
                use futures_util::FutureExt;
                let started = (&mut start).now_or_never();
                let refused = matches!(started, Some(Err(StartError::ForkedRoot { .. })));
                let again = tractor_core::guardian::for_this_process();
                let again = matches!(again, Err(StartError::ForkedRoot { .. }));
                let signal = tree
                    .host
                    .signal(member.process.id, tractor_core::host::Signal::Kill);
                let signal = matches!(signal, Err(SignalError::ForkedRoot { .. }));
                arm::exit_now(if refused && again && signal { 0 } else { 1 });
            }
            Fork::Parent(child) => {
                let status = rustix::process::waitpid(Some(child), WaitOptions::empty());
                assert_eq!(status.unwrap().unwrap().1.exit_status(), Some(0));
            }
        }
        drop(start);
        member.ask("pid");
    });
}

/// A program started with a role that cannot be taken says so and leaves: it never goes on as if it were a root.
#[test]
fn a_role_that_cannot_be_taken_ends_the_program() {
    let image = std::env::current_exe().unwrap();
    let run = |role: &str| {
        let mut command = Command::new(&image);
        let output = command
            .env("TRACTOR_ROLE", role)
            .stdin(Stdio::null())
            .output();
        let output = output.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    let me = std::process::id();
    for role in ["", "nonsense", &format!("g:{me}"), &format!("a:{me}")] {
        let (code, said) = run(role);
        assert_eq!(code, Some(120), "{role:?}: {said}");
        assert!(said.contains("TRACTOR_ROLE"), "{role:?}: {said}");
    }
    // Its parent is gone, or never was: there is nobody to talk to.
    for role in ["g:1", "a:1"] {
        assert_eq!(run(role), (Some(111), String::new()), "{role:?}");
    }
}

/// ENTRY-1: an image that runs with more rights than its caller's takes no role.
#[test]
fn a_privileged_image_takes_no_role() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root, to make an image set-uid");
        return;
    }
    let folder = std::env::temp_dir().join(format!("tractor-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let image = folder.join("image");
    std::fs::copy(std::env::current_exe().unwrap(), &image).unwrap();
    std::os::unix::fs::chown(&image, Some(65_534), None).unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o4755);
    std::fs::set_permissions(&image, mode).unwrap();
    let output = Command::new(&image)
        .arg("--list")
        .env("TRACTOR_ROLE", "nonsense")
        .output();
    std::fs::remove_dir_all(&folder).unwrap();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains(": test"));
}

/// What is not a request of ours ends that connection, and with it nobody else.
#[test]
fn garbage_from_an_actor_hurts_nobody_else() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let mut other = tree.start("other").await;
        let mut bad = tree.start("bad").await;
        bad.tell("garbage");
        // Its own lifelines see to it: it has no guardian any more.
        assert_eq!(bad.process.exit.wait().await, ExitStatus::Signaled(9));
        assert!(other.ask("spawn child").parse::<u32>().is_ok());
    });
}

/// GUARD-4: an actor that asks and never listens is not read any more, and holds up nobody else.
#[test]
fn a_flood_from_an_actor_holds_up_nobody_else() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let mut bad = tree.start("bad").await;
        let sent: usize = bad.ask("flood").parse().unwrap();
        assert!(sent > 64, "{sent}");
        for _ in 0..3 {
            let mut other = tree.start("other").await;
            assert!(other.ask("spawn child").parse::<u32>().is_ok());
        }
        bad.tell("exit 6");
        assert_eq!(bad.process.exit.wait().await, ExitStatus::Exited(6));
    });
}

/// An actor may not tell the guardian to leave.
#[test]
fn an_actor_cannot_shut_the_guardian_down() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let mut bad = tree.start("bad").await;
        bad.tell("shutdown");
        assert_eq!(bad.process.exit.wait().await, ExitStatus::Signaled(9));
        tree.start("next").await.ask("pid");
    });
}

/// Guardian and nanny die by their own rules only, not by what a terminal or a service manager sends.
#[test]
fn guardian_and_nanny_ignore_polite_signals() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let mut member = tree.start("member").await;
        member.ask("pid");
        let (nanny, guardian) = nanny_and_guardian();
        for signal in [1, 2, 3, 15, 20, 21, 22, 10, 12, 13, 14] {
            for pid in [nanny, guardian] {
                let signal = rustix::process::Signal::from_named_raw(signal).unwrap();
                rustix::process::kill_process(pid, signal).unwrap();
            }
        }
        tree.start("next").await.ask("pid");
        member.ask("pid");
    });
}

/// A program without processes pays nothing.
#[test]
fn nothing_is_started_before_it_is_needed() {
    case_with(
        this_test!(),
        async || {
            assert_eq!(linux::children().unwrap(), []);
            assert_eq!(linux::threads(), 2);
            say("none");
        },
        |running| {
            assert_eq!(running.hear(), "none");
            ends_well(running);
        },
    );
}
