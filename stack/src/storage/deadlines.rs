//! When each slot wants to be called: a binary heap of slot numbers, ordered by deadline.
//!
//! Lazy on purpose: an entry moves only when its deadline becomes *earlier*. A deadline that was put off
//! leaves its entry where it is; it fires, its owner finds that there is nothing to do yet and schedules
//! anew. A busy connection puts off its retransmission with every acknowledgment and so touches the heap
//! once per timeout instead of once per packet.

use super::list::Index;
use crate::time::Instant;

/// The memory of the heap, for `N` slots.
pub(crate) struct DeadlineMemory<const N: usize> {
    heap: [Index; N],
    at: [Instant; N],
    positions: [Index; N],
}

impl<const N: usize> DeadlineMemory<N> {
    /// All zeros, so that it costs no flash.
    pub(crate) const fn new() -> Self {
        Self {
            heap: [0; N],
            at: [Instant::ZERO; N],
            positions: [0; N],
        }
    }
}

/// The heap. Positions are kept for each slot, so that its entry is found without searching.
#[derive(Debug)]
pub(crate) struct Deadlines<'d> {
    heap: &'d mut [Index],
    len: usize,
    /// Of each slot: when its entry is due; [`Instant::FAR_FUTURE`] when it has none.
    at: &'d mut [Instant],
    /// Of each slot: its position in the heap, from 1; 0 when it has none.
    positions: &'d mut [Index],
}

impl<'d> Deadlines<'d> {
    /// An empty heap in new memory.
    pub(crate) fn new<const N: usize>(memory: &'d mut DeadlineMemory<N>) -> Self {
        memory.at.fill(Instant::FAR_FUTURE);
        Self {
            heap: &mut memory.heap,
            len: 0,
            at: &mut memory.at,
            positions: &mut memory.positions,
        }
    }

    /// The earliest time at which a slot wants to be called, [`Instant::FAR_FUTURE`] if none does.
    pub(crate) fn next(&self) -> Instant {
        self.due(0)
    }

    /// Makes sure that `index` is called at `at` or earlier.
    #[inline]
    pub(crate) fn schedule(&mut self, index: Index, at: Instant) {
        match self.at.get_mut(usize::from(index)) {
            Some(known) if at < *known => *known = at,
            _ => return,
        }
        let position = self.position(index).unwrap_or_else(|| {
            self.len += 1;
            self.len - 1
        });
        self.sift_up(position, index);
    }

    /// Takes out a slot whose deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Index> {
        if self.due(0) > now {
            return None;
        }
        let first = self.entry(0)?;
        self.remove(first);
        Some(first)
    }

    /// Takes out `index`, if it is in.
    pub(crate) fn remove(&mut self, index: Index) {
        let Some(position) = self.position(index) else {
            return;
        };
        let Some(last) = self.entry(self.len - 1) else {
            return;
        };
        self.len -= 1;
        if position < self.len {
            let position = self.sift_up(position, last);
            self.sift_down(position, last);
        }
        if let Some(position) = self.positions.get_mut(usize::from(index)) {
            *position = 0;
        }
        if let Some(at) = self.at.get_mut(usize::from(index)) {
            *at = Instant::FAR_FUTURE;
        }
    }

    /// Puts `index` at `position`, or as far above as it belongs: where that is.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn sift_up(&mut self, mut position: usize, index: Index) -> usize {
        let deadline = self.at(index);
        while position > 0 {
            let parent = (position - 1) / 2;
            match self.entry(parent) {
                Some(above) if self.at(above) > deadline => self.place(position, above),
                _ => break,
            }
            position = parent;
        }
        self.place(position, index);
        position
    }

    /// Puts `index` at `position`, or as far below as it belongs.
    fn sift_down(&mut self, mut position: usize, index: Index) {
        let deadline = self.at(index);
        loop {
            let left = 2 * position + 1;
            let right = left + 1;
            let child = if self.due(right) < self.due(left) {
                right
            } else {
                left
            };
            match self.entry(child) {
                Some(below) if self.at(below) < deadline => self.place(position, below),
                _ => break,
            }
            position = child;
        }
        self.place(position, index);
    }

    fn place(&mut self, position: usize, index: Index) {
        let entry = self.heap.get_mut(position);
        let place = self.positions.get_mut(usize::from(index));
        if let (Some(entry), Some(place)) = (entry, place) {
            *entry = index;
            // A heap is at most as long as the table of slots, whose numbers fit an `Index`.
            *place = position as Index + 1;
        }
    }

    /// The slot at a position, if the heap is so long.
    fn entry(&self, position: usize) -> Option<Index> {
        self.heap.get(..self.len)?.get(position).copied()
    }

    /// When the slot at a position is due: never beyond the end.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn due(&self, position: usize) -> Instant {
        self.entry(position)
            .map_or(Instant::FAR_FUTURE, |index| self.at(index))
    }

    fn at(&self, index: Index) -> Instant {
        let at = self.at.get(usize::from(index));
        at.copied().unwrap_or(Instant::FAR_FUTURE)
    }

    /// Where in the heap a slot is.
    fn position(&self, index: Index) -> Option<usize> {
        let &position = self.positions.get(usize::from(index))?;
        usize::from(position).checked_sub(1)
    }
}

#[cfg(test)]
mod tests;
