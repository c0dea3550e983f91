//! Tables of dialogs: a slab of our own for what we opened, a mirror of the peer's slab for what it opened.
//!
//! Both find an entry by index and check its generation, so that a late frame of an earlier use of the slot is told
//! apart from a live one (and from one that was never opened) without a hash and without a search. Generations wrap;
//! they are compared by their distance.

/// A slot and which use of it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The slot.
    pub slot: u32,
    /// Which use of it.
    pub generation: u32,
}

/// What a key that comes from outside stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It is in the table.
    Live,
    /// It was, and is gone.
    Past,
    /// It never was.
    Never,
}

/// A bounded slab with generations: the last slot freed is the first used again, while it is warm.
#[derive(Debug)]
pub struct Slots<T> {
    entries: Vec<Entry<T>>,
    free: Option<u32>,
    live: usize,
    limit: usize,
}

#[derive(Debug)]
struct Entry<T> {
    /// Of the content, or of the next one if the slot is free.
    generation: u32,
    content: Content<T>,
}

#[derive(Debug)]
enum Content<T> {
    Free { next: Option<u32> },
    Used(T),
}

impl<T> Slots<T> {
    /// An empty table of at most `limit` entries.
    pub fn new(limit: usize) -> Self {
        Self {
            entries: Vec::new(),
            free: None,
            live: 0,
            limit,
        }
    }

    /// Entries in use.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether none is in use.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// The most it holds.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.live >= self.limit
    }

    /// Puts in what `make` builds for its key, unless the table is full.
    pub fn insert_with(&mut self, make: impl FnOnce(Key) -> T) -> Option<Key> {
        if self.is_full() {
            return None;
        }
        self.live += 1;
        let Some(slot) = self.free else {
            let slot = u32::try_from(self.entries.len()).expect("tables are bounded below 2^31");
            let key = Key {
                slot,
                generation: 1,
            };
            self.entries.push(Entry {
                generation: 1,
                content: Content::Used(make(key)),
            });
            return Some(key);
        };
        let entry = &mut self.entries[slot as usize];
        let key = Key {
            slot,
            generation: entry.generation,
        };
        if let Content::Free { next } = entry.content {
            self.free = next;
        }
        entry.content = Content::Used(make(key));
        Some(key)
    }

    /// The entry of this key, if it is there.
    pub fn get(&self, key: Key) -> Option<&T> {
        match self.entries.get(key.slot as usize)? {
            Entry {
                generation,
                content: Content::Used(entry),
            } if *generation == key.generation => Some(entry),
            Entry { .. } => None,
        }
    }

    /// The entry of this key, if it is there.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.entries.get_mut(key.slot as usize)? {
            Entry {
                generation,
                content: Content::Used(entry),
            } if *generation == key.generation => Some(entry),
            Entry { .. } => None,
        }
    }

    /// Takes the entry of this key out; the slot's next use has the next generation.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        let entry = &mut self.entries[key.slot as usize];
        entry.generation = entry.generation.wrapping_add(1);
        let content = std::mem::replace(&mut entry.content, Content::Free { next: self.free });
        self.free = Some(key.slot);
        self.live -= 1;
        match content {
            Content::Used(content) => Some(content),
            Content::Free { .. } => None,
        }
    }

    /// What a key that came from outside stands for.
    pub fn age(&self, key: Key) -> Age {
        match self.entries.get(key.slot as usize) {
            Some(entry) if is_after(entry.generation, key.generation) => Age::Past,
            Some(Entry {
                generation,
                content: Content::Used(_),
            }) if *generation == key.generation => Age::Live,
            Some(_) | None => Age::Never,
        }
    }

    /// Every entry with its key, by slot.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut T)> {
        (0..)
            .zip(&mut self.entries)
            .filter_map(|(slot, entry)| match &mut entry.content {
                Content::Used(content) => {
                    let generation = entry.generation;
                    Some((Key { slot, generation }, content))
                }
                Content::Free { .. } => None,
            })
    }
}

/// The peer's slab as we see it: what it opened and has not ended, and how far each slot's generations have come.
#[derive(Debug)]
pub struct Mirror<T> {
    places: Vec<Place<T>>,
    live: usize,
    limit: usize,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    content: Option<T>,
}

/// Why an entry of the peer's cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorRefused {
    /// The slot is above the limit, or as many as allowed are open.
    TooMany,
    /// This use of the slot has been seen, or a later one.
    Seen,
    /// An earlier use of the slot is still open.
    Occupied,
}

impl<T> Mirror<T> {
    /// An empty table of at most `limit` entries.
    pub fn new(limit: usize) -> Self {
        Self {
            places: Vec::new(),
            live: 0,
            limit,
        }
    }

    /// Entries open.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Puts in what the peer opened under this key.
    pub fn insert(&mut self, key: Key, entry: T) -> Result<&mut T, MirrorRefused> {
        let slot = key.slot as usize;
        if slot >= self.limit {
            return Err(MirrorRefused::TooMany);
        }
        if slot >= self.places.len() {
            self.places.resize_with(slot + 1, || Place {
                generation: 0,
                content: None,
            });
        }
        let place = &mut self.places[slot];
        if !is_after(key.generation, place.generation) {
            return Err(MirrorRefused::Seen);
        }
        if place.content.is_some() {
            return Err(MirrorRefused::Occupied);
        }
        self.live += 1;
        place.generation = key.generation;
        Ok(place.content.insert(entry))
    }

    /// The entry of this key, if it is open.
    pub fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.slot as usize)?;
        place
            .content
            .as_ref()
            .filter(|_| place.generation == key.generation)
    }

    /// The entry of this key, if it is open.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.slot as usize)?;
        place
            .content
            .as_mut()
            .filter(|_| place.generation == key.generation)
    }

    /// Takes the entry of this key out.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        self.live -= 1;
        self.places[key.slot as usize].content.take()
    }

    /// What a key that came from outside stands for.
    pub fn age(&self, key: Key) -> Age {
        match self.places.get(key.slot as usize) {
            Some(place) if place.generation == key.generation && place.content.is_some() => {
                Age::Live
            }
            Some(place) if !is_after(key.generation, place.generation) => Age::Past,
            Some(_) | None => Age::Never,
        }
    }

    /// Takes every open entry out, by slot.
    pub fn drain(&mut self) -> impl Iterator<Item = (Key, T)> {
        self.live = 0;
        (0..).zip(&mut self.places).filter_map(|(slot, place)| {
            let generation = place.generation;
            let content = place.content.take()?;
            Some((Key { slot, generation }, content))
        })
    }
}

/// Whether generation `a` comes after `b`, on a line that wraps.
fn is_after(a: u32, b: u32) -> bool {
    let distance = a.wrapping_sub(b);
    distance != 0 && distance <= u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_used_again_under_the_next_generation() {
        let mut slots = Slots::new(2);
        let a = slots.insert_with(|_| 'a').unwrap();
        let b = slots.insert_with(|_| 'b').unwrap();
        assert_eq!(slots.insert_with(|_| 'c'), None);
        assert_eq!(slots.remove(a), Some('a'));
        assert_eq!((slots.remove(a), slots.age(a)), (None, Age::Past));
        let c = slots.insert_with(|_| 'c').unwrap();
        assert_eq!((c.slot, c.generation), (a.slot, a.generation + 1));
        assert_eq!((slots.get(a), slots.get(c)), (None, Some(&'c')));
        assert_eq!((slots.age(b), slots.len()), (Age::Live, 2));
        let future = Key {
            generation: c.generation + 1,
            ..c
        };
        assert_eq!(slots.age(future), Age::Never);
        assert_eq!(
            slots.age(Key {
                slot: 9,
                generation: 0
            }),
            Age::Never
        );
    }

    #[test]
    fn a_mirror_refuses_what_an_honest_slab_never_does() {
        let key = |slot, generation| Key { slot, generation };
        let mut mirror = Mirror::new(4);
        assert!(mirror.insert(key(1, 3), 'a').is_ok());
        assert_eq!(mirror.insert(key(4, 1), 'x'), Err(MirrorRefused::TooMany));
        assert_eq!(mirror.insert(key(1, 3), 'x'), Err(MirrorRefused::Seen));
        assert_eq!(mirror.insert(key(1, 4), 'x'), Err(MirrorRefused::Occupied));
        assert_eq!(mirror.remove(key(1, 3)), Some('a'));
        assert_eq!(mirror.insert(key(1, 2), 'x'), Err(MirrorRefused::Seen));
        assert_eq!(mirror.age(key(1, 3)), Age::Past);
        assert_eq!(mirror.age(key(1, 4)), Age::Never);
        assert!(mirror.insert(key(1, 9), 'b').is_ok());
        assert_eq!(mirror.drain().collect::<Vec<_>>(), [(key(1, 9), 'b')]);
        assert!(mirror.is_empty());
    }

    #[test]
    fn generations_wrap() {
        assert!(is_after(0, u32::MAX));
        assert!(!is_after(u32::MAX, 0));
        assert!(!is_after(7, 7));
    }
}
