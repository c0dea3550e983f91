//! Which program this is: the GNU build id of the image.
//!
//! Processes of one image have the same types, whatever those are, and need not compare signatures. Reads the file with
//! every offset checked: an odd one has no build id, and nothing worse.
//!
//! Known limit: a runtime that lives in a shared library of a foreign program is taken for that program.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use bytes::Bytes;
use uuid::Uuid;

use super::fingerprint::fnv1a;
use crate::limits::{BUILD_ID, IMAGE_HEADERS, IMAGE_NOTES};

/// The fingerprint of this image's catalogue: equal in two processes only if they run the same program. At most 64
/// bytes; read once.
pub fn catalog_fingerprint() -> Bytes {
    static IMAGE: OnceLock<Bytes> = OnceLock::new();
    let read = || Bytes::from(of_file(File::open("/proc/self/exe").ok()));
    IMAGE.get_or_init(read).clone()
}

/// The build id, or else which file it is, or else something no other process has: then signatures are compared.
fn of_file(file: Option<File>) -> Vec<u8> {
    let Some(mut file) = file else {
        return tagged(b"none:", *Uuid::new_v4().as_bytes());
    };
    match (build_id(&mut file), file.metadata()) {
        (Some(id), _) => id,
        (None, Ok(metadata)) => tagged(b"file:", identity(&metadata)),
        (None, Err(_)) => of_file(None),
    }
}

/// What tells this file from any other, and from itself once it is written anew.
fn identity(metadata: &Metadata) -> [u8; 16] {
    let facts = [
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        metadata.mtime().cast_unsigned(),
        metadata.mtime_nsec().cast_unsigned(),
    ];
    fnv1a(&facts.map(u64::to_be_bytes).concat()).to_be_bytes()
}

fn tagged(tag: &[u8; 5], bytes: [u8; 16]) -> Vec<u8> {
    [tag.as_slice(), &bytes].concat()
}

/// The build id of an ELF image, if it has a usable one.
fn build_id(image: &mut (impl Read + Seek)) -> Option<Vec<u8>> {
    let mut header = [0; 64];
    image.read_exact(&mut header).ok()?;
    let elf = Elf::new(&header)?;
    let table = elf.offset(&header, elf.layout.table)?;
    let size = elf.short(&header, elf.layout.entry_size)?;
    let count = elf.short(&header, elf.layout.entry_count)?;
    let mut entry = [0; 56];
    let entry = &mut entry[..elf.layout.entry_read];
    for index in 0..u64::from(count).min(IMAGE_HEADERS) {
        let at = table.checked_add(index * u64::from(size))?;
        image.seek(SeekFrom::Start(at)).ok()?;
        image.read_exact(entry).ok()?;
        if elf.word(entry, 0)? != PT_NOTE {
            continue;
        }
        let length = elf.offset(entry, elf.layout.file_size)?.min(IMAGE_NOTES);
        let at = elf.offset(entry, elf.layout.file_offset)?;
        let align = elf.offset(entry, elf.layout.align)?;
        image.seek(SeekFrom::Start(at)).ok()?;
        let mut notes = Vec::new();
        image.by_ref().take(length).read_to_end(&mut notes).ok()?;
        if let Some(id) = elf.find_build_id(&notes, if align == 8 { 8 } else { 4 }) {
            return Some(id.to_vec());
        }
    }
    None
}

/// How the numbers of an image are written.
struct Elf {
    big_endian: bool,
    layout: &'static Layout,
}

/// Where the fields are.
struct Layout {
    /// Bytes of an offset.
    width: usize,
    table: usize,
    entry_size: usize,
    entry_count: usize,
    /// Bytes of a program header.
    entry_read: usize,
    file_offset: usize,
    file_size: usize,
    align: usize,
}

impl Elf {
    fn new(header: &[u8]) -> Option<Self> {
        let (magic, rest) = header.split_at_checked(4)?;
        if magic != b"\x7fELF" {
            return None;
        }
        let layout = match rest.first()? {
            1 => &NARROW,
            2 => &WIDE,
            _ => return None,
        };
        let big_endian = match rest.get(1)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        Some(Self { big_endian, layout })
    }

    /// The build id among these notes.
    fn find_build_id<'a>(&self, mut notes: &'a [u8], align: usize) -> Option<&'a [u8]> {
        loop {
            let name_size = usize::try_from(self.word(notes, 0)?).ok()?;
            let size = usize::try_from(self.word(notes, 4)?).ok()?;
            let kind = self.word(notes, 8)?;
            let name_end = 12_usize.checked_add(name_size)?;
            let start = name_end.checked_next_multiple_of(align)?;
            let end = start.checked_add(size)?;
            let (name, id) = (notes.get(12..name_end)?, notes.get(start..end)?);
            if kind == NT_GNU_BUILD_ID && name == b"GNU\0" {
                let set = id.iter().any(|byte| *byte != 0);
                return Some(id).filter(|id| set && BUILD_ID.contains(&id.len()));
            }
            notes = notes.get(end.checked_next_multiple_of(align)?..)?;
        }
    }

    fn short(&self, bytes: &[u8], at: usize) -> Option<u16> {
        u16::try_from(self.number(bytes, at, 2)?).ok()
    }

    fn word(&self, bytes: &[u8], at: usize) -> Option<u32> {
        u32::try_from(self.number(bytes, at, 4)?).ok()
    }

    fn offset(&self, bytes: &[u8], at: usize) -> Option<u64> {
        self.number(bytes, at, self.layout.width)
    }

    fn number(&self, bytes: &[u8], at: usize, width: usize) -> Option<u64> {
        let digits = bytes.get(at..at.checked_add(width)?)?;
        let push = |number: u64, digit: &u8| number << 8 | u64::from(*digit);
        Some(if self.big_endian {
            digits.iter().fold(0, push)
        } else {
            digits.iter().rev().fold(0, push)
        })
    }
}

const NARROW: Layout = Layout {
    width: 4,
    table: 28,
    entry_size: 42,
    entry_count: 44,
    entry_read: 32,
    file_offset: 4,
    file_size: 16,
    align: 28,
};

const WIDE: Layout = Layout {
    width: 8,
    table: 32,
    entry_size: 54,
    entry_count: 56,
    entry_read: 56,
    file_offset: 8,
    file_size: 32,
    align: 48,
};

/// A segment of notes.
const PT_NOTE: u32 = 4;

/// The note that holds the build id.
const NT_GNU_BUILD_ID: u32 = 3;

#[cfg(test)]
mod tests;
