//! The Internet checksum (RFC 1071): the one's complement of the one's complement sum of the data as
//! big-endian 16-bit words.
//!
//! Every protocol here uses it, and on a host it is most of what a packet costs, so two properties of
//! that sum are put to work. It does not depend on the byte order as long as the result has the same
//! one (§2.B): words are added in the machine's order and swapped once at the end. And 2^16, 2^32 and
//! 2^64 are all 1 modulo 2^16 - 1 (§2.C), so machine words are added whole and folded at the end.

#[cfg(any(test, not(target_pointer_width = "64")))]
mod narrow;

use super::address::IpAddress;
use super::ipv4::IpProtocol;

/// A one's complement sum in the making.
///
/// Sums of pieces add up to the sum of the whole, whatever the order of the pieces. The offset at
/// which a piece starts matters only by being even or odd.
#[derive(Clone, Copy, Debug)]
pub struct Sum(
    /// Congruent, modulo 2^16 - 1, to the sum of the data's 16-bit words in the machine's byte order;
    /// zero only if all of them are.
    u64,
);

impl Sum {
    /// The sum of nothing.
    pub const ZERO: Self = Self(0);

    /// The sum of `data`. An odd last byte counts as if a zero followed it.
    pub fn of(data: &[u8]) -> Self {
        #[cfg(target_pointer_width = "64")]
        if data.len() >= LONG {
            return vector::sum(data);
        }
        #[cfg(target_pointer_width = "64")]
        return Self::of_short(data);
        #[cfg(not(target_pointer_width = "64"))]
        narrow::sum(data)
    }

    /// As [`Self::of`], for a header of so many words of 32 bits: too short to be worth a call.
    #[inline]
    pub(super) fn of_header<const WORDS: usize>(header: &[[u8; 4]; WORDS]) -> Self {
        let words = header.iter().map(|word| u32::from_ne_bytes(*word));
        Self(words.map(u64::from).sum())
    }

    /// Copies `src` to `dst` and returns its sum. Of slices that differ in length only the part that
    /// both have is copied and summed.
    pub fn copy(dst: &mut [u8], src: &[u8]) -> Self {
        let len = dst.len().min(src.len());
        let (dst, src) = (&mut dst[..len], &src[..len]);
        #[cfg(not(target_pointer_width = "64"))]
        return narrow::copy(dst, src);
        #[cfg(target_pointer_width = "64")]
        {
            // The memory's own copy is the fastest there is; by pieces that stay in the first-level
            // cache, the sum then reads the data at no further cost.
            let mut sum = Self::ZERO;
            for (to, from) in dst.chunks_mut(COPY_PIECE).zip(src.chunks(COPY_PIECE)) {
                to.copy_from_slice(from);
                sum = sum.add(Self::of(from));
            }
            sum
        }
    }

    /// The sum of this data followed by `other`'s, which started at an even offset.
    #[must_use]
    pub const fn add(self, other: Self) -> Self {
        let (sum, carry) = self.0.overflowing_add(other.0);
        // After a carry the sum is at most u64::MAX - 1, so this cannot overflow again.
        Self(sum + carry as u64)
    }

    /// The sum of this data and `other`'s, which started `offset` bytes into the whole.
    #[must_use]
    pub const fn add_at(self, other: Self, offset: usize) -> Self {
        if offset.is_multiple_of(2) {
            self.add(other)
        } else {
            // The bytes of every word stand the other way round.
            self.add(Self(fold(other.0).swap_bytes() as u64))
        }
    }

    /// The sum of 16-bit and 32-bit fields at even offsets, given that of their values. So many fields
    /// cost one conversion; there may be 2^32 of them.
    pub const fn of_fields(values: u64) -> Self {
        Self(fold(values).to_be() as u64)
    }

    /// The sum of this data and a 16-bit field at an even offset.
    #[must_use]
    pub const fn add_u16(self, field: u16) -> Self {
        self.add(Self(field.to_be() as u64))
    }

    /// The sum of this data and a 32-bit field at an even offset.
    #[must_use]
    pub const fn add_u32(self, field: u32) -> Self {
        self.add(Self(field.to_be() as u64))
    }

    /// The sum itself, not complemented: what a device that completes the checksum finds in its field.
    pub const fn fold(self) -> u16 {
        u16::from_be(fold(self.0))
    }

    /// The checksum: what to store, big-endian, in the field that was summed as zero.
    pub const fn finish(self) -> u16 {
        !self.fold()
    }

    /// Whether data that includes its own checksum is intact.
    pub const fn is_valid(self) -> bool {
        fold(self.0) == 0xffff
    }

    /// As [`Self::of`], word by word.
    #[inline]
    fn of_short(data: &[u8]) -> Self {
        let mut lanes = [0; LANES];
        let mut rest = data;
        while let Some((block, after)) = rest.split_first_chunk::<64>() {
            add_words(&mut lanes, block);
            rest = after;
        }
        if WORD == 8 {
            // Each size at most once: a loop over words would cost more than the words.
            if let Some((block, after)) = rest.split_first_chunk::<32>() {
                add_words(&mut lanes, block);
                rest = after;
            }
            if let Some((block, after)) = rest.split_first_chunk::<16>() {
                add_words(&mut lanes, block);
                rest = after;
            }
        }
        while let Some((word, after)) = rest.split_first_chunk::<WORD>() {
            add_words(&mut lanes, word);
            rest = after;
        }
        let mut sum = fold_lanes(lanes);
        if let Some((word, after)) = rest.split_first_chunk() {
            sum += Wide::from(u32::from_ne_bytes(*word));
            rest = after;
        }
        if let Some((word, after)) = rest.split_first_chunk() {
            sum += Wide::from(u16::from_ne_bytes(*word));
            rest = after;
        }
        if let [byte] = rest {
            sum += Wide::from(u16::from_ne_bytes([*byte, 0]));
        }
        Self(fold_wide(sum))
    }
}

/// The sum over the pseudo header that TCP, UDP and ICMPv6 cover with their checksum: addresses,
/// protocol and the length in bytes of the transport header and payload (RFC 9293 §3.1, RFC 768,
/// RFC 8200 §8.1).
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub fn pseudo_header(src: IpAddress, dst: IpAddress, protocol: IpProtocol, len: usize) -> Sum {
    // No segment is longer than 65,535 bytes; IPv6 would have room for 32 bits.
    let fields = u64::from(protocol.0) + len as u64;
    match (src, dst) {
        (IpAddress::Ipv4(src), IpAddress::Ipv4(dst)) => {
            Sum::of_fields(fields + u64::from(src.to_bits()) + u64::from(dst.to_bits()))
        }
        #[cfg(feature = "proto-ipv6")]
        _ => Sum::of_fields(fields)
            .add(address_sum(src))
            .add(address_sum(dst)),
    }
}

/// Who computes a transport checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ChecksumMode {
    /// The stack: the field holds the finished checksum.
    #[default]
    Full,
    /// The device: the field holds the sum of the pseudo header, not complemented, and the device
    /// adds the rest.
    Partial,
}

impl ChecksumMode {
    /// Copies the two parts of a payload, one after the other, into `body`, which is as long as both
    /// together, and returns what belongs into the checksum field. `header` is the sum of the transport
    /// header, which has an even length, with that field zero.
    pub(super) fn copy_payload(
        self,
        pseudo: Sum,
        header: Sum,
        body: &mut [u8],
        payload: (&[u8], &[u8]),
    ) -> u16 {
        let middle = payload.0.len();
        let Some((first, second)) = body.split_at_mut_checked(middle) else {
            debug_assert!(false, "no room for the payload");
            return 0;
        };
        match self {
            Self::Full => {
                let mut sum = pseudo.add(header).add(Sum::copy(first, payload.0));
                if !second.is_empty() {
                    sum = sum.add_at(Sum::copy(second, payload.1), middle);
                }
                sum.finish()
            }
            Self::Partial => {
                copy_common(first, payload.0);
                copy_common(second, payload.1);
                pseudo.fold()
            }
        }
    }
}

/// Copies the part that both slices have.
fn copy_common(dst: &mut [u8], src: &[u8]) {
    let len = dst.len().min(src.len());
    dst[..len].copy_from_slice(&src[..len]);
}

#[cfg(feature = "proto-ipv6")]
fn address_sum(address: IpAddress) -> Sum {
    match address {
        IpAddress::Ipv4(address) => Sum::ZERO.add_u32(address.to_bits()),
        IpAddress::Ipv6(address) => Sum::of(&address.octets()),
    }
}

/// What the processor adds in one go, and a type that counts the carries of such additions: there is
/// time for 2^32 of them, or 2^64.
#[cfg(target_pointer_width = "64")]
type Word = u64;
#[cfg(target_pointer_width = "64")]
type Wide = u128;
#[cfg(not(target_pointer_width = "64"))]
type Word = u32;
#[cfg(not(target_pointer_width = "64"))]
type Wide = u64;

const WORD: usize = size_of::<Word>();
/// Independent sums, so that an addition need not wait for the one before. Four for the wide
/// machines; more than two would not fit the registers of the narrow ones.
const LANES: usize = WORD / 2;
/// Bytes copied in one go before they are summed.
#[cfg(target_pointer_width = "64")]
const COPY_PIECE: usize = 2048;

fn add_words<const LEN: usize>(lanes: &mut [Wide; LANES], block: &[u8; LEN]) {
    for (i, word) in block.chunks_exact(WORD).enumerate() {
        if let Some(word) = word.first_chunk() {
            lanes[i % LANES] += Wide::from(Word::from_ne_bytes(*word));
        }
    }
}

fn fold_lanes(lanes: [Wide; LANES]) -> Wide {
    lanes.iter().sum()
}

/// From this length on a vector unit is worth its beginning and end.
#[cfg(target_pointer_width = "64")]
const LONG: usize = 256;

#[cfg(target_pointer_width = "64")]
mod vector {
    //! Long data, in a form that compilers make vector instructions of.
    //!
    //! Vectors add many numbers at a time but keep no carries. So each 32-bit word is added twice: whole,
    //! where what overflows is lost, and its upper half alone, which tells how much that was. Two more words
    //! of each block go through the machine's own adder, which would have nothing to do meanwhile.

    use super::{LANES, Sum, add_words, fold_lanes, fold_wide};

    pub(super) fn sum(data: &[u8]) -> Sum {
        let mut sum = Sum::ZERO;
        for piece in data.chunks(LONGEST) {
            let (blocks, rest) = piece.as_chunks();
            // All pieces but the last are whole blocks, so none starts at an odd offset.
            sum = sum.add(sum_blocks(blocks)).add(Sum::of_short(rest));
        }
        sum
    }

    fn sum_blocks(blocks: &[[u8; BLOCK]]) -> Sum {
        let (mut whole, mut upper) = ([0_u32; VECTOR / 4], [0_u32; VECTOR / 4]);
        let mut lanes = [0; LANES];
        for block in blocks {
            let Some((vector, rest)) = block.split_first_chunk::<VECTOR>() else {
                continue;
            };
            let (words, _) = vector.as_chunks();
            for ((word, whole), upper) in words.iter().zip(&mut whole).zip(&mut upper) {
                let word = u32::from_ne_bytes(*word);
                *whole = whole.wrapping_add(word);
                *upper += word >> 16;
            }
            if let Some(rest) = rest.first_chunk::<{ BLOCK - VECTOR }>() {
                add_words(&mut lanes, rest);
            }
        }
        let halves = whole.iter().zip(&upper).map(|(whole, &upper)| {
            // Without what the upper halves added, the lower ones are left, whose sum did not overflow.
            let lower = whole.wrapping_sub(upper << 16);
            u64::from(lower) + u64::from(upper)
        });
        Sum(halves.sum()).add(Sum(fold_wide(fold_lanes(lanes))))
    }

    /// Bytes per turn of the loop.
    const BLOCK: usize = VECTOR + 16;
    /// Two vectors of sixteen bytes.
    const VECTOR: usize = 32;
    /// So many bytes that no sum of 16-bit halves overflows 32 bits.
    const LONGEST: usize = BLOCK << 16;
}

#[cfg(target_pointer_width = "64")]
const fn fold_wide(sum: Wide) -> u64 {
    let (low, carry) = (sum as u64).overflowing_add((sum >> 64) as u64);
    low + carry as u64
}

#[cfg(not(target_pointer_width = "64"))]
const fn fold_wide(sum: Wide) -> u64 {
    sum
}

/// Folds the sum to 16 bits, in the machine's byte order. Only a sum of zero becomes zero.
const fn fold(sum: u64) -> u16 {
    // The upper half of a number added to itself with its halves exchanged is the sum of both halves and of
    // the carry from the lower half's sum, which is the same.
    let sum = (sum.wrapping_add(sum.rotate_left(32)) >> 32) as u32;
    (sum.wrapping_add(sum.rotate_left(16)) >> 16) as u16
}

#[cfg(test)]
mod tests;
