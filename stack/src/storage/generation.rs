//! Keys of slots: an old one does not open what is there now.

use core::num::NonZeroU32;

use super::Index;

/// Counts the uses of a slot. All zeros at first, so that empty tables cost no flash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uses(u16);

/// One use of one slot. It fits one register, and an `Option` of it does as well; but it is aligned as two numbers are,
/// so that what keeps it has no holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(Rust, packed(2))]
pub(crate) struct Key(NonZeroU32);

impl Key {
    /// The first use of a slot.
    pub(crate) const fn first(index: Index) -> Self {
        Uses::NONE.key(index)
    }

    /// The number of the slot.
    pub(crate) fn index(self) -> Index {
        self.0.get() as Index
    }
}

// Not derived: there are no references into what is packed.
#[cfg(feature = "defmt")]
impl defmt::Format for Key {
    fn format(&self, f: defmt::Formatter<'_>) {
        let Self(number) = *self;
        number.get().format(f);
    }
}

impl Uses {
    pub(crate) const NONE: Self = Self(0);

    /// The key for the use that goes on of the slot with that number. The 65,536th looks like the first.
    pub(crate) const fn key(self, index: Index) -> Key {
        Key(FIRST.saturating_add((self.0 as u32) << 16 | index as u32))
    }

    /// It is over, and the next one is another.
    pub(crate) fn end(&mut self) {
        self.0 = match self.0 {
            LAST => 0,
            uses => uses + 1,
        };
    }
}

/// The use in the upper half of a key, counted from one.
const FIRST: NonZeroU32 = NonZeroU32::MIN.saturating_add(u16::MAX as u32);

const LAST: u16 = u16::MAX - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_use_is_another_until_all_numbers_were_used() {
        let mut uses = Uses::NONE;
        let first = uses.key(7);
        assert_eq!(first, Key::first(7));
        let mut before = first;
        for _ in 1..u16::MAX {
            uses.end();
            assert_ne!(uses.key(7), before);
            assert_ne!(uses.key(7), first);
            before = uses.key(7);
        }
        uses.end();
        assert_eq!(uses.key(7), first);
    }

    #[test]
    fn a_key_knows_its_slot() {
        let mut uses = Uses::NONE;
        for index in [0, 1, Index::MAX] {
            assert_eq!(uses.key(index).index(), index);
        }
        for _ in 1..u16::MAX {
            uses.end();
        }
        for index in [0, 1, Index::MAX] {
            assert_eq!(uses.key(index).index(), index);
        }
    }

    #[test]
    fn no_key_takes_no_room() {
        assert_eq!(size_of::<Option<Key>>(), size_of::<u32>());
    }
}
