//! A small table of records of fixed size that are aged in the order they came: half-open connections, connections in
//! TIME-WAIT. For a few of them, each of which is asked whether it is the one.

use super::list::{Index, Link, List};
use super::place::Place;

/// Up to `N` records, and [`MOST`].
#[derive(Debug)]
pub(crate) struct Records<T, const N: usize> {
    values: [Place<T>; N],
    /// In the list of ages.
    ranks: [Link; N],
    ages: List,
}

impl<T, const N: usize> Records<T, N> {
    pub(crate) const fn new() -> Self {
        Self {
            values: [const { Place::Vacant }; N],
            ranks: [Link::NONE; N],
            ages: List::new(),
        }
    }

    /// The record that `is_it` says yes to. What it is filed under is not looked at.
    pub(crate) fn find(&self, _hash: u32, is_it: impl Fn(&T) -> bool) -> Option<Index> {
        self.search(&is_it)
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
        !self.places().any(Place::is_vacant)
    }

    fn places(&self) -> impl Iterator<Item = &Place<T>> {
        self.values.iter().take(MOST)
    }

    /// Adds a record as the youngest; gives it back if the table is full.
    pub(crate) fn insert(&mut self, _hash: u32, value: T) -> Result<Index, T> {
        let Some(index) = self.places().position(Place::is_vacant) else {
            return Err(value);
        };
        if let Some(place) = self.values.get_mut(index) {
            *place = Place::Taken(value);
        }
        let index = index as Index;
        self.ages.push_back(&mut self.ranks, index);
        Ok(index)
    }

    /// Removes a record; false if it is not there.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn remove(&mut self, index: Index) -> bool {
        self.ages.remove(&mut self.ranks, index);
        let place = self.values.get_mut(usize::from(index));
        place.is_some_and(|place| {
            let was_taken = !place.is_vacant();
            *place = Place::Vacant;
            was_taken
        })
    }

    /// The oldest record.
    pub(crate) fn oldest(&self) -> Option<(Index, &T)> {
        let index = self.ages.front()?;
        Some((index, self.get(index)?))
    }

    /// Makes a record the youngest.
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

    /// The oldest record that `is_it` says yes to.
    // Compiled once for all questions.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn search(&self, is_it: &dyn Fn(&T) -> bool) -> Option<Index> {
        let mut records = self.iter();
        let (index, _) = records.find(|(_, record)| is_it(record))?;
        Some(index)
    }
}

/// As many as a link tells apart.
const MOST: usize = u8::MAX as usize - 1;

#[cfg(test)]
#[path = "../records/tests.rs"]
mod tests;
