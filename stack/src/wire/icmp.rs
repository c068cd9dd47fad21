//! What messages of ICMPv4 (RFC 792) and ICMPv6 (RFC 4443) have in common: the header, and where its checksum goes.

use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::checksum::{ChecksumMode, Sum};
use super::writer::Writer;

/// The header of every message. What the last four bytes are depends on the kind.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) code: u8,
    _checksum: U16,
    pub(super) word: U32,
}

/// A message to send: what its header says, and what follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(super) kind: u8,
    pub(super) code: u8,
    pub(super) word: u32,
    pub(super) body: &'a [u8],
}

impl Message<'_> {
    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        size_of::<Header>() + self.body.len()
    }

    /// Writes it with its checksum to the start of `buf`. `pseudo` is the sum of what is not in the message. Where
    /// there is not enough room nothing is written.
    pub(crate) fn emit(&self, pseudo: Sum, buf: &mut [u8]) {
        let Some((front, rest)) = buf
            .get_mut(..self.len())
            .and_then(|buf| buf.split_first_chunk_mut::<{ size_of::<Header>() }>())
        else {
            debug_assert!(false, "no room for an ICMP message");
            return;
        };
        let mut writer = Writer::new(front);
        writer.put(u32::from(self.kind) << 24 | u32::from(self.code) << 16);
        writer.put(self.word);
        let header = writer.fields().sum();
        let checksum = ChecksumMode::Full.copy_behind(pseudo.add(header), rest, (self.body, &[]));
        let [_, _, high, low, ..] = front;
        [*high, *low] = checksum.to_be_bytes();
    }
}

/// The last four bytes of a header that are two fields.
pub(super) const fn pair(high: u16, low: u16) -> u32 {
    (high as u32) << 16 | low as u32
}

/// The fields of [`pair`].
pub(super) const fn halves(word: u32) -> (u16, u16) {
    ((word >> 16) as u16, word as u16)
}
