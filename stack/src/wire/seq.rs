//! TCP sequence numbers and their serial arithmetic (RFC 9293 §3.4).
//!
//! The numbers wrap at 2^32, so "less than" only has a meaning between numbers less than 2^31 apart,
//! which a TCP's windows guarantee. There is deliberately no `PartialOrd`: an order that wraps is not
//! transitive, and comparing in words cannot be mistaken for comparing integers.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// A position in a TCP sequence space.
///
/// ```text
///        before              after
///   ... ────────────┤ self ├──────────── ...      each arm is 2^31 long
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SeqNum(u32);

impl SeqNum {
    /// The position of that number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number as it stands in a segment.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether this comes strictly before `other`.
    ///
    /// Two numbers exactly 2^31 apart are each before and after the other: the order has no answer.
    pub const fn before(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// Whether this comes strictly after `other`.
    pub const fn after(self, other: Self) -> bool {
        other.before(self)
    }

    /// Whether this comes before `other` or is the same.
    pub const fn at_or_before(self, other: Self) -> bool {
        !self.after(other)
    }

    /// Whether this comes after `other` or is the same.
    pub const fn at_or_after(self, other: Self) -> bool {
        !self.before(other)
    }

    /// How many numbers lie from `earlier` up to this one. If `earlier` is in truth the later one the
    /// result is the long way round, 2^31 or more.
    pub const fn distance_from(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// Whether this is one of the `len` numbers from `start` on.
    pub const fn in_window(self, start: Self, len: u32) -> bool {
        self.distance_from(start) < len
    }

    /// The later of the two.
    pub const fn max(self, other: Self) -> Self {
        if self.before(other) { other } else { self }
    }

    /// The earlier of the two.
    pub const fn min(self, other: Self) -> Self {
        if self.after(other) { other } else { self }
    }
}

impl Add<u32> for SeqNum {
    type Output = Self;

    fn add(self, count: u32) -> Self {
        Self(self.0.wrapping_add(count))
    }
}

impl AddAssign<u32> for SeqNum {
    fn add_assign(&mut self, count: u32) {
        *self = *self + count;
    }
}

impl Sub<u32> for SeqNum {
    type Output = Self;

    fn sub(self, count: u32) -> Self {
        Self(self.0.wrapping_sub(count))
    }
}

impl fmt::Display for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn compares_across_the_wrap() {
        let high = SeqNum::new(u32::MAX - 1);
        let low = high + 5;
        assert_eq!(low.get(), 3);
        assert!(high.before(low) && low.after(high));
        assert!(high.at_or_before(low) && !high.at_or_after(low));
        assert_eq!(low.distance_from(high), 5);
        assert_eq!(low - 5, high);
        assert_eq!(high.max(low), low);
        assert_eq!(high.min(low), high);
    }

    #[test]
    fn a_number_is_neither_before_nor_after_itself() {
        let here = SeqNum::new(7);
        assert!(!here.before(here) && !here.after(here));
        assert!(here.at_or_before(here) && here.at_or_after(here));
    }

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let start = SeqNum::new(u32::MAX);
        assert!(start.in_window(start, 1));
        assert!(!(start + 1).in_window(start, 1));
        assert!((start + 9).in_window(start, 10));
        assert!(!(start - 1).in_window(start, 10));
        assert!(!start.in_window(start, 0));
    }

    proptest! {
        #[test]
        fn order_agrees_with_distance(start: u32, distance in 1..1u32 << 31) {
            let earlier = SeqNum::new(start);
            let later = earlier + distance;
            prop_assert!(earlier.before(later) && !later.before(earlier));
            prop_assert!(later.after(earlier) && !earlier.after(later));
            prop_assert_eq!(later.distance_from(earlier), distance);
            prop_assert_eq!(earlier.max(later), later);
            prop_assert_eq!(later.max(earlier), later);
            prop_assert_eq!(earlier.min(later), earlier);
            prop_assert_eq!(later.min(earlier), earlier);
        }
    }
}
