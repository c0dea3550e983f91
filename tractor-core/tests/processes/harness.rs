//! The three levels of a test: libtest's thread, the harness process, the case process.

use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tractor_core::guardian;
use tractor_core::host::{ProcessHost, StartError, StartProcess, StartedProcess, linux};
use tractor_ipc::{ActorId, ActorName, TreeId};

use crate::census::{self, Left};

/// Says which level this process is.
const LEVEL: &str = "TRACTOR_TEST_LEVEL";
/// Marks every process of one run of one case, whatever it does to its parents.
pub const MARK: &str = "TRACTOR_TEST_MARK";

/// The name of the test it is written in, as libtest knows it.
macro_rules! this_test {
    () => {{
        fn here() {}
        let name = std::any::type_name_of_val(&here);
        let name = name.strip_suffix("::here").unwrap();
        name.split_once("::").unwrap().1
    }};
}
pub(crate) use this_test;

/// A test whose case does everything by itself and ends well.
pub fn case<F: Future<Output = ()>>(name: &str, body: impl FnOnce() -> F) {
    case_with(name, body, |running| {
        let status = running.wait();
        assert!(status.success(), "the case ended with {status}");
    });
}

/// A test whose case is driven from outside; nothing may be left within a second of its end.
pub fn case_with<F: Future<Output = ()>>(
    name: &str,
    body: impl FnOnce() -> F,
    script: impl FnOnce(&mut Running),
) {
    let left = levels(name, body, script);
    assert!(left.is_empty(), "left behind: {left:#?}");
}

/// As [`case_with`], but gives what was left (having killed it) to `judge`, in the harness process.
pub fn case_judged<F: Future<Output = ()>>(
    name: &str,
    body: impl FnOnce() -> F,
    judge: impl FnOnce(Vec<Left>),
) {
    let script = |running: &mut Running| {
        running.wait();
    };
    if std::env::var(LEVEL).as_deref() == Ok("harness") {
        judge(as_harness(name, script));
    } else {
        levels(name, body, script);
    }
}

fn levels<F: Future<Output = ()>>(
    name: &str,
    body: impl FnOnce() -> F,
    script: impl FnOnce(&mut Running),
) -> Vec<Left> {
    match std::env::var(LEVEL).as_deref() {
        Ok("case") => {
            run_case(body);
            Vec::new()
        }
        Ok("harness") => as_harness(name, script),
        _ => {
            let mark = uuid::Uuid::new_v4().to_string();
            let output = again(name, "harness").env(MARK, mark).output().unwrap();
            if !output.status.success() {
                let text = [output.stdout, output.stderr].concat();
                panic!("{}\n{}", output.status, String::from_utf8_lossy(&text));
            }
            Vec::new()
        }
    }
}

fn again(name: &str, level: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(LEVEL, level);
    command
}

fn run_case<F: Future<Output = ()>>(body: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(body());
    drop(runtime);
    guardian::shutdown();
}

fn as_harness(name: &str, script: impl FnOnce(&mut Running)) -> Vec<Left> {
    let me = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(me)).unwrap();
    let mut child = again(name, "case")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            // What a case says may be glued to libtest's "test x ... ".
            match line.split_once("@@") {
                Some((_, said)) => drop(send.send(said.to_owned())),
                None => println!("    {line}"),
            }
        }
    });
    let mut running = Running {
        child,
        stdin,
        lines,
        status: None,
    };
    script(&mut running);
    running.end();
    census::take()
}

/// A case, seen from its harness.
pub struct Running {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<String>,
    status: Option<std::process::ExitStatus>,
}

impl Running {
    /// The next thing the case says.
    pub fn hear(&mut self) -> String {
        let heard = self.lines.recv_timeout(PATIENCE);
        heard.expect("the case says something")
    }

    /// The pids the case says next.
    pub fn hear_pids(&mut self) -> Vec<Pid> {
        parse_pids(&self.hear())
    }

    /// Lets the case go on.
    pub fn go_on(&mut self) {
        self.stdin.write_all(b"\n").unwrap();
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn kill(&self) {
        rustix::process::kill_process(self.pid(), Signal::KILL).unwrap();
    }

    pub fn wait(&mut self) -> std::process::ExitStatus {
        let pidfd = linux::pidfd(self.pid()).unwrap();
        if !census::ends_within(&pidfd, PATIENCE) {
            self.kill();
            panic!("the case does not end");
        }
        let status = self.child.wait().unwrap();
        self.status = Some(status);
        status
    }

    fn end(&mut self) {
        if self.status.is_none() {
            let status = self.wait();
            assert!(status.success() || status.signal().is_some(), "{status}");
        }
    }
}

/// In the case: says something to the harness.
pub fn say(what: impl std::fmt::Display) {
    println!("@@{what}");
}

/// In the case: says these pids.
pub fn say_pids(pids: impl IntoIterator<Item = u32>) {
    let pids: Vec<_> = pids.into_iter().map(|pid| pid.to_string()).collect();
    say(pids.join(" "));
}

/// In the case: waits for the harness.
pub fn pause() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

pub fn parse_pids(text: &str) -> Vec<Pid> {
    let pids = text.split_whitespace().map(|pid| pid.parse().unwrap());
    pids.map(|pid| Pid::from_raw(pid).unwrap()).collect()
}

/// A tree whose actors are those of [`crate::actor`].
#[derive(Clone)]
pub struct Tree {
    pub host: Arc<dyn ProcessHost>,
    pub id: TreeId,
}

impl Tree {
    pub fn new() -> Self {
        Self {
            host: guardian::for_this_process().unwrap(),
            id: TreeId::new(),
        }
    }

    pub async fn start(&self, name: &str) -> Member {
        self.try_start(name, |_| ()).await.unwrap()
    }

    pub async fn try_start(
        &self,
        name: &str,
        change: impl FnOnce(&mut StartProcess),
    ) -> Result<Member, StartError> {
        let (mut request, link) = self.request(name);
        change(&mut request);
        let process = self.host.start(request).await?;
        Ok(Member { process, link })
    }

    pub fn request(&self, name: &str) -> (StartProcess, Link) {
        let (ours, theirs): (OwnedFd, OwnedFd) = linux::stream_pair().unwrap();
        let actor = ActorId::new(ActorName::new(name).unwrap());
        let request = StartProcess::new(actor, self.id, theirs);
        (request, Link::new(ours))
    }
}

/// An actor of the tree, seen from its parent.
pub struct Member {
    pub process: StartedProcess,
    pub link: Link,
}

impl Member {
    pub fn ask(&mut self, what: &str) -> String {
        self.link.ask(what)
    }

    pub fn tell(&mut self, what: &str) {
        self.link.tell(what);
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.process.pid.cast_signed()).unwrap()
    }
}

/// Lines to and from an actor.
pub struct Link {
    stream: BufReader<UnixStream>,
}

impl Link {
    pub fn new(fd: OwnedFd) -> Self {
        let stream = UnixStream::from(fd);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub fn tell(&mut self, what: &str) {
        let line = format!("{what}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    pub fn ask(&mut self, what: &str) -> String {
        self.tell(what);
        self.hear()
    }

    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the actor answers");
        line.trim_end().to_owned()
    }
}

/// Longer than anything here takes on a machine that is busy with everything else.
pub const PATIENCE: Duration = Duration::from_secs(20);
