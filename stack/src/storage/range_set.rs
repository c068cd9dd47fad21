//! Which parts of a sequence have arrived ahead of a gap.
//!
//! The ranges are kept in order of arrival, the latest first, because that is the order in which
//! RFC 2018, section 4 wants them reported. There are few, so finding neighbours by looking at all of
//! them is cheaper than keeping them sorted as well.

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

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.ranges.clear();
    }

    /// The ranges, the one that changed last first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.ranges.iter().cloned()
    }

    /// The range that has all of `range`.
    pub(crate) fn containing(&self, range: &Range<u32>) -> Option<Range<u32>> {
        self.iter()
            .find(|r| r.start <= range.start && range.end <= r.end)
    }

    /// The first range that shares an offset with `range`.
    pub(crate) fn overlapping(&self, range: &Range<u32>) -> Option<Range<u32>> {
        self.iter()
            .filter(|r| r.start < range.end && range.start < r.end)
            .min_by_key(|r| r.start)
    }

    /// Adds a range, joined with those it touches. When that would be one range too many, nothing
    /// changes: what was reported to the peer must not be forgotten again.
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
        self.ranges.insert(0, joined).map_err(|_| Full)
    }

    /// Moves the origin up to `to` and drops what is below it. The range that then starts at the
    /// origin, if there is one, is taken out and its length returned.
    pub(crate) fn advance(&mut self, to: u32) -> u32 {
        self.shift(to);
        let first = self.ranges.iter().find(|r| r.start == 0);
        let contiguous = first.map_or(0, |r| r.end);
        self.shift(contiguous);
        contiguous
    }

    /// Moves the origin up to `to` and drops what is below it.
    pub(crate) fn shift(&mut self, to: u32) {
        self.ranges.retain_mut(|r| {
            r.start = r.start.saturating_sub(to);
            r.end = r.end.saturating_sub(to);
            r.end != 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    #[test]
    fn reports_the_latest_arrival_first() {
        let mut set = RangeSet::<4>::new();
        set.insert(10..20).unwrap();
        set.insert(40..50).unwrap();
        set.insert(20..25).unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), [10..25, 40..50]);
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

    proptest::proptest! {
        #[test]
        fn agrees_with_a_set_of_offsets(ops in proptest::collection::vec((0u32..60, 0u32..12, 0u8..6), 0..100)) {
            let mut set = RangeSet::<8>::new();
            let mut model = BTreeSet::new();
            for (start, len, op) in ops {
                if op == 0 {
                    let advanced = set.advance(start);
                    let rest = model.iter().filter(|&&o| o >= start).map(|&o| o - start);
                    let rest = rest.collect::<BTreeSet<u32>>();
                    let run = (0..).take_while(|o| rest.contains(o)).count() as u32;
                    assert_eq!(advanced, run);
                    model = rest.into_iter().filter(|&o| o >= run).map(|o| o - run).collect();
                } else if start > 0 && set.insert(start..start + len).is_ok() {
                    model.extend(start..start + len);
                }
                let offsets = set.iter().flatten().collect::<Vec<_>>();
                assert_eq!(offsets.len(), model.len(), "ranges are disjoint");
                assert_eq!(offsets.into_iter().collect::<BTreeSet<_>>(), model);
            }
        }
    }
}
