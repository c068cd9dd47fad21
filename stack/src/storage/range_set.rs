//! Which parts of a whole are there.
//!
//! There are few ranges, so finding neighbours by looking at all of them is cheaper than keeping them sorted.

use core::ops::Range;

/// Up to `N` disjoint ranges of offsets that do not touch each other.
#[derive(Clone, Debug)]
pub(crate) struct RangeSet<const N: usize> {
    ranges: heapless::Vec<Range<u32>, N, u8>,
}

/// There is no room for one more range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<const N: usize> RangeSet<N> {
    pub(crate) const fn new() -> Self {
        Self {
            ranges: heapless::Vec::new(),
        }
    }

    /// The ranges, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.ranges.iter().cloned()
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

    /// Adds a range, joined with those it touches. When that would be one range too many, nothing
    /// changes.
    pub(crate) fn insert(&mut self, range: Range<u32>) -> Result<(), Full> {
        if range.is_empty() {
            return Ok(());
        }
        let touches = |r: &Range<u32>| r.start <= range.end && range.start <= r.end;
        if self.ranges.is_full() && !self.ranges.iter().any(touches) {
            return Err(Full);
        }
        let mut joined = range.clone();
        for r in self.ranges.iter().filter(|r| touches(r)) {
            joined.start = joined.start.min(r.start);
            joined.end = joined.end.max(r.end);
        }
        self.ranges.retain(|r| !touches(r));
        self.ranges.push(joined).map_err(|_| Full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    #[test]
    fn a_range_too_many_changes_nothing() {
        let mut set = RangeSet::<2>::new();
        set.insert(10..20).unwrap();
        set.insert(40..50).unwrap();
        assert_eq!(set.insert(30..35), Err(Full));
        assert_eq!(set.insert(20..40), Ok(()), "it joins two into one");
        assert!(set.iter().eq(core::iter::once(10..50)));
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
