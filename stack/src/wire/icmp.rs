//! What messages of ICMPv4 (RFC 792) and ICMPv6 (RFC 4443) have in common: the header, and where its checksum goes.

use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::checksum::Sum;

/// The header of every message. What the last four bytes are depends on the kind.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) code: u8,
    checksum: U16,
    pub(super) word: U32,
}

impl Header {
    /// A header without its checksum.
    pub(super) fn new(kind: u8, code: u8, word: u32) -> Self {
        Self {
            kind,
            code,
            checksum: 0.into(),
            word: word.into(),
        }
    }

    /// Writes a message with its checksum to the start of `buf`: this header, and `body`. `pseudo` is the sum of
    /// what is not in the message. Where there is not enough room nothing is written.
    pub(super) fn emit(mut self, body: &[u8], pseudo: Sum, buf: &mut [u8]) {
        let Some((front, rest)) = buf
            .get_mut(..size_of::<Self>() + body.len())
            .and_then(|buf| buf.split_first_chunk_mut::<{ size_of::<Self>() }>())
        else {
            debug_assert!(false, "no room for an ICMP message");
            return;
        };
        let sum = pseudo.add(self.sum()).add(Sum::copy(rest, body));
        self.checksum = sum.finish().into();
        front.copy_from_slice(self.as_bytes());
    }

    /// The sum of the header, field by field: to read it back from where it was just written in pieces of other
    /// sizes would stall the processor.
    fn sum(&self) -> Sum {
        Sum::of_fields(
            u64::from(u16::from_be_bytes([self.kind, self.code]))
                + u64::from(self.checksum.get())
                + u64::from(self.word.get()),
        )
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
