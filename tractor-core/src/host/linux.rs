//! What Linux tells a process about itself and its children, and the descriptors a start needs.
//!
//! Reads `/proc`, opens, makes pairs; no unsafe. Every descriptor made here is close-on-exec from birth (`HOST-2`).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Pid;

use super::error::{OsError, StartError};
use super::request::ChildEnv;

/// Tells a re-executed image what it is; taken out of the environment by the image itself.
pub const ROLE_VARIABLE: &str = "TRACTOR_ROLE";

/// Says which actor a process belongs to; stays in the environment, so that helpers and daemons carry it too.
pub const ACTOR_VARIABLE: &str = "TRACTOR_ACTOR";

/// The file to execute for another process of this image.
///
/// `/proc/self/exe` survives a rebuild that replaces or deletes the file; an emulator (valgrind, qemu) shows the
/// program's path there but would run itself, so where the two are different files the path is taken.
pub fn image() -> PathBuf {
    let own = Path::new("/proc/self/exe");
    let identity = |path: &Path| fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
    match fs::read_link(own) {
        Ok(path) => match (identity(&path), identity(own)) {
            (Some(named), Some(real)) if named != real => path,
            _ => own.to_path_buf(),
        },
        Err(_) => own.to_path_buf(),
    }
}

/// Arguments and environment as the kernel takes them: every string ends in NUL, arguments first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecBlock {
    /// How many of the strings are arguments.
    pub argc: u32,
    /// The strings.
    pub strings: Vec<u8>,
}

impl ExecBlock {
    /// This process's own arguments, and the environment `env` describes without the variables of tractor's own.
    ///
    /// # Errors
    ///
    /// [`StartError::Environment`] names a variable that cannot travel.
    pub fn new(env: ChildEnv) -> Result<Self, StartError> {
        let mut block = Self::default();
        for argument in std::env::args_os() {
            block.argc += 1;
            block.push(&[argument.as_bytes()]);
        }
        if block.argc == 0 {
            block.argc = 1;
            block.push(&[b"tractor-actor"]);
        }
        let ours = |name: &OsStr| name == ROLE_VARIABLE || name == ACTOR_VARIABLE;
        let base = env.base.unwrap_or_else(|| std::env::vars_os().collect());
        let replaced = |name: &OsString| {
            env.remove.contains(name) || env.set.iter().any(|(set, _)| set == name)
        };
        let base = base.iter().filter(|(name, _)| !replaced(name));
        for (name, value) in base.chain(&env.set).filter(|(name, _)| !ours(name)) {
            let (name, value) = (name.as_bytes(), value.as_bytes());
            let nul = name.contains(&0) || value.contains(&0);
            // A leading `=` is how some shells pass per-drive state; the kernel and libc take it as part of the name.
            if nul || name.is_empty() || name[1..].contains(&b'=') {
                let name = String::from_utf8_lossy(name).into_owned();
                return Err(StartError::Environment { name });
            }
            block.push(&[name, b"=", value]);
        }
        Ok(block)
    }

    fn push(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.strings.extend_from_slice(part);
        }
        self.strings.push(0);
    }
}

/// The mask of permission bits new files lose. Read, not set and put back: that would race with other threads.
pub fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    let mask = line.and_then(|text| u32::from_str_radix(text.trim(), 8).ok());
    mask.unwrap_or(0o022)
}

/// The signals this process ignores, as a set of bits: the first is that of signal 1.
pub fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = line.and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
    mask.unwrap_or(0)
}

/// Opens the directory a child is to work in: this process's own, or `path`, relative to it.
///
/// # Errors
///
/// [`StartError::WorkingDirectory`] if it is not a directory one may enter.
pub fn working_directory(path: Option<&Path>) -> Result<OwnedFd, StartError> {
    let path = path.unwrap_or_else(|| Path::new("."));
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| StartError::WorkingDirectory {
        path: path.to_path_buf(),
        source: errno.into(),
    })
}

/// A standard stream of this process, or `None` if it was closed.
pub fn standard_stream(stream: BorrowedFd<'_>) -> Option<BorrowedFd<'_>> {
    rustix::io::fcntl_getfd(stream).ok().map(|_| stream)
}

/// Sees to it that the numbers of the standard streams are taken: where a program has closed one, by `/dev/null`, as the
/// standard library does when a program begins. Otherwise the next descriptor made here would become what somebody prints
/// to.
pub fn fill_standard_streams() {
    let free = || {
        // The lowest number that is free.
        let opened = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()).ok()?;
        (opened.as_raw_fd() < STANDARD_STREAMS).then_some(opened)
    };
    while let Some(opened) = free() {
        // For good.
        let _number = opened.into_raw_fd();
    }
}

/// `/dev/null`, for reading and writing.
///
/// # Errors
///
/// As `open`.
pub fn null() -> Result<OwnedFd, Errno> {
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
}

/// Two connected sockets that keep record boundaries.
///
/// # Errors
///
/// As `socketpair`.
pub fn record_pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    pair(SocketType::SEQPACKET)
}

/// Two connected byte-stream sockets.
///
/// # Errors
///
/// As `socketpair`.
pub fn stream_pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    pair(SocketType::STREAM)
}

fn pair(kind: SocketType) -> Result<(OwnedFd, OwnedFd), Errno> {
    socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
}

/// A counter another thread can wait for with `poll`.
#[derive(Debug)]
pub struct Wake(OwnedFd);

impl Wake {
    /// A new one, not signalled.
    ///
    /// # Errors
    ///
    /// As `eventfd`.
    pub fn new() -> Result<Self, Errno> {
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map(Self)
    }

    /// Makes it readable. It cannot fail short of 2⁶⁴ calls without a read.
    pub fn signal(&self) {
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Makes it unreadable again.
    pub fn clear(&self) {
        let _ = rustix::io::read(&self.0, &mut [0_u8; 8]);
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Every living or unreaped child of this process, adopted ones included.
///
/// # Errors
///
/// If `/proc` cannot be read.
pub fn children() -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for task in fs::read_dir("/proc/self/task")? {
        match fs::read_to_string(task?.path().join("children")) {
            Ok(list) => found.extend(list.split_whitespace().filter_map(parse_pid)),
            // Without CONFIG_PROC_CHILDREN: ask every process for its parent.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return children_by_scan(),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn children_by_scan() -> io::Result<Vec<Pid>> {
    let me = rustix::process::getpid();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(parse_pid) else {
            continue;
        };
        if parent_of(pid) == Some(me) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// The parent of a process.
pub fn parent_of(pid: Pid) -> Option<Pid> {
    stat_field(pid, 1).as_deref().and_then(parse_pid)
}

/// The state letter of a process (`R`, `S`, `T`, `Z`, …).
pub fn state_of(pid: Pid) -> Option<char> {
    stat_field(pid, 0)?.chars().next()
}

/// Field `index` of `/proc/<pid>/stat`, counted from the state, which follows the name in its parentheses.
fn stat_field(pid: Pid, index: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let fields = &stat[stat.rfind(')')? + 1..];
    fields.split_whitespace().nth(index).map(str::to_owned)
}

/// Which actor a process says it belongs to: the value of [`ACTOR_VARIABLE`] it was executed with.
pub fn tag_of(pid: Pid) -> Option<String> {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    let tag = variables.find_map(|variable| {
        let rest = variable.strip_prefix(ACTOR_VARIABLE.as_bytes())?;
        rest.strip_prefix(b"=")
    })?;
    Some(String::from_utf8_lossy(tag).into_owned())
}

/// How many threads this process has.
pub fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// A descriptor that becomes readable when the process ends; `None` where the kernel or a filter does not grant it.
pub fn pidfd(pid: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

/// The error of a preparing step.
pub fn failed<E: Into<OsError>>(what: &'static str) -> impl FnOnce(E) -> StartError {
    move |error| StartError::Prepare {
        what,
        source: error.into(),
    }
}

fn parse_pid(text: &str) -> Option<Pid> {
    text.parse().ok().and_then(Pid::from_raw)
}

/// Input, output and error have the first three numbers.
const STANDARD_STREAMS: i32 = 3;
