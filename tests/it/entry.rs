//! How processes of a program begin: which of them are the program, and which are its actors; what they are given, and
//! what a program costs that starts none.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tractor::prelude::*;
use tractor::{Result, StderrTo, StdioTo};
use tractor_core::boot::Flavor;
use tractor_core::testing::{Case, case, children};
use tractor_core::this_test;

use crate::actors::{double, pid};
use crate::signs;

/// A14: a tree without processes costs next to nothing, and no guardian.
#[test]
fn a_program_that_spawns_nothing_starts_fast_and_without_guardian() {
    let mut took = Vec::new();
    Case::new(this_test!()).trials(7).run(
        async || {
            open_nursery(async |an| -> Result<_> {
                an.start_soon(async { Ok(()) });
                assert_eq!(children(), []);
                Ok(())
            })
            .await
        },
        |running| {
            let start = signs::now();
            assert!(running.wait().success());
            took.push(start.elapsed());
        },
    );
    took.sort();
    if let Some(median) = took.get(took.len() / 2) {
        assert!(*median < Duration::from_millis(350), "{took:?}");
    }
}

/// Covers B19 for a program whose `main` is not ours: libtest's, which would run this very test again.
#[test]
fn a_child_never_runs_the_parents_main() {
    case(this_test!(), async || {
        signs::write_line("runs", "here");
        open_nursery(async |an| -> Result<_> {
            for n in 0..3 {
                assert_eq!(an.run_in_actor(double(n)).await?, 2 * n);
            }
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(signs::read("runs"), "here\n");
    });
}

/// Covers B19: `#[tractor::test]` is a test like others; its actors are taken before libtest is there.
#[tractor::test]
async fn a_tractor_test_diverts_nothing() {
    if !Case::new("entry::a_tractor_test_diverts_nothing").enter() {
        return;
    }
    signs::write_line("runs", "here");
    let result = open_nursery(async |an| -> Result<_> {
        let child = an
            .start_actor("child", tractor::expose![double, pid])
            .await?;
        assert_ne!(child.run(pid()).await?, std::process::id());
        Ok(child.run(double(21)).await?)
    });
    assert_eq!(result.await.unwrap(), 42);
    assert_eq!(signs::read("runs"), "here\n");
}

/// The same with worker threads, and a result.
#[tractor::test(flavor = "multi_thread", workers = 2)]
async fn a_tractor_test_may_have_threads_and_a_result() -> Result<()> {
    if !Case::new("entry::a_tractor_test_may_have_threads_and_a_result").enter() {
        return Ok(());
    }
    open_nursery(async |an| -> Result<_> {
        let child = an.start_actor("child", tractor::expose![double]).await?;
        for n in 0..20 {
            let child = child.clone();
            an.start_soon(async move {
                assert_eq!(child.run(double(n)).await?, 2 * n);
                Ok(())
            });
        }
        Ok(())
    })
    .await
}

/// What a process of ours sees around it.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Surroundings {
    environment: BTreeMap<OsString, OsString>,
    directory: PathBuf,
    arguments: Vec<OsString>,
    group: i32,
}

#[tractor::rpc]
async fn surroundings() -> Surroundings {
    println!("on standard output");
    eprintln!("on standard error");
    Surroundings {
        environment: std::env::vars_os().collect(),
        directory: std::env::current_dir().unwrap(),
        arguments: std::env::args_os().collect(),
        group: rustix::process::getpgrp().as_raw_pid(),
    }
}

/// A child has its parent's surroundings as they are at the call, without what told it that it is a child.
#[test]
fn a_child_has_its_parents_surroundings() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let ours = surroundings().await;
            let mut theirs = an.run_in_actor(surroundings()).await?;
            assert_eq!(
                theirs
                    .environment
                    .remove(OsString::from("TRACTOR_ROLE").as_os_str()),
                None
            );
            assert!(
                theirs
                    .environment
                    .remove(OsString::from("TRACTOR_ACTOR").as_os_str())
                    .is_some()
            );
            assert_eq!(theirs.environment, ours.environment);
            assert_eq!(theirs.directory, ours.directory);
            assert_eq!(theirs.arguments[1..], ours.arguments[1..]);
            // A terminal's Ctrl-C is the root's to hear.
            assert_ne!(theirs.group, ours.group);
            Ok(())
        })
        .await
    });
}

/// And what it is given instead.
#[test]
fn a_child_has_the_surroundings_it_is_given() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let file = |name| File::create(signs::path(name)).unwrap().into();
            let child = an
                .start_actor("child", tractor::expose![surroundings])
                .env("GIVEN", "a value")
                .env_remove("HOME")
                .cwd("/")
                .stdin(StdioTo::Null)
                .stdout(StdioTo::Fd(file("out")))
                .stderr(StderrTo::Plain(StdioTo::Fd(file("err"))))
                .await?;
            let theirs = child.run(surroundings()).await?;
            let variable = |name: &str| theirs.environment.get(OsString::from(name).as_os_str());
            assert_eq!(variable("GIVEN"), Some(&"a value".into()));
            assert_eq!(variable("HOME"), None);
            assert_eq!(theirs.directory, PathBuf::from("/"));
            assert_eq!(signs::read("out"), "on standard output\n");
            assert_eq!(signs::read("err"), "on standard error\n");
            let bare = an
                .start_actor("bare", tractor::expose![surroundings])
                .env_clear()
                .env("GIVEN", "all there is")
                .await?;
            let theirs = bare.run(surroundings()).await?;
            let names: Vec<_> = theirs.environment.keys().collect();
            assert_eq!(names, ["GIVEN", "TRACTOR_ACTOR"]);
            Ok(())
        })
        .await
    });
}

/// A child is started with the image it is of, again, as a program of its own.
#[tractor::rpc]
async fn start_the_image_again() -> (bool, String) {
    let image = std::env::current_exe().unwrap();
    let output = Command::new(image)
        .args(["entry::", "--list", "--format=terse"])
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// ENTRY-2: a role is taken once: a program an actor starts is no actor, though it be the same image.
#[test]
fn a_role_is_not_inherited() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let (success, listed) = an.run_in_actor(start_the_image_again()).await?;
            assert!(
                success && listed.contains("entry::a_role_is_not_inherited: test"),
                "{listed}"
            );
            Ok(())
        })
        .await
    });
}

/// ENTRY-2: who sets the variable himself is told to unset it, instead of a program that behaves as no one expects.
#[test]
fn a_role_that_is_none_is_refused() {
    case(this_test!(), async || {
        for role in ["a:1", "g:1", "nonsense", ""] {
            let image = std::env::current_exe().unwrap();
            let output = Command::new(image)
                .arg("--list")
                .env("TRACTOR_ROLE", role)
                .output()
                .unwrap();
            assert!(!output.status.success(), "{role}: {output:?}");
            assert_eq!(output.stdout, b"", "{role}");
        }
    });
}

/// Roots belong to runtimes: two of them in one process have a tree each, and one guardian.
#[test]
fn two_runtimes_have_a_tree_each() {
    Case::new(this_test!()).flavor(Flavor::MultiThread).run(
        async || {
            let tree = async |sign: &str, other: &str| {
                open_nursery(async |an| -> Result<_> {
                    let child = an.start_actor("child", tractor::expose![double]).await?;
                    signs::give(sign);
                    signs::seen(other).await;
                    assert_eq!(child.run(double(3)).await?, 6);
                    assert_eq!(children().len(), 1, "the nanny");
                    tractor::current_tree()
                })
                .await
            };
            let elsewhere = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.unwrap().block_on(tree("b", "a"))
            });
            let here = tree("a", "b").await.unwrap();
            let there = tokio::task::spawn_blocking(|| elsewhere.join().unwrap());
            assert_ne!(here, there.await.unwrap().unwrap());
        },
        tractor_core::testing::ends_well,
    );
}
