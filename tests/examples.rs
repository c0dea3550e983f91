//! Every example, run as its user runs it: what it prints, how it exits, in what time, and that nothing of it is left.
//!
//! Each runs below a *harness* process of its own: this binary again, as a subreaper, to which everything falls that loses
//! its parents. The doc comments name the acceptance cases an example shows.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::available_parallelism;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, set_child_subreaper,
    wait, waitpid,
};

/// The README's program: exactly the sum, on its own.
#[test]
fn quickstart() {
    example("quickstart", |run| run.prints(&["40 + 2 = 42"]));
}

/// U2: a one-shot's value, awaited and left to the nursery; a daemon that serves until it is cancelled.
#[test]
fn one_shot() {
    example("one_shot", |run| {
        run.prints(&[
            "awaited: 27",
            "left to the nursery: 64",
            "from a daemon: 125",
            "the daemon has ended and was reaped",
        ]);
    });
}

/// U6: root, supervisor, two leaves; the leaves have ended before their supervisor has.
#[test]
fn nested_tree() {
    example("nested_tree", |run| {
        let mut lines = run.succeeds();
        // Root and supervisor write side by side; the result comes after both have.
        lines[..2].sort_unstable();
        assert_eq!(
            lines,
            [
                r#"started: ["leaf_1", "leaf_2"]"#,
                "the leaves have ended",
                "squares: [1, 4, 9, 16], summed: 30",
            ]
        );
    });
}

/// Functions a service exposes run; one it does not is refused, by a text that names it and says what to do.
#[test]
fn service_functions() {
    example("service_functions", |run| {
        let lines = run.succeeds();
        assert_eq!(lines[..2], ["40 + 2 = 42", "tractor"]);
        assert!(lines[2].starts_with("refused: service@"), "{lines:?}");
        for part in [
            "service_functions::erase_everything",
            "expose![erase_everything]",
        ] {
            assert!(lines[2].contains(part), "{lines:?}");
        }
        assert_eq!(lines[3..], ["here, 1 + 2 = 3"]);
    });
}

/// U11: the first value is 11, the root stops after 9 pongs, the child has seen exactly 10 pings and then the end.
#[test]
fn ping_pong() {
    example("ping_pong", |run| {
        let lines = run.succeeds();
        let of = |who| lines.iter().filter(move |line| line.starts_with(who));
        // Two processes write: only the order of each is certain.
        assert!(of("root").eq(&[
            "root: the first value is 11",
            "root: 9 pongs are enough",
            "root: the child saw 10 pings",
        ]));
        assert!(of("child").eq(&["child: the root has stopped after 10 pings"]));
        assert_eq!(lines.len(), 4, "{lines:?}");
    });
}

/// U10: of three daemons and a one-shot that fails, the root gets that one's error, alone and typed; the daemons were
/// cancelled.
#[test]
fn remote_error() {
    example("remote_error", |run| {
        run.prints(&[
            "ann is well: true",
            "bob is well: true",
            "cid is well: true",
            "ann has ended: true",
            "bob has ended: true",
            "cid has ended: true",
            "dan failed: Some(OutOfStock { wanted: 7, left: 2 })",
        ]);
    });
}

/// U16: right answers, from one worker per core, all of which had a part in it.
#[test]
fn parallel_primes() {
    example("parallel_primes", |run| {
        let workers = cores().min(8); // there are eight numbers
        run.prints(&[
            "1000000000039 is prime: true",
            "1000000000049 is prime: false",
            "1000000000061 is prime: true",
            "1000000000063 is prime: true",
            "1000000000093 is prime: false",
            "1000000000121 is prime: true",
            "1000000000127 is prime: false",
            "1000006000009 is prime: false",
            &format!("{workers} workers agree with a plain loop"),
        ]);
    });
}

/// U15: one child per core, all busy for ever; the root fails, its error is the program's, and no process is left.
#[test]
fn crash() {
    example("crash", |run| {
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        assert!(run.stderr.contains("the root fails"), "{run:?}");
        let lines: Vec<_> = run.stdout.lines().collect();
        assert_eq!(lines.len(), cores(), "{run:?}");
        for (core, line) in lines.iter().enumerate() {
            let worker = format!("worker_{core} is process ");
            assert!(line.starts_with(&worker), "{run:?}");
        }
    });
}

/// B11: a service ends in order by Ctrl-C, and by SIGTERM, with the exit code that says so.
#[test]
fn until_interrupted() {
    in_harness("until_interrupted", || {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let command = Command::new(built("until_interrupted"));
            let run = Run::signalled(command, "serving; entry 1", signal);
            assert!(run.left.is_empty(), "something is left: {run:?}");
            assert_eq!(run.status.code(), Some(code), "{run:?}");
            assert!(run.stderr.contains("by the user"), "{run:?}");
            let lines: Vec<_> = run.stdout.lines().collect();
            let expected = [
                "serving; entry 1",
                "the ledger is closed",
                "nothing is left",
            ];
            assert_eq!(lines, expected);
        }
    });
}

/// The census of this page can fail: what left its parents, its group and its session is found all the same.
#[test]
fn the_census_finds_what_is_left() {
    in_harness("the_census_finds_what_is_left", || {
        let mut shell = Command::new("sh");
        shell.args(["-c", "setsid -f sleep 1000 </dev/null >/dev/null 2>&1"]);
        let run = Run::of(shell);
        assert!(run.status.success(), "{run:?}");
        assert_eq!(run.left.len(), 1, "{run:?}");
        assert!(run.left[0].contains("sleep 1000"), "{run:?}");
    });
}

/// A test of the example of this name, which is the test's too.
fn example(name: &'static str, judge: impl FnOnce(&Run)) {
    in_harness(name, || {
        let run = Run::of(Command::new(built(name)));
        assert!(run.left.is_empty(), "something is left: {run:?}");
        judge(&run);
    });
}

/// Cargo builds examples beside the folder of the tests: `target/<profile>/{deps,examples}`.
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let path = profile.join("examples").join(name);
    let hint = "build it: `cargo build --examples`, or run all tests of the package";
    assert!(path.exists(), "{} is not there; {hint}", path.display());
    path
}

/// Runs the body of the test `name` in a process that reaps whatever loses its parents below it.
fn in_harness(name: &str, body: impl FnOnce()) {
    if std::env::var_os(HARNESS).is_some() {
        set_child_subreaper(Some(getpid())).unwrap();
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(HARNESS, "1")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "no test is named {name}: {text}");
}

/// A program that was run to its end.
#[derive(Debug)]
struct Run {
    status: ExitStatus,
    stdout: String,
    stderr: String,
    /// The command lines of the processes that were left the moment it had ended.
    left: Vec<String>,
}

impl Run {
    fn of(command: Command) -> Self {
        Self::watched(command, |_, _| {})
    }

    /// Sends the program a signal once it has printed this line.
    fn signalled(command: Command, line: &'static str, signal: Signal) -> Self {
        Self::watched(command, move |pid, printed| {
            if printed == line {
                kill_process(pid, signal).unwrap();
            }
        })
    }

    /// Shows each line the program prints.
    fn watched(mut command: Command, watch: impl Fn(Pid, &str) + Send + 'static) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        let stdout = listen(child.stdout.take().unwrap(), move |line| watch(pid, line));
        let stderr = listen(child.stderr.take().unwrap(), |_| {});
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        let within = Timespec::try_from(TIME_MAX).unwrap();
        let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&within)).unwrap() == 1;
        if !ended {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        let left = take_census();
        // With nobody left to write them, both pipes end.
        let [stdout, stderr] = [stdout, stderr].map(|pipe| pipe.recv_timeout(TIME_MAX).unwrap());
        assert!(ended, "not done in {TIME_MAX:?}: {stdout}{stderr}{left:?}");
        Self {
            status,
            stdout,
            stderr,
            left,
        }
    }

    /// It ended well; these are the lines it printed.
    fn succeeds(&self) -> Vec<&str> {
        assert!(self.status.success(), "{self:?}");
        assert_eq!(self.stderr, "", "nothing to complain about");
        self.stdout.lines().collect()
    }

    /// It ended well, having printed exactly this.
    fn prints(&self, lines: &[&str]) {
        assert_eq!(self.succeeds(), lines);
    }
}

fn listen(
    pipe: impl Read + Send + 'static,
    watch: impl Fn(&str) + Send + 'static,
) -> mpsc::Receiver<String> {
    let (send, text) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut pipe, mut bytes) = (BufReader::new(pipe), Vec::new());
        let mut begin = 0;
        // Half of what a killed program said is better than nothing.
        while let Ok(1..) = pipe.read_until(b'\n', &mut bytes) {
            watch(String::from_utf8_lossy(&bytes[begin..]).trim_end());
            begin = bytes.len();
        }
        send.send(String::from_utf8_lossy(&bytes).into_owned())
    });
    text
}

/// What the program has left, zombies included, now: this process is the parent of all of it. It is killed and reaped.
fn take_census() -> Vec<String> {
    let mut left = Vec::new();
    loop {
        match wait(WaitOptions::NOHANG) {
            Err(Errno::CHILD) => return left,
            Ok(Some((pid, status))) => left.push(format!("a zombie, {pid}: {status:?}")),
            Ok(None) => {
                for pid in children() {
                    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
                    left.push(String::from_utf8_lossy(&command).replace('\0', " "));
                    kill_process(pid, Signal::KILL).unwrap();
                    waitpid(Some(pid), WaitOptions::empty()).unwrap();
                }
            }
            Err(error) => panic!("wait: {error}"),
        }
    }
}

fn children() -> Vec<Pid> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    // A thread may end meanwhile; its children are those of another one when we look again.
    let lists = threads.filter_map(|thread| {
        let list = thread.unwrap().path().join("children");
        std::fs::read_to_string(list).ok()
    });
    let pids = lists.flat_map(|list| {
        let pids = list.split_whitespace().map(|pid| pid.parse().unwrap());
        pids.filter_map(Pid::from_raw).collect::<Vec<_>>()
    });
    pids.collect()
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Says that this process is the harness of one test.
const HARNESS: &str = "TRACTOR_EXAMPLES_HARNESS";

/// Each example takes well under a second; a machine that builds something else at the same time needs patience.
const TIME_MAX: Duration = Duration::from_secs(10);
