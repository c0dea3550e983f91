//! How processes come to be: environment, directory, streams, descriptors, and what stands in the way.

use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use futures_util::FutureExt;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Signal, kill_process};
use tractor_core::host::{ChildStderr, ChildStdio, ExitStatus, StartError, StartStage, linux};
use tractor_core::testing::{
    Case, PATIENCE, case, case_with, children_of, ends_well, nanny_and_guardian, say, stop,
};
use tractor_core::this_test;

use crate::tree::Tree;

/// GUARD-2: an exit is reaped by the guardian and told to the parent as it was.
#[test]
fn exits_are_reported_as_they_were() {
    case(this_test!(), async || {
        let tree = Tree::new();
        for code in [0, 1, 42, 255] {
            let mut member = tree.start("exits").await;
            member.tell(&format!("exit {code}"));
            assert_eq!(member.process.exit.wait().await, ExitStatus::Exited(code));
        }
        for signal in [9, 11, 15] {
            let mut member = tree.start("signalled").await;
            member.tell(&format!("signal {signal}"));
            let status = member.process.exit.wait().await;
            assert_eq!(status, ExitStatus::Signaled(signal));
            assert_eq!(member.process.exit.status(), Some(status));
        }
    });
}

/// What is not given is what the parent has at the call, not what it had when the guardian was started.
#[test]
fn a_child_has_what_its_parent_has_at_the_call() {
    Case::new(this_test!())
        .wrap("umask 027; LATE=no exec \"$@\"")
        .run(
            async || {
                let tree = Tree::new();
                let mut early = tree.start("early").await;
                assert_eq!(early.ask("env LATE"), "Some(\"no\")");
                let here = std::env::current_dir().unwrap();
                assert_eq!(early.ask("cwd"), here.display().to_string());
                assert_eq!(early.ask("umask"), "27");
                std::env::set_current_dir("/usr").unwrap();
                rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o77));
                let mut late = tree.start("late").await;
                assert_eq!(late.ask("cwd"), "/usr");
                assert_eq!(late.ask("umask"), "77");
                let args: Vec<String> = std::env::args().collect();
                assert_eq!(late.ask("args"), format!("{args:?}"));
                assert_eq!(late.ask("out by the parent's own output"), "ok");
            },
            |running| {
                ends_well(running);
            },
        );
}

#[test]
fn a_child_has_what_is_given() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let (read, write) = rustix::pipe::pipe().unwrap();
        let (input, feed) = rustix::pipe::pipe().unwrap();
        let started = tree.try_start("given", |request| {
            request.cwd = Some(PathBuf::from("/usr/bin"));
            request.env.set = vec![("GIVEN".into(), "yes=no".into())];
            request.env.remove = vec!["PATH".into()];
            request.stdin = ChildStdio::Fd(input);
            request.stdout = ChildStdio::Fd(write);
            request.stderr = ChildStderr::Plain(ChildStdio::Null);
        });
        let mut member = started.await.unwrap();
        assert_eq!(member.ask("cwd"), "/usr/bin");
        assert_eq!(member.ask("env GIVEN"), "Some(\"yes=no\")");
        assert_eq!(member.ask("env PATH"), "None");
        assert_eq!(member.ask("out to a pipe"), "ok");
        assert_eq!(first_line(read), "to a pipe");
        rustix::io::write(&feed, b"a line\n").unwrap();
        assert_eq!(member.ask("input"), "a line");
        assert_eq!(member.ask("err into nothing"), "ok");
        assert_eq!(member.process.stderr.take(), "");

        let bare = tree.try_start("bare", |request| {
            request.env.base = Some(vec![("ONLY".into(), "this".into())]);
        });
        let mut bare = bare.await.unwrap();
        assert_eq!(bare.ask("env ONLY"), "Some(\"this\")");
        assert_eq!(bare.ask("env PATH"), "None");
    });
}

/// An environment too long for one record travels in a memory file.
#[test]
fn a_long_environment_arrives() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let started = tree.try_start("long", |request| {
            request.env.set = (0..20)
                .map(|n| (format!("LONG_{n}").into(), "x".repeat(20_000).into()))
                .collect();
        });
        let mut member = started.await.unwrap();
        let arrived = member.ask("env LONG_19");
        assert_eq!(arrived.len(), 20_000 + "Some(\"\")".len());
    });
}

/// An image that cannot be executed is an error of the start, told apart from a crash; nothing is left of it.
#[test]
fn a_failed_exec_is_not_a_crash() {
    case(this_test!(), async || {
        let tree = Tree::new();
        // Longer than the kernel takes in one string.
        let started = tree.try_start("huge", |request| {
            request.env.set = vec![("HUGE".into(), "x".repeat(200_000).into())];
        });
        let error = started.await.err().unwrap();
        let StartError::Refused { stage, source } = error else {
            panic!("{error}");
        };
        assert_eq!(stage, StartStage::Exec);
        assert_eq!(source.raw(), 7, "{source}"); // E2BIG
        let mut next = tree.start("next").await;
        next.ask("pid");
        let (_, guardian) = nanny_and_guardian();
        assert_eq!(children_of(guardian), [next.pid()]);
    });
}

#[test]
fn what_cannot_be_asked_is_named() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let nowhere = Path::new("/nowhere/at/all");
        let lost = tree.try_start("lost", |request| request.cwd = Some(nowhere.into()));
        let error = lost.await.err().unwrap();
        assert!(
            matches!(&error, StartError::WorkingDirectory { path, .. } if path == nowhere),
            "{error}"
        );
        for (name, value) in [("", "x"), ("A=B", "x"), ("NUL", "a\0b")] {
            let bad = tree.try_start("bad", |request| {
                request.env.set = vec![(name.into(), value.into())];
            });
            let error = bad.await.err().unwrap();
            assert!(
                matches!(&error, StartError::Environment { name: n } if n == name),
                "{error}"
            );
        }
    });
}

/// ENTRY-2, HOST-2: an actor has its six descriptors and none of its parent's or its siblings', its role is gone from the
/// environment, its group is its own and its session its parent's.
#[test]
fn a_child_is_born_clean() {
    Case::new(this_test!())
        .wrap("ulimit -S -n 500; exec \"$@\"")
        .run(
            async || {
                let leaky = std::fs::File::open("/etc/passwd").unwrap();
                rustix::io::fcntl_setfd(&leaky, rustix::io::FdFlags::empty()).unwrap();
                let tree = Tree::new();
                let _sibling = tree.start("sibling").await;
                let mut member = tree.start("a.long.name.for.a.process").await;
                let fds = member.ask("fds");
                // 0 to 5, one more each for the test's own copies of link and connection, and an eventfd.
                assert_eq!(fds.split(' ').count(), 9, "{fds}");
                assert!(!fds.contains("passwd"), "{fds}");
                assert_eq!(member.ask("helper ls /proc/$$/fd"), "0 1 2");
                assert_eq!(member.ask("env TRACTOR_ROLE"), "None");
                let tag = member.ask("env TRACTOR_ACTOR");
                let expected = format!("Some(\"{}:a.long.name.for.a.process@", tree.id);
                assert!(tag.starts_with(&expected), "{tag}");
                assert_eq!(member.ask("group"), member.ask("pid"));
                assert_eq!(member.ask("session"), crate::actor::session());
                assert_eq!(member.ask("threads"), "2"); // and the lifeline's
                let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
                assert_eq!(member.ask("limits"), files_line(&limits));
            },
            ends_well,
        );
}

/// Guardian and nanny hold nothing of the root's: whoever waits for the end of a pipe of the root's must not wait for them.
#[test]
fn guardian_and_nanny_hold_nothing_of_the_root() {
    case(this_test!(), async || {
        let _leaky = leaky_files();
        let output = rustix::fs::fstat(std::io::stdout().as_fd()).unwrap().st_ino;
        Tree::new().start("member").await.ask("pid");
        let (nanny, guardian) = nanny_and_guardian();
        for pid in [nanny, guardian] {
            for fd in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
                let target = std::fs::read_link(fd.unwrap().path()).unwrap();
                let target = target.display().to_string();
                assert!(!target.contains("passwd"), "{target}");
                assert!(!target.contains(&output.to_string()), "{target}");
            }
            let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
            assert_eq!(cwd, Path::new("/"));
        }
    });
}

/// What `ps` and `top` show.
#[test]
fn processes_say_who_they_are() {
    case(this_test!(), async || {
        let mut member = Tree::new().start("a.long.name.for.a.process").await;
        assert_eq!(member.ask("read /proc/self/comm"), "a.long.name.for");
        let title = member.ask("title");
        assert!(title.starts_with("processes-"), "{title}");
        assert!(title.contains(": a.long.name.for.a.process@"), "{title}");
        let (nanny, guardian) = nanny_and_guardian();
        for (pid, name) in [(nanny, "nanny"), (guardian, "guardian")] {
            let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
            assert_eq!(comm.trim(), format!("tr-{name}"));
            let title = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
            assert!(title.ends_with(&format!(": {name}\0")), "{title:?}");
        }
    });
}

/// Files a program has opened without a thought for its children, at low and at high numbers.
fn leaky_files() -> [OwnedFd; 2] {
    let low = OwnedFd::from(std::fs::File::open("/etc/passwd").unwrap());
    let high = rustix::io::fcntl_dupfd_cloexec(&low, 100).unwrap();
    for fd in [&low, &high] {
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty()).unwrap();
    }
    [low, high]
}

pub(crate) fn files_line(limits: &str) -> String {
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    line.unwrap().trim_end().to_owned()
}

/// Actors start actors at any depth, each by its own connection to the one guardian.
#[test]
fn actors_start_actors() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let mut top = tree.start("top").await;
        let below: i32 = top.ask("spawn middle").parse().unwrap();
        let leaf: i32 = top.ask("to 0 spawn leaf").parse().unwrap();
        assert_eq!(top.ask("to 0 pid"), below.to_string());
        assert_eq!(top.ask("to 0 to 0 pid"), leaf.to_string());
        let (_, guardian) = nanny_and_guardian();
        let pids: Vec<i32> = children_of(guardian)
            .iter()
            .map(|p| p.as_raw_pid())
            .collect();
        assert_eq!(pids, [top.pid().as_raw_pid(), below, leaf]);
    });
}

#[test]
fn many_start_side_by_side() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let starts = (0..20).map(|_| tree.start("one.of.many"));
        let mut members = futures_util::future::join_all(starts).await;
        let mut pids: Vec<String> = members.iter_mut().map(|m| m.ask("pid")).collect();
        pids.sort();
        pids.dedup();
        assert_eq!(pids.len(), 20);
    });
}

/// A start that nobody waits for any more leaves no process.
#[test]
fn a_dropped_start_leaves_nothing() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let mut first = tree.start("first").await;
        let (_, guardian) = nanny_and_guardian();
        for _ in 0..5 {
            let (mut request, link) = tree.request("dropped");
            request.env.set = vec![("DEAF".into(), "yes".into())];
            let mut start = tree.host.start(request);
            stop(guardian); // it cannot have answered before we let go
            assert!((&mut start).now_or_never().is_none());
            drop(start);
            kill_process(guardian, Signal::CONT).unwrap();
            // The far end of its link closes when it is gone.
            let mut fds = [PollFd::new(link.stream(), PollFlags::IN)];
            rustix::event::poll(&mut fds, None).unwrap();
        }
        assert_eq!(first.ask("sh true"), "exit status: 0");
        first.tell("exit 0");
        first.process.exit.wait().await;
    });
}

/// What a child writes to its standard error comes out on ours, and its last few KiB are kept.
#[test]
fn standard_error_is_forwarded_and_its_tail_kept() {
    case_with(
        this_test!(),
        async || {
            let tree = Tree::new();
            let mut member = tree.start("talker").await;
            member.ask(&format!("err {}", "early".repeat(2000)));
            member.tell("panic the last words");
            let status = member.process.exit.wait().await;
            assert_eq!(status, ExitStatus::Exited(101));
            let tail = member.process.stderr.take();
            assert!(tail.contains("the last words"), "{tail}");
            assert!(tail.contains("early"), "{tail}");
            assert_eq!(tail.len(), 4096);
            assert!(tractor_core::host::stderr::flush(PATIENCE));
            say("done");
        },
        |running| {
            running.hear_error("the last words");
            ends_well(running);
        },
    );
}

/// HOST-2: neither root nor guardian keeps a descriptor of a process that is gone.
#[test]
fn no_descriptor_is_leaked() {
    case(this_test!(), async || {
        let tree = Tree::new();
        let count = |pid: &str| {
            std::fs::read_dir(format!("/proc/{pid}/fd"))
                .unwrap()
                .count()
        };
        let (mut ours, mut guardians) = (0, 0);
        for round in 0..12 {
            let mut member = tree.start("passing").await;
            member.ask("pid");
            member.tell("exit 0");
            member.process.exit.wait().await;
            drop(member);
            tractor_core::host::stderr::flush(PATIENCE);
            let (_, guardian) = nanny_and_guardian();
            let now = (count("self"), count(&guardian.to_string()));
            if round == 1 {
                (ours, guardians) = now;
            }
            assert!(
                round <= 1 || now == (ours, guardians),
                "round {round}: {now:?}"
            );
        }
        assert_eq!(linux::threads(), 4, "main, the test's, guard and stderr");
    });
}

fn first_line(fd: OwnedFd) -> String {
    let mut line = String::new();
    let mut file = BufReader::new(std::fs::File::from(fd));
    file.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
