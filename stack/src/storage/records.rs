//! A small table of records of fixed size, found by hash and aged in the order they came: half-open
//! connections, connections in TIME-WAIT.

use super::list::{Index, Link, List};
use super::place::Place;

/// Up to `N` records.
#[derive(Debug)]
pub(crate) struct Records<T, const N: usize> {
    values: [Place<T>; N],
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
            chains: [Link::NONE; N],
            ranks: [Link::NONE; N],
            hashes: [0; N],
            buckets: [const { List::new() }; N],
            free: List::new(),
            ages: List::new(),
            fresh: 0,
        }
    }

    /// The record filed under `hash` that `is_it` says yes to.
    pub(crate) fn find(&self, hash: u32, mut is_it: impl FnMut(&T) -> bool) -> Option<Index> {
        let front = self.buckets[self.bucket(hash)?].front();
        core::iter::successors(front, |&i| List::next(&self.chains, i)).find(|&i| {
            self.hashes[usize::from(i)] == hash
                && self.values[usize::from(i)].get().is_some_and(&mut is_it)
        })
    }

    pub(crate) fn get(&self, index: Index) -> Option<&T> {
        self.values.get(usize::from(index))?.get()
    }

    pub(crate) fn get_mut(&mut self, index: Index) -> Option<&mut T> {
        self.values.get_mut(usize::from(index))?.get_mut()
    }

    /// Whether there is no place left.
    pub(crate) fn is_full(&self) -> bool {
        self.free.is_empty() && usize::from(self.fresh) >= N
    }

    /// Files a record as the youngest; gives it back when the table is full.
    pub(crate) fn insert(&mut self, hash: u32, value: T) -> Result<Index, T> {
        let Some(bucket) = self.bucket(hash) else {
            return Err(value);
        };
        let index = match self.free.pop_front(&mut self.ranks) {
            Some(index) => index,
            None if usize::from(self.fresh) < N => {
                self.fresh += 1;
                self.fresh - 1
            }
            None => return Err(value),
        };
        self.values[usize::from(index)] = Place::Taken(value);
        self.hashes[usize::from(index)] = hash;
        self.buckets[bucket].push_back(&mut self.chains, index);
        self.ages.push_back(&mut self.ranks, index);
        Ok(index)
    }

    pub(crate) fn remove(&mut self, index: Index) -> Option<T> {
        let value = self.values.get_mut(usize::from(index))?.take()?;
        let bucket = self.bucket(self.hashes[usize::from(index)])?;
        self.buckets[bucket].remove(&mut self.chains, index);
        self.ages.remove(&mut self.ranks, index);
        self.free.push_back(&mut self.ranks, index);
        Some(value)
    }

    /// The record that came first.
    pub(crate) fn oldest(&self) -> Option<(Index, &T)> {
        let index = self.ages.front()?;
        Some((index, self.get(index)?))
    }

    /// Makes a record the youngest again.
    pub(crate) fn renew(&mut self, index: Index) {
        if self.get(index).is_some() {
            self.ages.remove(&mut self.ranks, index);
            self.ages.push_back(&mut self.ranks, index);
        }
    }

    /// All records, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Index, &T)> {
        core::iter::successors(self.ages.front(), |&i| List::next(&self.ranks, i))
            .filter_map(|i| Some((i, self.get(i)?)))
    }

    /// The oldest record that `is_it` says yes to. Looks at all of them.
    pub(crate) fn search(&self, mut is_it: impl FnMut(&T) -> bool) -> Option<Index> {
        self.iter()
            .find(|(_, record)| is_it(record))
            .map(|(index, _)| index)
    }

    fn bucket(&self, hash: u32) -> Option<usize> {
        (N > 0).then(|| ((u64::from(hash) * N as u64) >> 32) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_ages_and_reuses() {
        let mut records = Records::<u32, 2>::new();
        let a = records.insert(7, 70).unwrap();
        let b = records.insert(7, 71).unwrap();
        assert!(records.is_full());
        assert_eq!(records.insert(8, 80), Err(80));
        assert_eq!(records.find(7, |&v| v == 71), Some(b));
        assert_eq!(records.find(8, |_| true), None);
        assert_eq!(records.oldest(), Some((a, &70)));
        records.renew(a);
        assert_eq!(records.oldest(), Some((b, &71)));
        assert_eq!(records.remove(b), Some(71));
        assert_eq!(records.remove(b), None, "it is gone");
        assert!(!records.is_full());
        assert_eq!(records.insert(9, 90), Ok(b));
        assert!(records.iter().map(|(_, &v)| v).eq([70, 90]));
    }

    #[test]
    fn a_table_without_room_refuses() {
        let mut records = Records::<u32, 0>::new();
        assert_eq!(records.insert(7, 70), Err(70));
        assert_eq!(records.find(7, |_| true), None);
    }
}
