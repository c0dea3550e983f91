//! What `ps` shows of a process: a title of any length, without touching its arguments.
//!
//! The kernel takes the command line of a process from an area of its memory. `PR_SET_MM_MAP` points it to a buffer of ours;
//! `std::env::args()` stays what it was. Kernels built without it keep the old title, which is no error.

#![allow(unsafe_code, reason = "there is no safe wrapper of `PR_SET_MM_MAP`")]

use std::ffi::CString;

/// Shows `title` as this process's command line from now on. Each call keeps its title's memory for good: it is for the
/// start of a process, which has one thread then.
pub fn set_title(title: &str) {
    let Ok(title) = CString::new(title) else {
        return;
    };
    let Some(mut map) = MemoryMap::of_this_process() else {
        return;
    };
    let bytes = Box::leak(title.into_bytes_with_nul().into_boxed_slice());
    let area = bytes.as_ptr_range();
    map.arg_start = area.start.expose_provenance() as u64;
    map.arg_end = area.end.expose_provenance() as u64;
    // SAFETY: the structure has the layout and size the kernel expects; all but the two fields just set is what the
    // kernel itself says of this process, and those two enclose memory that is never freed.
    unsafe {
        libc::prctl(
            libc::PR_SET_MM,
            libc::PR_SET_MM_MAP,
            &raw const map,
            size_of::<MemoryMap>(),
            0,
        )
    };
}

/// The kernel's `struct prctl_mm_map`.
#[repr(C)]
struct MemoryMap {
    start_code: u64,
    end_code: u64,
    start_data: u64,
    end_data: u64,
    start_brk: u64,
    brk: u64,
    start_stack: u64,
    arg_start: u64,
    arg_end: u64,
    env_start: u64,
    env_end: u64,
    auxv: u64,
    auxv_size: u32,
    exe_fd: u32,
}

impl MemoryMap {
    /// As `/proc/self/stat` says; fields there are counted from 1, in proc(5).
    fn of_this_process() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the name in its parentheses comes field 3. Some fields are negative, some as wide as a u64.
        let fields = stat[stat.rfind(')')? + 1..].split_whitespace();
        let fields: Vec<&str> = fields.collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        // SAFETY: asks for the end of the heap and moves nothing.
        let brk = unsafe { libc::sbrk(0) };
        Some(Self {
            start_code: field(26)?,
            end_code: field(27)?,
            start_data: field(45)?,
            end_data: field(46)?,
            start_brk: field(47)?,
            brk: brk.expose_provenance() as u64,
            start_stack: field(28)?,
            arg_start: field(48)?,
            arg_end: field(49)?,
            env_start: field(50)?,
            env_end: field(51)?,
            auxv: 0,
            auxv_size: 0,
            exe_fd: u32::MAX,
        })
    }
}
