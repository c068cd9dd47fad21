//! What a queue notes about one packet, where memory is plenty.

use crate::storage::place::Place;

/// Where a packet lies, and what goes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<M> {
    offset: u32,
    len: u32,
    /// Vacant when it was taken out: its memory waits to reach the front.
    place: Place<M>,
}

impl<M> Record<M> {
    pub(super) const VACANT: Self = Self {
        offset: 0,
        len: 0,
        place: Place::Vacant,
    };

    /// A packet of at most [`MOST_LEN`] bytes, which end within [`MOST_BYTES`].
    #[inline]
    pub(super) fn set(&mut self, meta: M, offset: usize, len: usize) {
        self.offset = offset as u32;
        self.len = len as u32;
        self.place = Place::Taken(meta);
    }

    pub(super) fn is_vacant(&self) -> bool {
        self.place.is_vacant()
    }

    /// Where it lies, unless it is vacant.
    pub(super) fn offset(&self) -> usize {
        self.offset as usize
    }

    /// What goes with the packet, where it lies, and its length.
    pub(super) fn get(&self) -> Option<(&M, usize, usize)> {
        Some((self.place.get()?, self.offset as usize, self.len as usize))
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self) -> Option<(&mut M, usize, usize)> {
        let (offset, len) = (self.offset as usize, self.len as usize);
        Some((self.place.get_mut()?, offset, len))
    }
}

/// The most bytes of a queue, which an offset tells apart.
pub(super) const MOST_BYTES: usize = u32::MAX as usize;

/// The longest packet.
pub(super) const MOST_LEN: usize = MOST_BYTES;
