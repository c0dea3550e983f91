//! Images made by hand, cut, spoilt and made of nothing but noise.

use std::io::{Cursor, Write};

use proptest::prelude::*;

use super::*;

/// An image with one segment of notes: of another kind, of another author, and the build id.
fn image(wide: bool, big_endian: bool, align: usize, id: &[u8]) -> Vec<u8> {
    let (width, header_size, entry_size) = if wide { (8, 64, 56) } else { (4, 64, 32) };
    let number = |value: usize, width: usize| -> Vec<u8> {
        let bytes = (value as u64).to_be_bytes()[8 - width..].to_vec();
        if big_endian {
            bytes
        } else {
            bytes.into_iter().rev().collect()
        }
    };
    let note = |kind: usize, name: &[u8], content: &[u8]| {
        let sizes = [name.len(), content.len(), kind].map(|n| number(n, 4));
        let mut note = sizes.concat();
        for part in [name, content] {
            note.extend_from_slice(part);
            note.resize(note.len().next_multiple_of(align), 0);
        }
        note
    };
    let notes = [
        note(1, b"GNU\0", &[9; 16]),
        note(3, b"other\0", &[8; 20]),
        note(3, b"GNU\0", id),
    ]
    .concat();

    let mut image = vec![
        0x7f,
        b'E',
        b'L',
        b'F',
        1 + u8::from(wide),
        1 + u8::from(big_endian),
    ];
    image.resize(header_size, 0);
    let mut put = |at: usize, value: usize, width: usize| {
        let end = at + width;
        image.resize(image.len().max(end), 0);
        image[at..end].copy_from_slice(&number(value, width));
    };
    let (table, sizes) = if wide { (32, 54) } else { (28, 42) };
    put(table, header_size, width);
    put(sizes, entry_size, 2);
    put(sizes + 2, 2, 2);
    // The first program header is of another kind, the second is of the notes, which follow.
    put(header_size, 1, 4);
    let entry = header_size + entry_size;
    let (offset, size, alignment) = if wide { (8, 32, 48) } else { (4, 16, 28) };
    put(entry, 4, 4);
    put(entry + offset, entry + entry_size, width);
    put(entry + size, notes.len(), width);
    put(entry + alignment, align, width);
    image.resize(entry + entry_size, 0);
    image.extend_from_slice(&notes);
    image
}

fn read(image: &[u8]) -> Option<Vec<u8>> {
    build_id(&mut Cursor::new(image))
}

#[test]
fn the_build_id_is_found_in_every_kind_of_image() {
    let id: Vec<u8> = (1..=20).collect();
    for wide in [false, true] {
        for big_endian in [false, true] {
            for align in [4, 8] {
                let image = image(wide, big_endian, align, &id);
                assert_eq!(
                    read(&image),
                    Some(id.clone()),
                    "{wide} {big_endian} {align}"
                );
            }
        }
    }
}

#[test]
fn an_id_that_tells_too_little_is_none() {
    for (id, usable) in [
        (vec![1; 7], false),
        (vec![1; 8], true),
        (vec![0; 20], false),
        (vec![1; 64], true),
        (vec![1; 65], false),
        (vec![], false),
    ] {
        assert_eq!(
            read(&image(true, false, 4, &id)).is_some(),
            usable,
            "{id:?}"
        );
    }
}

#[test]
fn a_cut_image_has_none() {
    let image = image(true, false, 4, &[1; 20]);
    for length in 0..image.len() {
        assert_eq!(read(&image[..length]), None, "cut at {length}");
    }
}

#[test]
fn a_file_without_build_id_is_told_by_what_it_is() {
    let folder = std::env::temp_dir().join(format!("tractor-image-{}", Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("plain");
    let of_path = || of_file(File::open(&path).ok());

    let nobody = of_path();
    assert!(nobody.starts_with(b"none:"));
    assert_ne!(of_path(), nobody, "equal to nothing, not even to itself");

    let mut file = File::create(&path).unwrap();
    let empty = of_path();
    assert!(empty.starts_with(b"file:"));
    assert_eq!(of_path(), empty);
    file.write_all(b"more").unwrap();
    assert_ne!(of_path(), empty);

    file.write_all(&image(true, false, 4, &[7; 20])).unwrap();
    assert!(
        of_path().starts_with(b"file:"),
        "not at the start of the file"
    );
    std::fs::write(&path, image(true, false, 4, &[7; 20])).unwrap();
    assert_eq!(of_path(), [7; 20]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn this_image_is_the_same_each_time_and_fits_a_handshake() {
    let this = catalog_fingerprint();
    assert!(!this.is_empty() && this.len() <= 64);
    assert!(!this.starts_with(b"none:"));
    assert_eq!(this, catalog_fingerprint());
    let child = of_file(File::open(std::env::current_exe().unwrap()).ok());
    assert_eq!(this, child);
}

proptest! {
    #[test]
    fn noise_is_no_image(noise in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert_eq!(read(&noise), None);
    }

    #[test]
    fn noise_with_a_proper_beginning_does_no_harm(
        class in 0..4_u8,
        order in 0..4_u8,
        noise in prop::collection::vec(any::<u8>(), 0..512),
    ) {
        let mut image = b"\x7fELF".to_vec();
        image.extend([class, order]);
        image.extend(noise);
        read(&image);
    }

    #[test]
    fn a_spoilt_image_does_no_harm(
        wide in any::<bool>(),
        big_endian in any::<bool>(),
        spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut image = image(wide, big_endian, 4, &[5; 20]);
        for (at, byte) in spoils {
            let at = at.index(image.len());
            image[at] = byte;
        }
        if let Some(id) = read(&image) {
            prop_assert!(BUILD_ID.contains(&id.len()));
        }
    }
}
