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
pub(crate) const MARK: &str = "TRACTOR_TEST_MARK";

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
pub(crate) fn case<F: Future<Output = ()>>(name: &'static str, body: impl FnOnce() -> F) {
    Case::new(name).run(body, ends_well);
}

/// A test whose case is driven from outside; nothing may be left within a second of its end.
pub(crate) fn case_with<F: Future<Output = ()>>(
    name: &'static str,
    body: impl FnOnce() -> F,
    script: impl FnMut(&mut Running),
) {
    Case::new(name).run(body, script);
}

/// A script that only waits.
pub(crate) fn ends_well(running: &mut Running) {
    let status = running.wait();
    assert!(status.success(), "the case ended with {status}");
}

/// A test to be.
pub(crate) struct Case {
    name: &'static str,
    trials: usize,
    wrap: Option<&'static str>,
}

impl Case {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            trials: 1,
            wrap: None,
        }
    }

    /// The same case so often, or as often as `TRACTOR_TEST_TRIALS` says.
    pub(crate) fn trials(mut self, trials: usize) -> Self {
        let given = std::env::var("TRACTOR_TEST_TRIALS").ok();
        self.trials = given.map_or(trials, |given| given.parse().unwrap());
        self
    }

    /// Starts the case by this shell script, which ends in `exec "$@"`.
    pub(crate) fn wrap(mut self, script: &'static str) -> Self {
        self.wrap = Some(script);
        self
    }

    /// Runs this process's level of the test; nothing may be left.
    pub(crate) fn run<F: Future<Output = ()>>(
        self,
        body: impl FnOnce() -> F,
        script: impl FnMut(&mut Running),
    ) {
        self.run_judged(body, script, |left| {
            assert!(left.is_empty(), "left behind: {left:#?}");
        });
    }

    /// Runs this process's level of the test, and gives what was left (having killed it) to `judge`.
    pub(crate) fn run_judged<F: Future<Output = ()>>(
        self,
        body: impl FnOnce() -> F,
        mut script: impl FnMut(&mut Running),
        mut judge: impl FnMut(Vec<Left>),
    ) {
        match std::env::var(LEVEL).as_deref() {
            Ok("case") => run_case(body),
            Ok("harness") => {
                for _ in 0..self.trials {
                    judge(self.as_harness(&mut script));
                }
            }
            _ => {
                let mark = uuid::Uuid::new_v4().to_string();
                let output = self.again("harness").env(MARK, mark).output().unwrap();
                let text = [output.stdout, output.stderr].concat();
                let text = String::from_utf8_lossy(&text);
                assert!(output.status.success(), "{}\n{text}", output.status);
                println!("{text}");
            }
        }
    }

    fn again(&self, level: &str) -> Command {
        let image = std::env::current_exe().unwrap();
        let mut command = match self.wrap {
            Some(script) if level == "case" => {
                let mut shell = Command::new("sh");
                shell.args(["-c", script, "sh"]).arg(image);
                shell
            }
            Some(_) | None => Command::new(image),
        };
        command
            .args([self.name, "--exact", "--nocapture", "--test-threads=1"])
            .env(LEVEL, level)
            .env("RUST_BACKTRACE", "0");
        command
    }

    fn as_harness(&self, script: impl FnOnce(&mut Running)) -> Vec<Left> {
        let me = rustix::process::getpid();
        rustix::process::set_child_subreaper(Some(me)).unwrap();
        let mut child = self
            .again("case")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        let words = send.clone();
        std::thread::spawn(move || {
            listen(stdout, |line| {
                // What a case says may be glued to libtest's "test x ... ".
                match line.split_once("@@") {
                    Some((_, said)) => drop(words.send(Heard::Said(said.to_owned()))),
                    None => println!("    {line}"),
                }
            })
        });
        std::thread::spawn(move || {
            listen(stderr, |line| {
                println!("    ! {line}");
                drop(send.send(Heard::Error(line)));
            })
        });
        let mut running = Running {
            stdin: child.stdin.take().unwrap(),
            child,
            lines,
            status: None,
        };
        script(&mut running);
        running.end();
        census::take()
    }
}

fn listen(from: impl std::io::Read, mut to: impl FnMut(String)) {
    for line in BufReader::new(from).lines().map_while(Result::ok) {
        to(line);
    }
}

/// What a harness hears of its case.
enum Heard {
    Said(String),
    Error(String),
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

/// A case, seen from its harness.
pub(crate) struct Running {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<Heard>,
    status: Option<std::process::ExitStatus>,
}

impl Running {
    /// The next thing the case says.
    pub(crate) fn hear(&self) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(Heard::Said(said)) => return said,
                Ok(Heard::Error(_)) => {}
                Err(_) => panic!("the case says something"),
            }
        }
    }

    /// Waits for a line on the case's standard error that holds `text`.
    pub(crate) fn hear_error(&self, text: &str) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(Heard::Error(line)) if line.contains(text) => return,
                Ok(Heard::Said(_) | Heard::Error(_)) => {}
                Err(_) => panic!("{text:?} comes on standard error"),
            }
        }
    }

    /// The pids the case says next.
    pub(crate) fn hear_pids(&self) -> Vec<Pid> {
        parse_pids(&self.hear())
    }

    /// Lets the case go on.
    pub(crate) fn go_on(&mut self) {
        self.stdin.write_all(b"\n").unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn kill(&self) {
        rustix::process::kill_process(self.pid(), Signal::KILL).unwrap();
    }

    pub(crate) fn wait(&mut self) -> std::process::ExitStatus {
        let pidfd = linux::pidfd(self.pid()).unwrap();
        if !census::ends_within(&pidfd, PATIENCE) {
            self.kill();
            panic!("the case does not end");
        }
        let status = self.child.wait().unwrap();
        self.status = Some(status);
        // Its last words are still on their way to our output.
        while self.lines.recv_timeout(LAST_WORDS).is_ok() {}
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
pub(crate) fn say(what: impl std::fmt::Display) {
    println!("@@{what}");
}

/// In the case: says these pids.
pub(crate) fn say_pids(pids: impl IntoIterator<Item = Pid>) {
    let pids: Vec<_> = pids.into_iter().map(|pid| pid.to_string()).collect();
    say(pids.join(" "));
}

/// In the case: waits for the harness.
pub(crate) fn pause() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

pub(crate) fn parse_pids(text: &str) -> Vec<Pid> {
    let pids = text.split_whitespace().map(|pid| pid.parse().unwrap());
    pids.map(|pid| Pid::from_raw(pid).unwrap()).collect()
}

/// The children of any process of one thread.
pub(crate) fn children_of(pid: Pid) -> Vec<Pid> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    parse_pids(&std::fs::read_to_string(path).unwrap())
}

/// Nanny and guardian of the root this process is.
pub(crate) fn nanny_and_guardian() -> (Pid, Pid) {
    let nanny = linux::children().unwrap()[0];
    (nanny, children_of(nanny)[0])
}

/// Stops a process, and sees it stopped: another signal would overtake this one.
pub(crate) fn stop(pid: Pid) {
    rustix::process::kill_process(pid, Signal::STOP).unwrap();
    while linux::state_of(pid) != Some('T') {
        std::thread::yield_now();
    }
}

/// A tree whose actors are those of [`crate::actor`].
#[derive(Clone)]
pub(crate) struct Tree {
    pub(crate) host: Arc<dyn ProcessHost>,
    pub(crate) id: TreeId,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self {
            host: guardian::for_this_process().unwrap(),
            id: TreeId::new(),
        }
    }

    pub(crate) async fn start(&self, name: &str) -> Member {
        self.try_start(name, |_| ()).await.unwrap()
    }

    pub(crate) async fn try_start(
        &self,
        name: &str,
        change: impl FnOnce(&mut StartProcess),
    ) -> Result<Member, StartError> {
        let (mut request, link) = self.request(name);
        change(&mut request);
        let process = self.host.start(request).await?;
        Ok(Member { process, link })
    }

    pub(crate) fn request(&self, name: &str) -> (StartProcess, Link) {
        let (ours, theirs): (OwnedFd, OwnedFd) = linux::stream_pair().unwrap();
        let actor = ActorId::new(ActorName::new(name).unwrap());
        let request = StartProcess::new(actor, self.id, theirs);
        (request, Link::new(ours))
    }
}

/// An actor of the tree, seen from its parent.
pub(crate) struct Member {
    pub(crate) process: StartedProcess,
    pub(crate) link: Link,
}

impl Member {
    pub(crate) fn ask(&mut self, what: &str) -> String {
        self.link.ask(what)
    }

    pub(crate) fn tell(&mut self, what: &str) {
        self.link.tell(what);
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.process.pid.cast_signed()).unwrap()
    }
}

/// Lines to and from an actor.
pub(crate) struct Link {
    stream: BufReader<UnixStream>,
}

impl Link {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        let stream = UnixStream::from(fd);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn stream(&self) -> &UnixStream {
        self.stream.get_ref()
    }

    pub(crate) fn tell(&mut self, what: &str) {
        let line = format!("{what}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    pub(crate) fn ask(&mut self, what: &str) -> String {
        self.tell(what);
        self.hear()
    }

    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the actor answers");
        line.trim_end().to_owned()
    }
}

/// A daemon the case has left may keep its output open for ever.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Longer than anything here takes on a machine that is busy with everything else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
