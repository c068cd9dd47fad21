//! How headers are written.

use core::slice;

use super::checksum::Fields;

/// Fills a header from the front, a word at a time as all of its parts go together, and sums what it writes while it is
/// still in registers: to read it back from where it was just written would stall the processor.
pub(super) struct Writer<'a> {
    room: slice::IterMut<'a, [u8; 4]>,
    /// What was written.
    fields: Fields,
}

impl<'a> Writer<'a> {
    pub(super) fn new(room: &'a mut [u8]) -> Self {
        let (words, _) = room.as_chunks_mut();
        Self {
            room: words.iter_mut(),
            fields: Fields::default(),
        }
    }

    /// What comes next goes there.
    pub(super) fn go_on(&mut self, room: &'a mut [u8]) {
        let (words, _) = room.as_chunks_mut();
        self.room = words.iter_mut();
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn put(&mut self, word: u32) {
        let Some(next) = self.room.next() else {
            debug_assert!(false, "no room in a header");
            return;
        };
        *next = word.to_be_bytes();
        self.fields.add(word);
    }

    /// How many words there is room for.
    pub(super) fn room(&self) -> usize {
        self.room.len()
    }

    /// What was written.
    pub(super) fn fields(&self) -> Fields {
        self.fields
    }
}
