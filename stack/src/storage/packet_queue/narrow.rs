//! In place of `wide.rs`, where every byte counts: laid out without a hole, around metadata that is aligned to two bytes.

/// Where a packet lies, and what goes with it. All zeros when there is nothing, so that empty room costs no flash.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(super) enum Record<M> {
    /// Nothing, or taken out: its memory waits to reach the front.
    Vacant,
    /// The offset is in three bytes.
    Taken {
        high: u8,
        low: u16,
        len: u16,
        meta: M,
    },
}

impl<M> Record<M> {
    pub(super) const VACANT: Self = Self::Vacant;

    /// A packet of at most [`MOST_LEN`] bytes, which end within [`MOST_BYTES`].
    pub(super) fn set(&mut self, meta: M, offset: usize, len: usize) {
        *self = Self::Taken {
            high: (offset >> 16) as u8,
            low: offset as u16,
            len: len as u16,
            meta,
        };
    }

    pub(super) fn is_vacant(&self) -> bool {
        matches!(self, Self::Vacant)
    }

    /// Where it lies, unless it is vacant.
    pub(super) fn offset(&self) -> usize {
        self.get().map_or(0, |(_, offset, _)| offset)
    }

    /// What goes with the packet, where it lies, and its length.
    pub(super) fn get(&self) -> Option<(&M, usize, usize)> {
        match self {
            Self::Vacant => None,
            Self::Taken {
                high,
                low,
                len,
                meta,
            } => Some((meta, joined(*high, *low), (*len).into())),
        }
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self) -> Option<(&mut M, usize, usize)> {
        match self {
            Self::Vacant => None,
            Self::Taken {
                high,
                low,
                len,
                meta,
            } => Some((meta, joined(*high, *low), (*len).into())),
        }
    }
}

fn joined(high: u8, low: u16) -> usize {
    usize::from(high) << 16 | usize::from(low)
}

/// The most bytes of a queue, which an offset tells apart.
pub(super) const MOST_BYTES: usize = (1 << 24) - 1;

/// The longest packet: there is none in IP that is longer.
pub(super) const MOST_LEN: usize = u16::MAX as usize;
