//! Roots, nurseries and what is started in them.

use std::time::Duration;

use futures_util::FutureExt;
use tractor::prelude::*;
use tractor::{CancelReason, Error, RemoteErrorKind, Result, SpawnMethodKey};
use tractor_core::testing::{case, children};
use tractor_core::this_test;

use crate::actors::{Daemon, Missing, block, double, fail, fail_together, missing, pid, stay};
use crate::signs;

/// A1: the first nursery of a runtime opens a root, which ends with it; the next one opens another.
#[test]
fn the_first_nursery_opens_an_implicit_root() {
    case(this_test!(), async || -> Result<_> {
        let mut roots = Vec::new();
        for _ in 0..2 {
            assert!(tractor::current_actor().is_err() && !tractor::is_root());
            let root = open_nursery(async |an| -> Result<_> {
                assert!(tractor::is_root());
                assert!(!an.cancel_called());
                tractor::current_actor()
            });
            roots.push(root.await?);
            assert!(tractor::current_actor().is_err() && !tractor::is_root());
        }
        assert_eq!(roots[0].name(), "root");
        assert_eq!(roots[1].name(), "root");
        assert_ne!(roots[0], roots[1]);
        Ok(())
    });
}

#[tractor::rpc]
async fn second_root() -> Result<()> {
    tractor::root().run(async |_| -> Result<_> { Ok(()) }).await
}

/// A2: a runtime has one root, and an actor has none of its own; the tree goes on.
#[test]
fn a_second_root_is_refused_at_home_and_in_a_child() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let refused = second_root().await.unwrap_err();
            let Error::RootExists { root } = &refused else {
                panic!("{refused}")
            };
            assert_eq!(*root, tractor::current_actor()?);
            let child = an.start_actor("child", tractor::expose![second_root, double]);
            let child = child.await?;
            let refused = child.run(second_root()).await.unwrap_err();
            let failure = refused.remote().unwrap();
            assert_eq!(failure.origin(), child.id());
            assert!(
                failure.message().contains("has a root already"),
                "{failure}"
            );
            assert_eq!(child.run(double(2)).await?, 4);
            Ok(())
        })
        .await
    });
}

/// A3: without a tree, whoever asks for its actor is told at once that there is none; once more after one has ended.
#[test]
fn outside_a_tree_there_is_no_current_actor() {
    case(this_test!(), async || {
        let nobody = |why: &str| {
            let errors = [
                tractor::current_actor().err(),
                tractor::current_tree().err(),
                tractor::current_parent().err(),
                tractor::statistics().err(),
            ];
            for error in errors {
                let text = error.unwrap().to_string();
                assert!(text.starts_with(why), "{text}");
            }
            assert!(!tractor::is_root());
        };
        nobody("this task belongs to no actor");
        open_nursery(async |_| -> Result<_> { Ok(()) })
            .await
            .unwrap();
        nobody("this task belongs to no actor");
        // A plain thread has not even a runtime a root could be on.
        let elsewhere = std::thread::spawn(move || {
            nobody("no tokio runtime");
            let nursery = open_nursery(async |_| -> Result<_> { Ok(()) });
            let refused = nursery.now_or_never();
            assert!(matches!(refused, Some(Err(Error::NoRuntime))));
        });
        elsewhere.join().unwrap();
    });
}

/// A5: a root gives back what its block returns, and has started nobody nobody asked for.
#[test]
fn a_root_returns_the_value_of_its_block_and_leaves_nobody() {
    case(this_test!(), async || {
        let block = async |root: tractor::Root| -> Result<_> {
            let counted = root.statistics();
            assert_eq!((counted.links, counted.opened, counted.unreaped), (0, 0, 0));
            assert_eq!(root.tree(), tractor::current_tree()?);
            assert_eq!(tractor::current_parent()?, None);
            assert_eq!(children(), []);
            Ok(7)
        };
        assert_eq!(tractor::root().name("seven").run(block).await.unwrap(), 7);
        assert_eq!(children(), []);
    });
}

/// B1: a one-shot's value can be read in its nursery and after it.
#[test]
fn a_one_shots_value_is_there_before_and_after_its_nursery() {
    case(this_test!(), async || -> Result<_> {
        let block = async |root: tractor::Root| -> Result<_> {
            let shot = open_nursery(async |an| -> Result<_> {
                let shot = an.run_in_actor(double(21)).start().await?;
                assert_eq!(shot.result().await?, 42);
                Ok(shot)
            })
            .await?;
            assert_eq!(shot.result().await?, 42);
            assert_eq!(root.statistics().unreaped, 0);
            Ok(())
        };
        tractor::root().run(block).await
    });
}

#[tractor::rpc]
async fn whereabouts() -> (bool, u32, String) {
    let actor = tractor::current_actor().unwrap();
    (
        tractor::is_root(),
        std::process::id(),
        actor.name().to_owned(),
    )
}

/// B2: the same function, here and in an actor of its own.
#[test]
fn a_one_shot_knows_that_it_is_not_the_root() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let own = std::process::id();
            assert_eq!(whereabouts().await, (true, own, "root".to_owned()));
            let (root, pid, name) = an.run_in_actor(whereabouts()).await?;
            assert!(!root && pid != own);
            assert_eq!(name, "whereabouts");
            Ok(())
        })
        .await
    });
}

/// B3: a daemon left running is stopped when the block ends, in its own time; as long as the block waits, it serves.
#[test]
fn a_daemon_left_running_is_stopped_when_the_block_ends() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let daemon = an.start_actor("left", Daemon::spec("left".into())).await?;
            daemon.serve().await?;
            Ok(())
        })
        .await?;
        assert!(signs::given("left.stopped"));
        open_nursery(async |an| -> Result<_> {
            let daemon = an.start_actor("kept", Daemon::spec("kept".into())).await?;
            let nursery = an.clone();
            an.start_soon(async move {
                for _ in 0..100 {
                    daemon.serve().await?;
                }
                assert!(!signs::given("kept.stopped"));
                nursery.cancel().await;
                Ok(())
            });
            an.wait().await;
            assert!(signs::given("kept.stopped"));
            Ok(())
        })
        .await
    });
}

/// B4: one failure is that failure and no group of one.
#[test]
fn one_failing_child_is_a_bare_error() {
    case(this_test!(), async || {
        let result = open_nursery(async |an| -> Result<_> {
            an.run_in_actor(fail("a".into()))
                .name("failing")
                .start()
                .await?;
            Ok(())
        });
        let error = result.await.unwrap_err();
        let failure = error.remote().unwrap();
        assert_eq!(*failure.kind(), RemoteErrorKind::App);
        assert_eq!(failure.downcast::<Missing>(), Some(missing("a")));
        assert!(failure.type_name().ends_with("Missing"), "{failure:?}");
        assert_eq!(failure.origin().name(), "failing");
        assert_eq!(failure.relay(), []);
    });
}

/// Runs so many one-shots that fail together.
async fn failing_together(many: usize) -> RemoteError {
    let result = open_nursery(async |an| -> Result<_> {
        for index in 0..many {
            let name = format!("child-{index}");
            let shot = an.run_in_actor(fail_together(name.clone(), many));
            // Some may be refused: the nursery ends when the others have failed.
            shot.name(&name).start().await?;
        }
        Ok(())
    });
    match result.await {
        Err(Error::Actor(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

fn check_group(group: &RemoteError, many: usize) {
    assert_eq!(*group.kind(), RemoteErrorKind::Group);
    let mut names = Vec::new();
    for member in group.members() {
        let error = member.downcast::<Missing>().unwrap();
        assert_eq!(error.what, member.origin().name(), "{member:?}");
        names.push(error.what);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), many, "{group}");
}

/// B5: of many failures none is lost.
#[test]
fn twenty_five_failures_are_one_group_of_twenty_five() {
    case(this_test!(), async || {
        check_group(&failing_together(25).await, 25);
    });
}

/// B9
#[test]
fn three_failing_one_shots_are_a_group_of_three() {
    case(this_test!(), async || {
        check_group(&failing_together(3).await, 3);
    });
}

/// B6: what was cancelled here is no failure, neither the nursery's nor the block's.
#[test]
fn a_cancelled_one_shot_is_no_error() {
    case(this_test!(), async || {
        let (shot, canceller) = open_nursery(async |an| -> Result<_> {
            let shot = an.run_in_actor(stay("there".into())).start().await?;
            signs::seen("there").await;
            assert!(!an.cancel_called());
            an.cancel().await;
            assert!(an.cancel_called());
            Ok((shot, tractor::current_actor()?))
        })
        .await
        .unwrap();
        assert!(signs::given("there.gone"));
        match shot.result().await {
            Err(CallError::Cancelled(cancel)) => assert_eq!(cancel.canceller, canceller),
            other => panic!("{other:?}"),
        }
    });
}

/// B8: the failure of a call in the block ends everything the nursery has, and is its error as it is.
#[test]
fn a_failing_call_cancels_sleepers_and_daemons() {
    case(this_test!(), async || {
        let mut nursery = None;
        let block = async |root: tractor::Root| -> Result<_> {
            let result = open_nursery(async |an| -> Result<_> {
                nursery = Some(an.clone());
                let mut daemons = Vec::new();
                for name in ["a", "b", "c"] {
                    daemons.push(an.start_actor(name, Daemon::spec(name.into())).await?);
                    let sleeper = format!("sleeper.{name}");
                    an.run_in_actor(stay(sleeper)).start().await?;
                }
                signs::seen_all("sleeper.", 3).await;
                daemons[1].fail().await?;
                Ok(())
            });
            let error = result.await.unwrap_err();
            assert_eq!(root.statistics().unreaped, 0);
            Ok(error)
        };
        let error = tractor::root().run(block).await.unwrap();
        match error {
            Error::Call(CallError::App { error, .. }) => {
                assert_eq!(error.downcast::<Missing>(), Some(missing("b")));
            }
            other => panic!("{other:?}"),
        }
        assert!(nursery.unwrap().cancel_called());
        for name in ["a", "b", "c"] {
            assert!(signs::given(&format!("{name}.stopped")));
            assert!(signs::given(&format!("sleeper.{name}.gone")));
        }
    });
}

/// B9
#[test]
fn a_failing_call_beside_finished_one_shots_is_a_bare_error() {
    case(this_test!(), async || {
        let result = open_nursery(async |an| -> Result<_> {
            for n in 0..3 {
                let shot = an.run_in_actor(double(n)).start().await?;
                assert_eq!(shot.result().await?, 2 * n);
            }
            let daemon = an.start_actor("a", Daemon::spec("a".into())).await?;
            daemon.fail().await?;
            Ok(())
        });
        match result.await.unwrap_err() {
            Error::Call(CallError::App { error, .. }) => {
                assert_eq!(error.downcast::<Missing>(), Some(missing("a")));
            }
            other => panic!("{other:?}"),
        }
    });
}

/// Below it stand two of its own kind, and below the last of them leaves that fail all at once.
#[tractor::rpc]
async fn branch(name: String, depth: u32, leaves: usize) -> Result<()> {
    open_nursery(async |an| -> Result<_> {
        for side in ["l", "r"] {
            let name = format!("{name}{side}");
            if depth == 1 {
                let leaf = an.run_in_actor(fail_together(name.clone(), leaves));
                leaf.name(&name).start().await?;
            } else {
                let below = an.run_in_actor(branch(name.clone(), depth - 1, leaves));
                below.name(&name).start().await?;
            }
        }
        Ok(())
    })
    .await
}

/// Covers B10 and L5: failures of leaves come up as data through any number of nurseries and processes.
#[test]
fn failing_leaves_come_up_through_nested_nurseries() {
    case(this_test!(), async || {
        for depth in [1, 3] {
            let root = format!("{depth}");
            let leaves = 2_usize.pow(depth) + signs::count("arrived.");
            let error = branch(root, depth, leaves).await.unwrap_err();
            let Error::Actor(failure) = error else {
                panic!("{error:?}")
            };
            let leaves = failure.leaves();
            assert!(leaves.len() >= 2, "{failure}");
            for leaf in leaves {
                assert_eq!(*leaf.kind(), RemoteErrorKind::App, "{failure}");
                let name = leaf.downcast::<Missing>().unwrap().what;
                assert_eq!(leaf.origin().name(), name);
                assert_eq!(name.len(), 1 + depth as usize);
                // Who passed it on stands above it, nearest first; the group does not repeat that for its members.
                for above in leaf.relay() {
                    assert!(name.starts_with(above.name()), "{failure}");
                }
            }
            if depth == 1 {
                check_group(&failure, 2);
            }
        }
    });
}

/// B13: a daemon that listens is asked, not killed: it says goodbye, long before anybody would lose patience.
#[test]
fn a_cancelled_daemon_is_asked_and_not_killed() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let daemon = an.start_actor("a", Daemon::spec("a".into())).await?;
            daemon.serve().await?;
            let ((), took) = signs::took(an.cancel()).await;
            assert!(took < Duration::from_secs(1), "{took:?}");
            assert!(signs::given("a.stopped"));
            Ok(())
        })
        .await
    });
}

/// Ignores the polite signal, then everything.
#[tractor::rpc]
async fn block_impolitely(name: String) {
    tractor_core::guardian::arm::ignore(&[rustix::process::Signal::TERM.as_raw()]);
    block(name).await;
}

/// B16: an actor that hears nothing is killed, at its turn: SIGTERM half a second after the request, SIGKILL at one.
#[test]
fn children_that_ignore_a_cancel_are_killed_within_the_cap() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            an.run_in_actor(block("deaf.a".into())).start().await?;
            let impolite = an.run_in_actor(block_impolitely("deaf.b".into()));
            impolite.start().await?;
            signs::seen_all("deaf.", 2).await;
            let ((), took) = signs::took(an.cancel()).await;
            let (least, most) = (Duration::from_millis(900), Duration::from_secs(3));
            assert!(took > least && took < most, "{took:?}");
            Ok(())
        })
        .await
    });
}

#[tractor::rpc]
async fn papers() -> Result<(tractor::ActorId, tractor::TreeId, Option<tractor::ActorId>)> {
    Ok((
        tractor::current_actor()?,
        tractor::current_tree()?,
        tractor::current_parent()?,
    ))
}

/// C4: what a child knows of itself is what its parent knows of it, and what its process says to everybody.
#[test]
fn a_child_knows_its_name_its_tree_and_its_parent() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let exposed = tractor::expose![papers, pid];
            let child = an.start_actor("odd:name@ä", exposed).await?;
            let (actor, tree, parent) = child.run(papers()).await?;
            assert_eq!(actor, *child.id());
            assert_eq!(actor.name(), "odd:name@ä");
            assert_eq!(tree, tractor::current_tree()?);
            assert_eq!(parent, Some(tractor::current_actor()?));
            let pid = child.run(pid()).await?;
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
            let environment = String::from_utf8(environment).unwrap();
            let tag = format!("TRACTOR_ACTOR={tree}:{}@{}\0", actor.name(), actor.uuid());
            assert!(environment.contains(&tag), "{environment:?}");
            Ok(())
        })
        .await
    });
}

/// What this process has as its standard input.
#[tractor::rpc]
async fn input() -> String {
    let link = std::fs::read_link("/proc/self/fd/0").unwrap();
    link.display().to_string()
}

/// A child has the standard streams its parent had when it asked for it, whatever the parent does with its own meanwhile.
#[test]
fn standard_streams_are_those_of_the_call() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let kept = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).unwrap();
            let before = std::fs::read_link("/proc/self/fd/0").unwrap();
            // The first start of a process waits for the guardian; what is changed meanwhile comes before the child.
            let mut early = an
                .start_actor("early", tractor::expose![input])
                .into_future();
            assert!((&mut early).now_or_never().is_none());
            let other = std::fs::File::open("/etc/passwd").unwrap();
            rustix::stdio::dup2_stdin(&other).unwrap();
            let early = early.await?;
            assert_eq!(early.run(input()).await?, before.display().to_string());
            let late = an.start_actor("late", tractor::expose![input]).await?;
            assert_eq!(late.run(input()).await?, "/etc/passwd");
            rustix::stdio::dup2_stdin(&kept).unwrap();
            Ok(())
        })
        .await
    });
}

/// A method that cannot work here says why and what to use instead, and an unknown one which there are; at once, and
/// nothing has been started.
#[test]
fn spawn_methods_that_are_not_there_are_refused() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            for key in SpawnMethodKey::ALL {
                if key == SpawnMethodKey::Exec {
                    continue;
                }
                let start = an.start_actor("x", tractor::expose![double]).method(key);
                match start.await {
                    Err(tractor::SpawnError::Unsupported {
                        method, instead, ..
                    }) => {
                        assert_eq!((method, instead), (key.name(), "exec"));
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(children(), []);
            assert!(!an.cancel_called());
            Ok(())
        })
        .await
    });
}

/// Local tasks of a nursery may borrow, end with it, and fail it.
#[test]
fn local_tasks_borrow_and_fail_their_nursery() {
    case(this_test!(), async || {
        let total = std::sync::atomic::AtomicU64::new(0);
        let add = |n| {
            total.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
        };
        let result = open_nursery(async |an| -> Result<_> {
            let worker = an.start_actor("worker", tractor::expose![double]).await?;
            for n in 1..=10 {
                let worker = worker.clone();
                an.start_soon(async move {
                    add(worker.run(double(n)).await?);
                    Ok(())
                });
            }
            Ok(())
        });
        result.await.unwrap();
        assert_eq!(total.load(std::sync::atomic::Ordering::Relaxed), 110);
        let result = open_nursery(async |an| -> Result<_> {
            an.start_soon(async { Err(Error::app(missing("local"))) });
            an.start_soon(async {
                let _gone = signs::OnDrop("other.gone".into());
                std::future::pending().await
            });
            std::future::pending::<Result<()>>().await
        });
        let error = result.await.unwrap_err();
        let failure = error.remote().unwrap();
        assert_eq!(failure.message(), "no such thing: local");
        assert!(signs::given("other.gone"));
    });
}

/// A nursery's own cancel reaches what its actors are doing, with who asked and why.
#[test]
fn a_cancel_says_who_asked_and_why() {
    case(this_test!(), async || -> Result<_> {
        open_nursery(async |an| -> Result<_> {
            let child = an.start_actor("child", tractor::expose![stay]).await?;
            let call = async { child.run(stay("there".into())).await };
            let cancel = async {
                signs::seen("there").await;
                an.cancel().await;
            };
            match futures_util::future::join(call, cancel).await.0 {
                Err(CallError::Cancelled(cancel)) => {
                    assert_eq!(cancel.canceller, tractor::current_actor()?);
                    assert_eq!(cancel.reason, CancelReason::Requested);
                }
                other => panic!("{other:?}"),
            }
            Ok(())
        })
        .await
    });
}
