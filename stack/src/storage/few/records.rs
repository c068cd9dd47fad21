//! A small table of records of fixed size that are aged in the order they came: half-open connections, connections in
//! TIME-WAIT. For a few of them, each of which is asked whether it is the one.

use super::list::Index;
use super::place::Place;

/// Up to `N` records, the oldest first. The index of one is good until another is removed or renewed.
#[derive(Debug)]
pub(crate) struct Records<T, const N: usize> {
    /// Those behind the first vacant one are vacant, too.
    places: [Place<T>; N],
}

impl<T, const N: usize> Records<T, N> {
    pub(crate) const fn new() -> Self {
        Self {
            places: [const { Place::Vacant }; N],
        }
    }

    /// The record that `is_it` says yes to. What it is filed under is not looked at.
    pub(crate) fn find(&self, _hash: u32, is_it: impl Fn(&T) -> bool) -> Option<Index> {
        self.search(&is_it)
    }

    pub(crate) fn get(&self, index: Index) -> Option<&T> {
        self.places.get(usize::from(index))?.get()
    }

    pub(crate) fn get_mut(&mut self, index: Index) -> Option<&mut T> {
        self.places.get_mut(usize::from(index))?.get_mut()
    }

    /// Whether there is no room for one more.
    pub(crate) fn is_full(&self) -> bool {
        !self.places.last().is_some_and(Place::is_vacant)
    }

    /// Adds a record as the youngest, made where it stays; `None` if the table is full.
    pub(crate) fn insert(
        &mut self,
        _hash: u32,
        make: impl FnOnce() -> T,
    ) -> Option<(Index, &mut T)> {
        let mut places = self.places.iter_mut().enumerate();
        let (index, place) = places.find(|(_, place)| place.is_vacant())?;
        Some((index as Index, place.fill(make)?))
    }

    /// Removes a record; false if it is not there.
    pub(crate) fn remove(&mut self, index: Index) -> bool {
        let Some(place) = self.places.get_mut(usize::from(index)) else {
            return false;
        };
        let was_taken = !place.is_vacant();
        *place = Place::Vacant;
        self.renew(index);
        was_taken
    }

    /// The oldest record.
    pub(crate) fn oldest(&self) -> Option<(Index, &T)> {
        self.iter().next()
    }

    /// Makes a record the youngest.
    pub(crate) fn renew(&mut self, index: Index) {
        let mut places = self.places.iter_mut().skip(usize::from(index));
        let Some(mut place) = places.next() else {
            return;
        };
        for next in places.take_while(|next| !next.is_vacant()) {
            core::mem::swap(place, next);
            place = next;
        }
    }

    /// All records, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Index, &T)> {
        let records = self.places.iter().map_while(Place::get);
        records.enumerate().map(|(i, record)| (i as Index, record))
    }

    /// The oldest record that `is_it` says yes to.
    // Compiled once for all questions.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn search(&self, is_it: &dyn Fn(&T) -> bool) -> Option<Index> {
        let (index, _) = self.iter().find(|(_, record)| is_it(record))?;
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn ages_and_reuses() {
        let mut records = Records::<u32, 3>::new();
        for value in [70, 71, 72] {
            assert!(!records.is_full());
            let (index, _) = records.insert(0, || value).unwrap();
            assert_eq!(records.get(index), Some(&value));
        }
        assert!(records.is_full());
        assert_eq!(records.insert(0, || 80), None);
        let oldest_first = |records: &Records<u32, 3>| -> Vec<u32> {
            records.iter().map(|(_, &value)| value).collect()
        };
        records.renew(0);
        assert_eq!(oldest_first(&records), [71, 72, 70]);
        let middle = records.find(0, |&value| value == 72).unwrap();
        assert!(records.remove(middle));
        assert_eq!(oldest_first(&records), [71, 70]);
        assert!(!records.is_full());
        assert!(!records.remove(2), "there is none");
        assert_eq!(records.insert(0, || 90), Some((2, &mut 90)));
        records.renew(1);
        assert_eq!(oldest_first(&records), [71, 90, 70]);
        assert_eq!(records.oldest(), Some((0, &71)));
        assert_eq!(records.find(0, |&value| value == 72), None);
    }

    #[test]
    fn a_table_without_room_refuses() {
        let mut records = Records::<u32, 0>::new();
        assert!(records.is_full());
        assert_eq!(records.insert(7, || 70), None);
        assert_eq!(records.find(7, |_| true), None);
        assert!(!records.remove(0));
    }
}
