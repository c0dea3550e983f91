//! The sample values a type is shown, and the order in which they are tried.
//!
//! Every place that offers a choice (a leaf's value, a length) is a wheel of an odometer. While a type refuses, the
//! wheel of the place read last turns fastest: a check usually follows what it checks.

use std::collections::HashMap;

/// Texts: empty, the usual formats that are read from text in any serde format, and one odd one.
pub(super) const TEXTS: [&str; 18] = [
    "",
    "a",
    "0",
    "127.0.0.1",
    "00000000-0000-0000-0000-000000000000",
    "1970-01-01T00:00:00Z",
    "1970-01-01",
    "00:00:00",
    "1970-01-01T00:00:00",
    "1.0.0",
    "http://localhost/",
    "a@b.c",
    "::1",
    "127.0.0.1:1",
    "en",
    "UTC",
    "#000000",
    "/a",
];

/// Lengths of byte strings: keys, hashes, addresses, identifiers.
pub(super) const BYTE_LENGTHS: [usize; 11] = [0, 16, 32, 12, 4, 1, 8, 20, 24, 48, 64];

/// What byte strings are cut from.
pub(super) static BYTES: [u8; 64] = [0; 64];

/// Lengths of sequences and maps: none, one, and those of the usual fixed sizes.
pub(super) const LENGTHS: [usize; 13] = [0, 1, 2, 3, 4, 8, 12, 16, 20, 24, 32, 48, 64];

/// The odometer.
#[derive(Debug, Default)]
pub(super) struct Odometer {
    wheels: HashMap<u64, Wheel>,
    /// The places of this pass, in the order of their first reading.
    read: Vec<u64>,
    pass: u32,
}

#[derive(Debug, Default)]
struct Wheel {
    at: usize,
    size: usize,
    pass: u32,
}

impl Odometer {
    /// A new pass over the type begins.
    pub(super) fn begin_pass(&mut self) {
        self.pass += 1;
        self.read.clear();
    }

    /// Where the wheel of this place stands, if it has `size` positions.
    pub(super) fn position(&mut self, site: u64, size: usize) -> usize {
        if size < 2 {
            return 0;
        }
        let wheel = self.wheels.entry(site).or_default();
        if wheel.pass != self.pass {
            wheel.pass = self.pass;
            self.read.push(site);
        }
        wheel.size = size;
        wheel.at % size
    }

    /// The next combination for the places of the last pass; `false` once there is none.
    pub(super) fn advance(&mut self) -> bool {
        for site in self.read.iter().rev() {
            let wheel = self.wheels.entry(*site).or_default();
            wheel.at += 1;
            if wheel.at < wheel.size {
                return true;
            }
            wheel.at = 0;
        }
        false
    }

    /// All wheels back to their first position.
    pub(super) fn reset(&mut self) {
        self.wheels.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_read_last_turns_fastest() {
        let mut odometer = Odometer::default();
        let mut seen = Vec::new();
        loop {
            odometer.begin_pass();
            seen.push((
                odometer.position(7, 2),
                odometer.position(8, 1),
                odometer.position(9, 3),
            ));
            assert_eq!(
                odometer.position(7, 2),
                seen[seen.len() - 1].0,
                "one wheel a place"
            );
            if !odometer.advance() {
                break;
            }
        }
        let expected = [
            (0, 0, 0),
            (0, 0, 1),
            (0, 0, 2),
            (1, 0, 0),
            (1, 0, 1),
            (1, 0, 2),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn every_length_of_bytes_can_be_cut() {
        assert!(
            BYTE_LENGTHS
                .iter()
                .all(|&length| BYTES.get(..length).is_some())
        );
    }
}
