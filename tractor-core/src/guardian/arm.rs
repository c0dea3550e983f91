//! What only raw system calls can do: fork and exec, signal dispositions, and arming a process against outliving its
//! parent. All the unsafe code of the guardian, one operation a block.

#![allow(
    unsafe_code,
    reason = "fork, exec, signal masks and raw descriptors have no safe wrapper"
)]

use std::ffi::{CStr, c_char, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal};

use super::wire::Attached;
use crate::host::StartStage;

/// Descriptor an actor finds its data link on.
pub const LINK_FD: RawFd = 3;
/// Descriptor an actor finds its guardian connection on.
pub const GUARDIAN_FD: RawFd = 4;
/// Descriptor an actor finds its lifeline on.
pub const LIFELINE_FD: RawFd = 5;

/// Everything a forked child needs to become the image, prepared before the fork: between fork and exec nothing is
/// allocated, so that it is sound even if a constructor of the program has started a thread.
#[derive(Debug)]
pub struct Exec<'a> {
    /// The file.
    pub image: &'a CStr,
    /// Its argument pointers, ended by null.
    pub argv: Pointers<'a>,
    /// Its environment pointers, ended by null.
    pub envp: Pointers<'a>,
    /// Its descriptors.
    pub attached: &'a Attached,
    /// Its end of its guardian connection.
    pub connection: &'a OwnedFd,
    /// Its umask.
    pub umask: u32,
    /// Its limit of open files, which the guardian raised for itself.
    pub files: Rlimit,
    /// The guardian.
    pub parent: Pid,
}

/// A null-ended array of pointers to strings that live as long as it does.
#[derive(Debug)]
pub struct Pointers<'a> {
    pointers: Vec<*const c_char>,
    strings: std::marker::PhantomData<&'a CStr>,
}

impl<'a> FromIterator<&'a CStr> for Pointers<'a> {
    fn from_iter<I: IntoIterator<Item = &'a CStr>>(strings: I) -> Self {
        let null = std::iter::once(std::ptr::null());
        Self {
            pointers: strings.into_iter().map(CStr::as_ptr).chain(null).collect(),
            strings: std::marker::PhantomData,
        }
    }
}

/// How the forked child says what it failed at: the stage's index in [`STAGES`], then the error number.
pub const REPORT_LEN: usize = 5;

/// The stages a forked child can fail at.
pub const STAGES: [StartStage; 3] = [
    StartStage::Descriptors,
    StartStage::WorkingDirectory,
    StartStage::Exec,
];

/// Forks, and makes the child the image; gives its pid and the pipe on which a failure to do so is reported. The
/// pipe ends without a report when the image has taken over.
///
/// # Errors
///
/// As `pipe` and `fork`.
pub fn fork_exec(exec: &Exec<'_>) -> Result<(Pid, OwnedFd), Errno> {
    let (report, failed) = rustix::pipe::pipe_with(
        rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK,
    )?;
    if let Fork::Parent(child) = fork()? {
        return Ok((child, report));
    }
    let (stage, errno) = become_image(exec);
    let mut bytes = [0; REPORT_LEN];
    bytes[0] = stage;
    bytes[1..].copy_from_slice(&errno.raw_os_error().to_le_bytes());
    // Nobody to tell if this fails: then the exit code alone says it.
    let _ = rustix::io::write(&failed, &bytes);
    exit_now(127)
}

/// In the forked child: returns only if something failed, with the index of the stage.
fn become_image(exec: &Exec<'_>) -> (u8, Errno) {
    die_with_parent(exec.parent);
    // Cannot fail for a process that has just been forked.
    let _ = rustix::process::setpgid(None, None);
    reset_signals();
    let _ = rustix::process::setrlimit(Resource::Nofile, exec.files);
    rustix::process::umask(Mode::from_raw_mode(exec.umask & 0o777));
    if let Err(errno) = take_descriptors(exec) {
        return (0, errno);
    }
    if let Err(errno) = rustix::process::fchdir(&exec.attached.cwd) {
        return (1, errno);
    }
    close_on_exec_from(LIFELINE_FD + 1);
    // SAFETY: the path is a C string, both arrays end in null, and what they point to outlives them.
    unsafe {
        libc::execve(
            exec.image.as_ptr(),
            exec.argv.pointers.as_ptr(),
            exec.envp.pointers.as_ptr(),
        )
    };
    (2, last_errno())
}

/// Puts the child's descriptors at 0 to 5. The guardian keeps those numbers occupied ([`keep_only`]), so none of the
/// sources, nor the report pipe, is overwritten on the way.
fn take_descriptors(exec: &Exec<'_>) -> Result<(), Errno> {
    let attached = exec.attached;
    let [stdin, stdout, stderr] = &attached.stdio;
    let sources = [
        stdin,
        stdout,
        stderr,
        &attached.link,
        exec.connection,
        &attached.lifeline,
    ];
    for (target, source) in (0..).zip(sources) {
        // SAFETY: both numbers are this forked process's own, and nothing in it uses what the target was.
        if unsafe { libc::dup2(source.as_raw_fd(), target) } < 0 {
            return Err(last_errno());
        }
    }
    Ok(())
}

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Fork {
    /// The new process.
    Child,
    /// The old one, and the new one's pid.
    Parent(Pid),
}

/// Forks.
///
/// # Errors
///
/// As `fork`.
pub fn fork() -> Result<Fork, Errno> {
    // SAFETY: the callers are processes of one thread, or do only system calls in the child.
    let pid = unsafe { libc::fork() };
    match Pid::from_raw(pid) {
        Some(child) if pid > 0 => Ok(Fork::Parent(child)),
        Some(_) => Err(last_errno()),
        None => Ok(Fork::Child),
    }
}

/// Has the kernel kill this process when its parent ends, and ends it if that has happened already. `parent` is whom it
/// expects: a subreaper may have adopted it, so "not 1" would prove nothing.
pub fn die_with_parent(parent: Pid) {
    // Without it the lifeline and the guardian's own sweep are left.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    if rustix::process::getppid() != Some(parent) {
        exit_now(EXIT_ORPHAN);
    }
}

/// Every signal to its default, none blocked: a root may have ignored SIGCHLD, which crosses exec.
pub fn reset_signals() {
    for signal in 1..=SIGNAL_MAX {
        set_disposition(signal, libc::SIG_DFL);
    }
    set_mask(libc::SIG_SETMASK, &empty_set());
}

/// Ignores these signals.
pub fn ignore(signals: &[c_int]) {
    for signal in signals {
        set_disposition(*signal, libc::SIG_IGN);
    }
}

/// Blocks SIGCHLD and gives a descriptor that becomes readable when one is pending.
///
/// # Errors
///
/// As `signalfd`.
pub fn child_signals() -> Result<OwnedFd, Errno> {
    let mut set = empty_set();
    // SAFETY: the set is initialized and the signal's number valid.
    unsafe { libc::sigaddset(&raw mut set, libc::SIGCHLD) };
    set_mask(libc::SIG_BLOCK, &set);
    // SAFETY: the set is initialized; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if fd < 0 {
        return Err(last_errno());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A child that has ended and is still to be reaped, if there is one; it is not reaped by this.
///
/// # Errors
///
/// `CHILD` if there are no children at all.
pub fn peek_ended() -> Result<Option<Pid>, Errno> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the pointer is to a siginfo of ours.
    if unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options) } < 0 {
        return Err(last_errno());
    }
    // SAFETY: zeroed before the call, and filled by it if there was a child: either way initialized.
    let info = unsafe { info.assume_init() };
    // SAFETY: after waitid the structure is the SIGCHLD form; a pid of zero says there was none.
    Ok(Pid::from_raw(unsafe { info.si_pid() }))
}

/// Closes every descriptor but the standard streams and `kept`, and occupies 0, 1 and 3 to 5 with `/dev/null`, so that
/// no later descriptor gets a number that a child's is to have. Standard error stays: a panic is to be seen.
///
/// # Errors
///
/// If `kept` cannot be moved up or `/dev/null` not be opened.
pub fn keep_only(kept: OwnedFd) -> Result<OwnedFd, Errno> {
    let first_free = LIFELINE_FD + 1;
    let high = rustix::io::fcntl_dupfd_cloexec(&kept, first_free)?;
    drop(kept);
    close_range(3, high.as_raw_fd() - 1);
    close_range(high.as_raw_fd() + 1, RawFd::MAX);
    let null = crate::host::linux::null()?;
    for target in [0, 1, 3, 4, 5] {
        if null.as_raw_fd() == target {
            continue;
        }
        // SAFETY: nothing in this process uses these numbers: it has just closed them, or they are its own 0 and 1.
        if unsafe { libc::dup3(null.as_raw_fd(), target, libc::O_CLOEXEC) } < 0 {
            return Err(last_errno());
        }
    }
    if null.as_raw_fd() <= LIFELINE_FD {
        let _ = null.into_raw_fd(); // it is one of the placeholders
    }
    Ok(high)
}

/// Runs `body` on a thread with a small stack on which no signal handler of the program ever runs.
///
/// # Errors
///
/// If the thread cannot be started.
pub fn quiet_thread(
    name: &str,
    stack: usize,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let mut all = empty_set();
    // SAFETY: the set is initialized.
    unsafe { libc::sigfillset(&raw mut all) };
    let before = set_mask(libc::SIG_BLOCK, &all); // the new thread is born with this mask
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(stack)
        .spawn(body);
    set_mask(libc::SIG_SETMASK, &before);
    thread.map(drop)
}

/// Names this process, as `top` and `pstree` show it: the first fifteen bytes of `name`.
pub fn set_name(name: &str) {
    let end = (0..=NAME_MAX.min(name.len()))
        .rev()
        .find(|at| name.is_char_boundary(*at));
    if let Ok(name) = std::ffi::CString::new(&name[..end.unwrap_or(0)]) {
        let _ = rustix::thread::set_name(&name);
    }
}

/// Ends this process at once, running nothing.
pub fn exit_now(code: c_int) -> ! {
    // SAFETY: `_exit` takes any code and touches no memory of ours.
    unsafe { libc::_exit(code) }
}

/// Ends this process by a signal, as it ends one without a handler.
pub fn die_of(signal: Signal) -> ! {
    set_disposition(signal.as_raw(), libc::SIG_DFL);
    // To the process, since this thread may have it blocked.
    let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
    let pause = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };
    // Every thread may have it blocked.
    let _ = rustix::event::poll(&mut [], Some(&pause));
    exit_now(128 + signal.as_raw())
}

fn set_disposition(signal: c_int, disposition: libc::sighandler_t) {
    // SAFETY: a disposition that is no handler; for numbers it does not allow, the call fails and changes nothing.
    unsafe { libc::signal(signal, disposition) };
}

fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the pointer is to a signal set of ours.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: `sigemptyset` has initialized it.
    unsafe { set.assume_init() }
}

fn set_mask(how: c_int, set: &libc::sigset_t) -> libc::sigset_t {
    let mut before = empty_set();
    // SAFETY: both pointers are to signal sets of ours, and `how` is one of the three it takes.
    unsafe { libc::pthread_sigmask(how, &raw const *set, &raw mut before) };
    before
}

/// Closes the descriptors of a range; where the kernel lacks the call, one by one.
fn close_range(first: RawFd, last: RawFd) {
    if first > last || raw_close_range(first, last, 0) {
        return;
    }
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let numbers: Vec<RawFd> = numbers.collect();
    for fd in numbers.into_iter().filter(|fd| (first..=last).contains(fd)) {
        // SAFETY: nothing in this process owns a descriptor of the range.
        unsafe { libc::close(fd) };
    }
}

/// Marks all descriptors from `first` on as closed by exec. Where the kernel lacks the call, they are so by birth.
fn close_on_exec_from(first: RawFd) {
    raw_close_range(first, RawFd::MAX, libc::CLOSE_RANGE_CLOEXEC);
}

fn raw_close_range(first: RawFd, last: RawFd, flags: u32) -> bool {
    // SAFETY: the callers own the range. By number, since older C libraries have no function for it.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) == 0 }
}

fn last_errno() -> Errno {
    let raw = io::Error::last_os_error().raw_os_error();
    Errno::from_raw_os_error(raw.unwrap_or(libc::EIO))
}

/// Exit code of a process that found its parent gone before it was armed; nobody is left to read it.
pub const EXIT_ORPHAN: c_int = 111;

/// What the kernel keeps of a process's name.
const NAME_MAX: usize = 15;

/// Highest signal number of Linux.
const SIGNAL_MAX: c_int = 64;
