//! Things of one kind that are lent one by one and come back: what pools are made of.

use super::Buffer;

/// The stock: the first `free` places hold what nobody has.
pub(crate) struct Stock<'d, T> {
    places: Buffer<'d, Option<T>>,
    free: usize,
}

impl<'d, T> Stock<'d, T> {
    /// All places are full.
    pub(crate) fn new(places: Buffer<'d, Option<T>>) -> Self {
        debug_assert!(places.iter().all(Option::is_some));
        Self {
            free: places.len(),
            places,
        }
    }

    pub(crate) fn take(&mut self) -> Option<T> {
        let last = self.free.checked_sub(1)?;
        let thing = self.places.get_mut(last)?.take();
        self.free = last;
        thing
    }

    pub(crate) fn give_back(&mut self, thing: T) {
        if let Some(place) = self.places.get_mut(self.free) {
            *place = Some(thing);
            self.free += 1;
        }
    }

    /// Whether all are lent.
    #[cfg(feature = "embedded-nal-async")]
    pub(crate) fn is_empty(&self) -> bool {
        self.free == 0
    }

    /// How many things it has, lent ones included.
    pub(crate) fn size(&self) -> usize {
        self.places.len()
    }
}
