//! Ranges of a whole whose start moves on, as that of a stream does.

use core::ops::Range;

use super::RangeSet;

impl<const N: usize> RangeSet<N> {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.places.first().is_none_or(Range::is_empty)
    }

    /// How much of `range` is there.
    #[cfg(any(
        test,
        not(any(
            feature = "tcp-rack",
            feature = "tcp-undo",
            feature = "tcp-bbr",
            feature = "tcp-plpmtud"
        ))
    ))]
    pub(crate) fn len_within(&self, range: &Range<u32>) -> u32 {
        #[cfg_attr(target_pointer_width = "32", inline(never))]
        fn sum(places: &[Range<u32>], range: &Range<u32>) -> u32 {
            let within = |at: u32| at.max(range.start).min(range.end);
            let lens = places.iter().map(|r| within(r.end) - within(r.start));
            lens.sum()
        }
        sum(&self.places, range)
    }

    /// The first part of `range` that is not there; empty if all of it is.
    pub(crate) fn gap(&self, range: Range<u32>) -> Range<u32> {
        gap(&self.places, range)
    }

    /// The whole starts `bytes` further on: what was before is gone.
    pub(crate) fn move_start(&mut self, bytes: u32) {
        move_start(&mut self.places, bytes);
    }
}

// Compiled once for sets of all sizes.
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn gap(places: &[Range<u32>], mut within: Range<u32>) -> Range<u32> {
    // Ranges do not touch each other: behind the one that has the start nothing is there. What is empty is so at zero.
    for known in places {
        if known.start > within.start {
            within.end = within.end.min(known.start);
        } else if known.end > within.start {
            within.start = known.end;
        }
    }
    within
}

// Compiled once for sets of all sizes.
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn move_start(places: &mut [Range<u32>], bytes: u32) {
    for r in places.iter_mut() {
        *r = r.start.saturating_sub(bytes)..r.end.saturating_sub(bytes);
    }
    if let Some((first, others)) = places.split_first_mut()
        && Range::is_empty(first)
        && let Some(next) = others.iter_mut().find(|r| !Range::is_empty(r))
    {
        core::mem::swap(first, next);
    }
}
