//! A small table of records of fixed size, found by hash and aged in the order they came: half-open
//! connections, connections in TIME-WAIT.

use super::list::{Index, Link, List};
use super::place::Place;

/// Up to `N` records.
#[derive(Debug)]
pub(crate) struct Records<T, const N: usize> {
    values: [Place<T>; N],
    order: Order<N>,
}

/// Where records are filed, whatever they say: compiled once for all tables of a size.
#[derive(Debug)]
struct Order<const N: usize> {
    /// In the list of a bucket.
    chains: [Link; N],
    /// In the list of ages, or that of free ones.
    ranks: [Link; N],
    hashes: [u32; N],
    buckets: [List; N],
    free: List,
    ages: List,
    /// Records never used yet start here; saves linking them all at the start.
    fresh: Index,
}

impl<T, const N: usize> Records<T, N> {
    pub(crate) const fn new() -> Self {
        const { assert!(N <= List::MAX_SLOTS) };
        Self {
            values: [const { Place::Vacant }; N],
            order: Order {
                chains: [Link::NONE; N],
                ranks: [Link::NONE; N],
                hashes: [0; N],
                buckets: [const { List::new() }; N],
                free: List::new(),
                ages: List::new(),
                fresh: 0,
            },
        }
    }

    /// The record filed under `hash` that `is_it` says yes to.
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(&T) -> bool) -> Option<Index> {
        let mut next = self.order.first(hash);
        while let Some(index) = next {
            // The hash first: the records of a large table are seldom in the cache.
            if self.order.has(index, hash) && self.get(index).is_some_and(&is_it) {
                break;
            }
            next = self.order.behind(index);
        }
        next
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn get(&self, index: Index) -> Option<&T> {
        self.values.get(usize::from(index))?.get()
    }

    pub(crate) fn get_mut(&mut self, index: Index) -> Option<&mut T> {
        self.values.get_mut(usize::from(index))?.get_mut()
    }

    /// Whether there is no room for one more.
    pub(crate) fn is_full(&self) -> bool {
        self.order.is_full()
    }

    /// Adds a record as the youngest, made where it stays; `None` if the table is full.
    pub(crate) fn insert(
        &mut self,
        hash: u32,
        make: impl FnOnce() -> T,
    ) -> Option<(Index, &mut T)> {
        let index = self.order.insert(hash)?;
        Some((index, self.values[usize::from(index)].fill(make)?))
    }

    /// Removes a record; false if it is not there.
    pub(crate) fn remove(&mut self, index: Index) -> bool {
        let Some(value) = self.values.get_mut(usize::from(index)) else {
            return false;
        };
        if value.is_vacant() {
            return false;
        }
        *value = Place::Vacant;
        self.order.remove(index);
        true
    }

    /// The oldest record.
    pub(crate) fn oldest(&self) -> Option<(Index, &T)> {
        let index = self.order.ages.front()?;
        Some((index, self.get(index)?))
    }

    /// Makes a record the youngest.
    pub(crate) fn renew(&mut self, index: Index) {
        if self.get(index).is_some() {
            self.order.renew(index);
        }
    }

    /// All records, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Index, &T)> {
        core::iter::successors(self.order.ages.front(), |&i| self.order.younger(i))
            .filter_map(|i| Some((i, self.get(i)?)))
    }

    /// The oldest record that `is_it` says yes to.
    // Compiled once for all questions.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn search(&self, is_it: &dyn Fn(&T) -> bool) -> Option<Index> {
        let mut next = self.order.ages.front();
        while let Some(index) = next {
            if self.get(index).is_some_and(is_it) {
                break;
            }
            next = self.order.younger(index);
        }
        next
    }
}

impl<const N: usize> Order<N> {
    /// The first place in the bucket of `hash`.
    fn first(&self, hash: u32) -> Option<Index> {
        self.buckets.get(bucket::<N>(hash))?.front()
    }

    /// Whether a place is filed under `hash`, and not only in the same bucket.
    fn has(&self, index: Index, hash: u32) -> bool {
        self.hashes.get(usize::from(index)) == Some(&hash)
    }

    /// The next place in a bucket.
    fn behind(&self, index: Index) -> Option<Index> {
        List::next(&self.chains, index)
    }

    fn younger(&self, index: Index) -> Option<Index> {
        List::next(&self.ranks, index)
    }

    fn is_full(&self) -> bool {
        self.free.is_empty() && usize::from(self.fresh) >= N
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn insert(&mut self, hash: u32) -> Option<Index> {
        let index = match self.free.pop_front(&mut self.ranks) {
            Some(index) => index,
            None if usize::from(self.fresh) < N => {
                self.fresh += 1;
                self.fresh - 1
            }
            None => return None,
        };
        self.hashes[usize::from(index)] = hash;
        self.buckets[bucket::<N>(hash)].push_back(&mut self.chains, index);
        self.ages.push_back(&mut self.ranks, index);
        Some(index)
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn remove(&mut self, index: Index) {
        let bucket = bucket::<N>(self.hashes[usize::from(index)]);
        self.buckets[bucket].remove(&mut self.chains, index);
        self.ages.remove(&mut self.ranks, index);
        self.free.push_back(&mut self.ranks, index);
    }

    fn renew(&mut self, index: Index) {
        self.ages.remove(&mut self.ranks, index);
        self.ages.push_back(&mut self.ranks, index);
    }
}

/// Which of `N` buckets a hash belongs to.
fn bucket<const N: usize>(hash: u32) -> usize {
    ((u64::from(hash) * N as u64) >> 32) as usize
}

#[cfg(test)]
mod tests;
