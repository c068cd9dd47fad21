//! The Internet checksum (RFC 1071): the one's complement of the one's complement sum of the data as
//! big-endian 16-bit words.
//!
//! Every protocol here uses it, and on a host it is most of what a packet costs, so two properties of
//! that sum are put to work. It does not depend on the byte order as long as the result has the same
//! one (§2.B): words are added in the machine's order and swapped once at the end. And 2^16, 2^32 and
//! 2^64 are all 1 modulo 2^16 - 1 (§2.C), so machine words are added whole and folded at the end.

#[cfg(any(test, not(target_pointer_width = "64")))]
mod narrow;
#[cfg(target_pointer_width = "64")]
mod wide;

#[cfg(not(target_pointer_width = "64"))]
use narrow as machine;
#[cfg(target_pointer_width = "64")]
use wide as machine;

pub(super) use machine::Fields;

use super::address::IpAddress;
use super::ip::IpProtocol;

/// A one's complement sum in the making.
///
/// Sums of pieces add up to the sum of the whole, whatever the order of the pieces. The offset at
/// which a piece starts matters only by being even or odd.
#[derive(Clone, Copy, Debug)]
pub struct Sum(
    /// Congruent, modulo 2^16 - 1, to the sum of the data's 16-bit words in the machine's byte order;
    /// zero only if all of them are.
    Word,
);

/// What the machine adds in one go.
#[cfg(target_pointer_width = "64")]
type Word = u64;
#[cfg(not(target_pointer_width = "64"))]
type Word = u32;

impl Sum {
    /// The sum of nothing.
    pub const ZERO: Self = Self(0);

    /// The sum of `data`. An odd last byte counts as if a zero followed it.
    pub fn of(data: &[u8]) -> Self {
        machine::sum(data)
    }

    /// As [`Self::of`], for a header of so many words of 32 bits: too short to be worth a call.
    #[inline]
    pub(super) fn of_header<const WORDS: usize>(header: &[[u8; 4]; WORDS]) -> Self {
        machine::sum_header(header)
    }

    /// Copies `src` to `dst` and returns its sum. Of slices that differ in length only the part that
    /// both have is copied and summed.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn copy(dst: &mut [u8], src: &[u8]) -> Self {
        let len = dst.len().min(src.len());
        machine::copy(&mut dst[..len], &src[..len])
    }

    /// The sum of this data followed by `other`'s, which started at an even offset.
    #[must_use]
    pub const fn add(self, other: Self) -> Self {
        let (sum, carry) = self.0.overflowing_add(other.0);
        // After a carry the sum is at most Word::MAX - 1, so this cannot overflow again.
        Self(sum + carry as Word)
    }

    /// The sum of this data and `other`'s, which started `offset` bytes into the whole.
    #[must_use]
    pub const fn add_at(self, other: Self, offset: usize) -> Self {
        if offset.is_multiple_of(2) {
            self.add(other)
        } else {
            // The bytes of every word stand the other way round.
            self.add(Self(fold(other.0).swap_bytes() as Word))
        }
    }

    /// The sum of 16-bit and 32-bit fields at even offsets, given that of their values. So many fields
    /// cost one conversion; there may be 2^32 of them.
    pub const fn of_fields(values: u64) -> Self {
        // Of 32 bits, so that what fits them is not folded for nothing.
        let sum = values.wrapping_add(values.rotate_left(32)) >> 32;
        Self((sum as u32).to_be() as Word)
    }

    /// The sum of this data and a 16-bit field at an even offset.
    #[must_use]
    pub const fn add_u16(self, field: u16) -> Self {
        self.add(Self(field.to_be() as Word))
    }

    /// The sum of this data and a 32-bit field at an even offset.
    #[must_use]
    pub const fn add_u32(self, field: u32) -> Self {
        self.add(Self(field.to_be() as Word))
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
}

/// The sum over the pseudo header that TCP, UDP and ICMPv6 cover with their checksum: addresses,
/// protocol and the length in bytes of the transport header and payload (RFC 9293 §3.1, RFC 768,
/// RFC 8200 §8.1).
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub fn pseudo_header(src: IpAddress, dst: IpAddress, protocol: IpProtocol, len: usize) -> Sum {
    PseudoHeader::new(src, dst, protocol, len).and(Fields::default())
}

/// The same before it is summed, so that the transport header can be summed with it in one go.
#[derive(Clone, Copy)]
pub(super) struct PseudoHeader {
    /// The values of the other fields, added up.
    fields: u32,
    addresses: Sum,
}

impl PseudoHeader {
    #[inline]
    pub(super) fn new(src: IpAddress, dst: IpAddress, protocol: IpProtocol, len: usize) -> Self {
        // No segment is longer than 65,535 bytes; IPv6 would have room for 32 bits.
        Self {
            fields: u32::from(protocol.0) + len as u32,
            addresses: address_sum(src).add(address_sum(dst)),
        }
    }

    /// Its sum and that of a header.
    #[inline]
    fn and(self, mut header: Fields) -> Sum {
        header.add(self.fields);
        self.addresses.add(header.sum())
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
    /// together, and returns what belongs into the checksum field. `header` has the fields of the transport
    /// header, with that one zero.
    #[inline(always)]
    pub(super) fn copy_payload(
        self,
        pseudo: PseudoHeader,
        header: Fields,
        body: &mut [u8],
        payload: (&[u8], &[u8]),
    ) -> u16 {
        let header = match self {
            Self::Full => header,
            Self::Partial => Fields::default(),
        };
        self.copy_behind(pseudo.and(header), body, payload)
    }

    /// The same with what comes before the payload summed already, as far as the field is about it.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn copy_behind(self, before: Sum, body: &mut [u8], payload: (&[u8], &[u8])) -> u16 {
        let middle = payload.0.len();
        let Some((first, second)) = body.split_at_mut_checked(middle) else {
            debug_assert!(false, "no room for the payload");
            return 0;
        };
        match self {
            Self::Full => {
                let mut sum = before.add(Sum::copy(first, payload.0));
                if !second.is_empty() {
                    sum = sum.add_at(Sum::copy(second, payload.1), middle);
                }
                sum.finish()
            }
            Self::Partial => {
                copy_common(first, payload.0);
                copy_common(second, payload.1);
                before.fold()
            }
        }
    }
}

/// Copies the part that both slices have.
fn copy_common(dst: &mut [u8], src: &[u8]) {
    let len = dst.len().min(src.len());
    dst[..len].copy_from_slice(&src[..len]);
}

#[inline]
fn address_sum(address: IpAddress) -> Sum {
    match address {
        IpAddress::Ipv4(address) => Sum(u32::from_ne_bytes(address.octets()).into()),
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(address) => Sum::of(&address.octets()),
    }
}

/// Folds the sum to 16 bits, in the machine's byte order. Only a sum of zero becomes zero.
const fn fold(sum: Word) -> u16 {
    // The upper half of a number added to itself with its halves exchanged is the sum of both halves and of
    // the carry from the lower half's sum, which is the same.
    #[cfg(target_pointer_width = "64")]
    let sum = (sum.wrapping_add(sum.rotate_left(32)) >> 32) as u32;
    (sum.wrapping_add(sum.rotate_left(16)) >> 16) as u16
}

#[cfg(test)]
mod tests;
