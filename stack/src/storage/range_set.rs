//! Which parts of a whole are there.
//!
//! There are few ranges, so finding neighbours by looking at all of them is cheaper than keeping them sorted.

// For a connection whose bytes are told by ranges, of those that it sends or of those that it receives.
#[cfg(any(
    test,
    all(
        feature = "socket-tcp",
        any(
            not(feature = "tcp-many-gaps"),
            not(any(
                feature = "tcp-rack",
                feature = "tcp-undo",
                feature = "tcp-bbr",
                feature = "tcp-plpmtud"
            ))
        )
    )
))]
mod sliding;

use core::ops::Range;

/// Up to `N` disjoint ranges of offsets that do not touch each other.
#[derive(Clone, Debug)]
pub(crate) struct RangeSet<const N: usize> {
    /// Those that are empty, at zero, are none; the first is empty if all are.
    places: [Range<u32>; N],
}

/// There is no room for one more range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<const N: usize> RangeSet<N> {
    pub(crate) const fn new() -> Self {
        Self {
            places: [const { 0..0 }; N],
        }
    }

    /// The ranges, the one that changed last before the others.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.places.iter().filter(|r| !r.is_empty()).cloned()
    }

    /// The range that has all of `range`.
    pub(crate) fn containing(&self, range: &Range<u32>) -> Option<Range<u32>> {
        self.iter()
            .find(|r| r.start <= range.start && range.end <= r.end)
    }

    /// Whether a range shares an offset with `range`.
    pub(crate) fn overlaps(&self, range: &Range<u32>) -> bool {
        self.iter()
            .any(|r| r.start < range.end && range.start < r.end)
    }

    /// Adds a range as the first, joined with those it touches. When that would be one range too many, nothing
    /// changes.
    pub(crate) fn insert(&mut self, range: Range<u32>) -> Result<(), Full> {
        insert(&mut self.places, range)
    }
}

// Compiled once for sets of all sizes.
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn insert(places: &mut [Range<u32>], range: Range<u32>) -> Result<(), Full> {
    if range.is_empty() {
        return Ok(());
    }
    // How many they are is nothing to make use of: each on its own they would take twice the code.
    let places = core::hint::black_box(places);
    let (mut joined, mut has_room) = (range.clone(), false);
    // All were apart before, so none touches another but through the new one.
    for place in places.iter_mut() {
        if place.start <= range.end && range.start <= place.end && !Range::is_empty(place) {
            joined.start = joined.start.min(place.start);
            joined.end = joined.end.max(place.end);
            *place = 0..0;
        }
        has_room |= Range::is_empty(place);
        core::hint::black_box(());
    }
    if !has_room {
        return Err(Full);
    }
    // The others move up, as far as the next free place.
    for place in places {
        core::mem::swap(place, &mut joined);
        if joined.is_empty() {
            break;
        }
        core::hint::black_box(());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    #[test]
    fn a_gap_is_the_first_part_of_a_range_that_is_not_there() {
        let mut set = RangeSet::<3>::new();
        assert_eq!(set.gap(3..9), 3..9, "nothing is there");
        for known in [40..50, 10..20] {
            set.insert(known).unwrap();
        }
        for (range, gap) in [
            (0..60, 0..10),
            (10..60, 20..40),
            (15..30, 20..30),
            (20..60, 20..40),
            (45..60, 50..60),
            (50..60, 50..60),
        ] {
            assert_eq!(set.gap(range), gap);
        }
        for whole in [10..20, 12..18, 40..50] {
            assert!(set.gap(whole).is_empty());
        }
    }

    #[test]
    fn a_range_too_many_changes_nothing() {
        let mut set = RangeSet::<2>::new();
        set.insert(10..20).unwrap();
        set.insert(40..50).unwrap();
        assert_eq!(set.insert(30..35), Err(Full));
        assert_eq!(set.insert(20..40), Ok(()), "it joins two into one");
        assert!(set.iter().eq(core::iter::once(10..50)));
    }

    #[test]
    fn the_latest_is_the_first() {
        let mut set = RangeSet::<3>::new();
        for range in [0..10, 20..30, 40..50] {
            set.insert(range).unwrap();
        }
        assert!(set.iter().eq([40..50, 20..30, 0..10]));
        set.insert(30..35).unwrap();
        assert!(set.iter().eq([20..35, 40..50, 0..10]));
        set.insert(5..22).unwrap();
        assert!(set.iter().eq([0..35, 40..50]));
    }

    #[test]
    fn what_is_before_a_new_start_is_gone() {
        let mut set = RangeSet::<4>::new();
        for range in [0..10, 20..30, 40..50] {
            set.insert(range).unwrap();
        }
        set.move_start(25);
        assert!(set.iter().eq([15..25, 0..5]));
        assert_eq!(set.len_within(&(3..20)), 2 + 5);
        assert_eq!(set.len_within(&(5..15)), 0);
        set.insert(30..40).unwrap();
        set.move_start(26);
        assert!(set.iter().eq(core::iter::once(4..14)) && !set.is_empty());
        set.move_start(14);
        assert!(set.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_a_set_of_offsets(pieces in proptest::collection::vec((0u32..60, 1u32..12), 0..100)) {
            let mut set = RangeSet::<8>::new();
            let mut model = BTreeSet::new();
            for (start, len) in pieces {
                let range = start..start + len;
                assert_eq!(set.overlaps(&range), range.clone().any(|o| model.contains(&o)));
                if set.insert(range).is_ok() {
                    model.extend(start..start + len);
                }
                let offsets = set.iter().flatten().collect::<Vec<_>>();
                assert_eq!(offsets.len(), model.len(), "ranges are disjoint");
                assert_eq!(offsets.into_iter().collect::<BTreeSet<_>>(), model);
            }
        }
    }
}
