//! The way into a process of this image: a constructor that runs before `main` and takes over what was started as
//! guardian or actor, so that tests, benches, examples and programs without any macro of ours can have actors.
//!
//! Where `#[tractor::main]` is used it leaves a mark in [`DIVERTING_MAIN`]; then the constructor returns and `main`'s
//! first line diverts, with all of std in place. Otherwise the constructor runs the remaining constructors itself and
//! never returns: the one or the other, never both (`inventory` and its like break when submitted twice).
//!
//! Invariants:
//! - ENTRY-1: A set-uid or otherwise privileged image takes no role from its environment.
//! - ENTRY-2: A role is taken only with the expected parent and the expected descriptors, and is removed from the
//!   environment before anything else runs: a program the actor starts must not take it up again.

#![allow(
    unsafe_code,
    reason = "constructors, inherited descriptors and the removal of a variable have no safe form"
)]

use std::ffi::{c_char, c_int, c_void};
use std::hint::black_box;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use linkme::distributed_slice;
use rustix::io::FdFlags;
use rustix::net::SocketType;
use rustix::process::Pid;

use super::role::{ActorRole, Role, parse_tag};
use crate::guardian::client::EXIT_MISSED_ROLE;
use crate::guardian::{arm, nanny, title};
use crate::host::linux::{ACTOR_VARIABLE, ROLE_VARIABLE};

/// Marks left by programs whose `main` diverts by itself: each is the name of such a function.
#[distributed_slice]
pub static DIVERTING_MAIN: [&'static str];

/// What an actor's process runs instead of [`child::main`](super::child::main), if anything: for tests of the layers
/// below it.
#[distributed_slice]
pub static ACTOR_MAIN: [fn(ActorRole) -> !];

/// Takes this process over if it was started as a guardian or an actor, and otherwise returns. The first line of
/// `main`: nothing may have run before it that it would be wrong to run in every process of a tree.
///
/// Programs need not call it: a constructor does, wherever this crate is part of the executable itself.
pub fn init() {
    crate::guardian::image_learns_its_role();
    if is_privileged() {
        return;
    }
    match take_role() {
        None => {}
        Some(Role::Guardian { root }) => {
            let Some(root) = check_parent(root) else {
                arm::exit_now(arm::EXIT_ORPHAN)
            };
            match inherited(0, SocketType::SEQPACKET) {
                Some(connection) => nanny::run(connection, root),
                None => refuse("its standard input is not a guardian's socket"),
            }
        }
        Some(Role::Actor { guardian }) => actor(guardian),
    }
}

fn actor(guardian: u32) -> ! {
    let Some(guardian) = check_parent(guardian) else {
        arm::exit_now(arm::EXIT_ORPHAN)
    };
    arm::die_with_parent(guardian);
    let link = inherited(arm::LINK_FD, SocketType::STREAM);
    let connection = inherited(arm::GUARDIAN_FD, SocketType::SEQPACKET);
    let lifeline = inherited(arm::LIFELINE_FD, SocketType::STREAM);
    let tag = std::env::var(ACTOR_VARIABLE).ok();
    let identity = tag.as_deref().and_then(parse_tag);
    let (Some(link), Some(connection), Some(lifeline), Some((tree, actor))) =
        (link, connection, lifeline, identity)
    else {
        refuse("the descriptors or the name of an actor are missing")
    };
    // As std does before `main`, which has not run; and an actor that logs must not be stopped by a terminal it is not
    // in the foreground of.
    arm::ignore(&[libc::SIGPIPE, libc::SIGTTOU]);
    arm::set_name(actor.name());
    title::set_title(&format!("{}: {actor}", program()));
    let role = ActorRole {
        link,
        guardian: connection,
        lifeline,
        actor,
        tree,
    };
    match ACTOR_MAIN.first() {
        Some(main) => main(role),
        None => super::child::main(role),
    }
}

/// The file name of the program, as its first argument gives it.
fn program() -> String {
    let first = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&first).file_name();
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads the role and removes it from the environment.
fn take_role() -> Option<Role> {
    let text = std::env::var_os(ROLE_VARIABLE)?;
    // SAFETY: this process has one thread: it is before `main`, or on its first line in a process that we started.
    unsafe { std::env::remove_var(ROLE_VARIABLE) };
    match text.to_str().and_then(|text| text.parse().ok()) {
        Some(role) => Some(role),
        None => refuse("it cannot be read"),
    }
}

/// The parent, if it is the expected one.
fn check_parent(expected: u32) -> Option<Pid> {
    let expected = i32::try_from(expected).ok().and_then(Pid::from_raw)?;
    (rustix::process::getppid() == Some(expected)).then_some(expected)
}

/// An inherited descriptor, if it is the kind of socket it should be; closed by exec from here on.
fn inherited(fd: RawFd, kind: SocketType) -> Option<OwnedFd> {
    // SAFETY: borrowed for this check alone; where the number is not open, the call says so.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    let is_kind = rustix::net::sockopt::socket_type(borrowed) == Ok(kind);
    if !is_kind || rustix::io::fcntl_setfd(borrowed, FdFlags::CLOEXEC).is_err() {
        return None;
    }
    // SAFETY: it was put there for us by whoever started us, and nothing has run yet that could have taken it.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn refuse(why: &str) -> ! {
    eprintln!(
        "tractor: the role in {ROLE_VARIABLE} cannot be taken: {why}; unset it if you have set it yourself"
    );
    arm::exit_now(EXIT_MISSED_ROLE)
}

/// Whether the kernel runs this image with more rights than its caller's (`ENTRY-1`).
fn is_privileged() -> bool {
    // SAFETY: reads a number the kernel gave this process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

type Constructor = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

/// After std's own (`.00099`, which takes the arguments) and before anybody's threads.
#[used]
#[unsafe(link_section = ".init_array.00100")]
static ENTRY: Constructor = entry;

static ENTERED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    /// Not a constructor but the address behind the last one; the linker makes it.
    static __init_array_end: Constructor;
}

extern "C" fn entry(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) {
    if !in_main_executable() || ENTERED.swap(true, Ordering::Relaxed) {
        return;
    }
    crate::guardian::image_learns_its_role();
    let has_role = std::env::var_os(ROLE_VARIABLE).is_some();
    if !has_role || is_privileged() || !DIVERTING_MAIN.is_empty() {
        return;
    }
    // SAFETY: called by the C runtime in the middle of its walk over the constructors, and this never returns to it.
    unsafe { run_remaining_constructors(argc, argv, envp) };
    // A panic must not unwind into the C runtime: it ends this process as one in `main` would.
    let _ = std::panic::catch_unwind(init);
    std::process::exit(EXIT_PANIC)
}

/// Runs the constructors behind [`ENTRY`].
///
/// # Safety
///
/// The caller is [`ENTRY`] of the main executable, run by the C runtime, and does not return to it.
unsafe fn run_remaining_constructors(
    argc: c_int,
    argv: *const *const c_char,
    envp: *const *const c_char,
) {
    // Both addresses are laundered: to the compiler a walk past the end of one static is impossible, and it would
    // silently run nothing.
    let first = black_box((&raw const ENTRY).expose_provenance()) + size_of::<Constructor>();
    let end = black_box(end_of_constructors());
    let mut at = first;
    while at < end {
        let place = std::ptr::with_exposed_provenance::<usize>(at);
        // SAFETY: inside the array of constructors, which is made of words and is mapped for the life of the process.
        let word = unsafe { place.read() };
        if word != 0 && word != usize::MAX {
            // SAFETY: a word of the array that is neither of the two fillers is a constructor.
            let constructor = unsafe { std::mem::transmute::<usize, Constructor>(word) };
            constructor(argc, argv, envp);
        }
        at += size_of::<Constructor>();
    }
}

/// What a program leaves with when its `main` panics.
const EXIT_PANIC: c_int = 101;

/// The address behind the last constructor of the main executable.
fn end_of_constructors() -> usize {
    // SAFETY: an assembler directive alone, no instruction. A shared library has no such symbol; without this it could
    // not even be loaded.
    unsafe {
        std::arch::asm!(
            ".weak __init_array_end",
            options(nomem, nostack, preserves_flags)
        )
    };
    (&raw const __init_array_end).expose_provenance()
}

/// Whether this code is part of the executable itself: in a shared library of a foreign program, `/proc/self/exe` is
/// not an image that would find its way back here.
fn in_main_executable() -> bool {
    unsafe extern "C" fn first_object(
        info: *mut libc::dl_phdr_info,
        _: libc::size_t,
        found: *mut c_void,
    ) -> c_int {
        // SAFETY: the caller below passes a `bool`, and the C library a valid description of one object.
        let (info, found) = unsafe { (&*info, &mut *found.cast::<bool>()) };
        let at = (&raw const ENTRY).addr();
        for index in 0..usize::from(info.dlpi_phnum) {
            // SAFETY: `dlpi_phnum` headers start at `dlpi_phdr`.
            let header = unsafe { &*info.dlpi_phdr.add(index) };
            let start = (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
            *found |= header.p_type == libc::PT_LOAD
                && (start..start + header.p_memsz as usize).contains(&at);
        }
        1 // the first object is the executable: look no further
    }
    let mut found = false;
    // SAFETY: the callback matches what it is given, and `found` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(first_object), (&raw mut found).cast()) };
    found
}
