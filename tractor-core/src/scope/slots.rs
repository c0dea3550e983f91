//! A small table with stable keys: the first entry is inline, since most scopes have one child and one waiting task.
//!
//! A key is good until its entry is removed, and then may be given out again: whoever holds one removes it once.

/// Values under small numbers.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    first: Slot<T>,
    rest: Vec<Slot<T>>,
    free: u32,
    len: u32,
}

/// The place of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) u32);

#[derive(Debug)]
enum Slot<T> {
    Used(T),
    /// Free, with the next free place after it.
    Free(u32),
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self {
            first: Slot::Free(NONE),
            rest: Vec::new(),
            free: FIRST,
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts `value` into a free place.
    pub(crate) fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        let key = self.free;
        match self.slot_mut(Key(key)) {
            Some(slot) => {
                if let Slot::Free(next) = *slot {
                    *slot = Slot::Used(value);
                    self.free = next;
                }
                Key(key)
            }
            None => {
                self.rest.push(Slot::Used(value));
                Key(self.rest.len() as u32)
            }
        }
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.slot_mut(key) {
            Some(Slot::Used(value)) => Some(value),
            Some(Slot::Free(_)) | None => None,
        }
    }

    /// Takes the value out; its place may be used again.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let free = self.free;
        let slot = self.slot_mut(key)?;
        if matches!(slot, Slot::Free(_)) {
            return None;
        }
        let Slot::Used(value) = std::mem::replace(slot, Slot::Free(free)) else {
            return None;
        };
        self.free = key.0;
        self.len -= 1;
        Some(value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first)
            .chain(&self.rest)
            .filter_map(|slot| match slot {
                Slot::Used(value) => Some(value),
                Slot::Free(_) => None,
            })
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        std::iter::once(&mut self.first)
            .chain(&mut self.rest)
            .filter_map(|slot| match slot {
                Slot::Used(value) => Some(value),
                Slot::Free(_) => None,
            })
    }

    fn slot_mut(&mut self, Key(key): Key) -> Option<&mut Slot<T>> {
        match key {
            FIRST => Some(&mut self.first),
            NONE => None,
            key => self.rest.get_mut(key as usize - 1),
        }
    }
}

const FIRST: u32 = 0;
const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_behaves_as_a_map(steps in prop::collection::vec((any::<bool>(), 0usize..8), 0..200)) {
            let mut slots = Slots::new();
            let mut model: HashMap<u32, usize> = HashMap::new();
            for (n, (insert, pick)) in steps.into_iter().enumerate() {
                if insert || model.is_empty() {
                    let Key(key) = slots.insert(n);
                    prop_assert!(model.insert(key, n).is_none(), "a used place was given out");
                } else {
                    let key = *model.keys().nth(pick % model.len()).unwrap();
                    prop_assert_eq!(slots.remove(Key(key)), model.remove(&key));
                    prop_assert_eq!(slots.remove(Key(key)), None);
                }
                prop_assert_eq!(slots.len(), model.len());
                let mut seen: Vec<_> = slots.values().copied().collect();
                let mut expected: Vec<_> = model.values().copied().collect();
                seen.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(seen, expected);
                prop_assert!(slots.rest.len() < 200, "removed places are used again");
            }
        }
    }
}
