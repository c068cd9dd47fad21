//! Which use of a slot a key is for, so that an old key does not open what is there now.

use core::num::NonZeroU16;

/// Counts the uses of a slot. All zeros at first, so that empty tables cost no flash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uses(u16);

/// One of them, in a key; an `Option` of it takes no more room. The 65,536th looks like the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Generation(NonZeroU16);

impl Generation {
    pub(crate) const FIRST: Self = Self(NonZeroU16::MIN);
}

impl Uses {
    pub(crate) const NONE: Self = Self(0);

    /// The use that goes on.
    pub(crate) fn current(self) -> Generation {
        Generation(NonZeroU16::MIN.saturating_add(self.0))
    }

    /// It is over, and the next one is another.
    pub(crate) fn end(&mut self) {
        self.0 = match self.0 {
            LAST => 0,
            uses => uses + 1,
        };
    }
}

const LAST: u16 = u16::MAX - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_use_is_another_until_all_numbers_were_used() {
        let mut uses = Uses::NONE;
        let first = uses.current();
        let mut before = first;
        for _ in 1..u16::MAX {
            uses.end();
            assert_ne!(uses.current(), before);
            assert_ne!(uses.current(), first);
            before = uses.current();
        }
        uses.end();
        assert_eq!(uses.current(), first);
    }

    #[test]
    fn no_key_takes_no_room() {
        assert_eq!(size_of::<Option<Generation>>(), size_of::<u16>());
    }
}
