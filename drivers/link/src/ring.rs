//! A queue in a borrowed slice, for [`Timeline`](crate::timeline::Timeline) and
//! [`Bottleneck`](crate::bottleneck::Bottleneck).

/// A queue of at most as many items as its slice has places.
pub(crate) struct Ring<'d, T> {
    /// `None` is none, in all-zero memory: see [`Network`](crate::Network).
    places: Option<&'d mut [T]>,
    head: usize,
    len: usize,
}

impl<'d, T: Copy> Ring<'d, T> {
    /// A ring without any place, until [`Self::place`] gives it some.
    pub(crate) const fn new() -> Self {
        Self {
            places: None,
            head: 0,
            len: 0,
        }
    }

    /// Starts again, empty, in other memory.
    pub(crate) fn place(&mut self, places: &'d mut [T]) {
        *self = Self {
            places: Some(places),
            head: 0,
            len: 0,
        };
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len == self.places().len()
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn front(&self) -> Option<&T> {
        (self.len > 0).then(|| self.get(0))
    }

    /// The item `at` places behind the front, which the caller knows to be there.
    pub(crate) fn get(&self, at: usize) -> &T {
        &self.places()[self.index(at)]
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        let item = *self.front()?;
        self.head = self.index(1);
        self.len -= 1;
        Some(item)
    }

    /// Appends an item and says whether there was a place for it.
    pub(crate) fn push_back(&mut self, item: T) -> bool {
        self.insert(self.len, item)
    }

    /// Puts an item `at` places behind the front and moves those behind it back by one. Says whether
    /// there was a place for it.
    pub(crate) fn insert(&mut self, at: usize, item: T) -> bool {
        if self.is_full() {
            return false;
        }
        for hole in (at..self.len).rev() {
            let moved = *self.get(hole);
            self.put(hole + 1, moved);
        }
        self.put(at, item);
        self.len += 1;
        true
    }

    fn put(&mut self, at: usize, item: T) {
        let index = self.index(at);
        if let Some(places) = &mut self.places {
            places[index] = item;
        }
    }

    fn places(&self) -> &[T] {
        self.places.as_deref().unwrap_or_default()
    }

    /// Where the item `at` places behind the front lies; `at` is at most the number of places.
    fn index(&self, at: usize) -> usize {
        let index = self.head + at;
        let capacity = self.places().len();
        if index >= capacity {
            index - capacity
        } else {
            index
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_a_queue_around_the_end_of_its_memory() {
        let mut places = [0; 3];
        let mut ring = Ring::new();
        ring.place(&mut places);
        for n in 0..10 {
            assert!(ring.push_back(n));
            assert!(ring.push_back(n + 100));
            assert_eq!(ring.pop_front(), Some(n));
            assert_eq!(ring.pop_front(), Some(n + 100));
        }
        assert_eq!(ring.pop_front(), None);
    }

    #[test]
    fn a_full_ring_refuses() {
        let mut places = [0; 2];
        let mut ring = Ring::new();
        ring.place(&mut places);
        assert!(ring.push_back(1) && ring.push_back(2));
        assert!(!ring.push_back(3));
        assert!(!ring.insert(0, 3));
        assert_eq!((ring.len(), ring.front()), (2, Some(&1)));
        assert!(!Ring::new().push_back(1));
    }

    #[test]
    fn inserts_in_front_of_and_between_items() {
        let mut places = [0; 4];
        let mut ring = Ring::new();
        ring.place(&mut places);
        ring.push_back(0);
        ring.push_back(0);
        ring.pop_front();
        ring.pop_front(); // the head is now in the middle of the memory
        for (at, item) in [(0, 30), (0, 10), (1, 20), (3, 40)] {
            assert!(ring.insert(at, item));
        }
        let items: [_; 4] = core::array::from_fn(|at| *ring.get(at));
        assert_eq!(items, [10, 20, 30, 40]);
    }
}
