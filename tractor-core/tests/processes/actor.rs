//! The actor of these tests: does what it is told over its link, line by line.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;

use linkme::distributed_slice;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal};
use tractor_core::boot::ActorRole;
use tractor_core::boot::entry::ACTOR_MAIN;
use tractor_core::guardian::wire;
use tractor_core::{guardian, node};

use crate::tree::{Member, Tree};

#[distributed_slice(ACTOR_MAIN)]
static MAIN: fn(ActorRole) -> ! = main;

fn main(role: ActorRole) -> ! {
    if std::env::var_os("DEAF").is_some() {
        loop {
            std::thread::park(); // not even its lifeline reaches it
        }
    }
    let connection = role.guardian.try_clone().unwrap();
    guardian::inherit(role.guardian).unwrap();
    node::lifeline::watch(role.lifeline).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut actor = Actor {
        connection,
        runtime,
        tree: None,
        below: Vec::new(),
    };
    let stream = UnixStream::from(role.link);
    let mut out = stream.try_clone().unwrap();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { break };
        if let Some(answer) = actor.obey(&line) {
            writeln!(out, "{answer}").unwrap();
        }
    }
    std::process::exit(0)
}

struct Actor {
    connection: OwnedFd,
    runtime: tokio::runtime::Runtime,
    tree: Option<Tree>,
    below: Vec<Member>,
}

impl Actor {
    fn obey(&mut self, line: &str) -> Option<String> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match verb {
            "exit" => std::process::exit(rest.parse().unwrap()),
            "signal" => {
                let signal = Signal::from_named_raw(rest.parse().unwrap()).unwrap();
                rustix::process::kill_process(rustix::process::getpid(), signal).unwrap();
                return None;
            }
            "panic" => panic!("{rest}"),
            "pid" => std::process::id().to_string(),
            "env" => format!("{:?}", std::env::var_os(rest)),
            "args" => format!("{:?}", std::env::args().collect::<Vec<_>>()),
            "cwd" => std::env::current_dir().unwrap().display().to_string(),
            "umask" => format!("{:o}", tractor_core::host::linux::umask()),
            "group" => pid_text(rustix::process::getpgrp()),
            "session" => session(),
            "threads" => tractor_core::host::linux::threads().to_string(),
            "limits" => {
                let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
                crate::starting::files_line(&limits)
            }
            "title" => std::fs::read_to_string("/proc/self/cmdline")
                .unwrap()
                .replace('\0', ""),
            "helper" => {
                let output = Command::new("sh").args(["-c", rest]).output().unwrap();
                String::from_utf8(output.stdout).unwrap().replace('\n', " ")
            }
            "read" => std::fs::read_to_string(rest).unwrap().trim().to_owned(),
            "fds" => open_fds().join(" "),
            "out" => {
                println!("{rest}");
                "ok".into()
            }
            "err" => {
                eprintln!("{rest}");
                "ok".into()
            }
            "input" => {
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).unwrap();
                line.trim_end().to_owned()
            }
            "garbage" => self.say_to_guardian(&[0xff; 100]),
            "flood" => self.flood().to_string(),
            "shutdown" => self.say_to_guardian(&wire::encode(&wire::Request::Shutdown)),
            "ignored" => {
                let status = std::fs::read_to_string("/proc/self/status").unwrap();
                let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
                line.unwrap().trim().to_owned()
            }
            "block" => loop {
                std::thread::park();
            },
            "sh" => sh(rest),
            "spawn" => self.spawn(rest),
            "to" => {
                let (index, rest) = rest.split_once(' ').unwrap();
                self.below[index.parse::<usize>().unwrap()].ask(rest)
            }
            other => format!("what is {other:?}?"),
        })
    }

    /// Says it and waits for what comes of it: for ever.
    fn say_to_guardian(&self, record: &[u8]) -> ! {
        wire::send(&self.connection, record, &[]).unwrap();
        loop {
            std::thread::park();
        }
    }

    /// Pings until the guardian has taken nothing for a while, and reads no answer; how many were sent.
    fn flood(&self) -> usize {
        let ping = wire::encode(&wire::Request::Ping(1));
        let patience = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        let mut sent = 0;
        loop {
            let mut fds = [PollFd::new(&self.connection, PollFlags::OUT)];
            match wire::send(&self.connection, &ping, &[]) {
                Ok(()) => sent += 1,
                Err(_) if rustix::event::poll(&mut fds, Some(&patience)) == Ok(0) => return sent,
                Err(_) => {}
            }
        }
    }

    fn spawn(&mut self, name: &str) -> String {
        let tree = self.tree.get_or_insert_with(Tree::new).clone();
        let member = self.runtime.block_on(tree.start(name));
        let pid = member.process.pid.to_string();
        self.below.push(member);
        pid
    }
}

/// Runs a helper and waits for it, not for what it leaves in the background.
fn sh(script: &str) -> String {
    let status = Command::new("sh").args(["-c", script]).status().unwrap();
    status.to_string()
}

fn open_fds() -> Vec<String> {
    let mut open: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let target = std::fs::read_link(entry.path()).ok()?;
            let number = entry.file_name().into_string().unwrap();
            Some(format!("{number}:{}", target.display()))
        })
        .filter(|fd| !fd.contains("/proc/")) // the listing itself
        .collect();
    open.sort();
    open
}

/// The session of this process as the kernel tells it: zero where its leader is outside the pid namespace, a number that
/// no `Pid` can be.
pub(crate) fn session() -> String {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, behind_name) = stat.rsplit_once(") ").unwrap();
    // State, parent, group, session.
    behind_name.split(' ').nth(3).unwrap().to_owned()
}

fn pid_text(pid: Pid) -> String {
    pid.as_raw_nonzero().to_string()
}
