//! What group management messages of IPv4 (IGMP version 3, RFC 9776) and IPv6 (MLD version 2, RFC 9777) have in
//! common: the records of a report, with shorter or longer addresses, and the codes for numbers in a query.

use super::address::IpAddress;
use super::checksum::Sum;

/// The first byte of a report of IGMP version 3.
pub const KIND_IGMP_V3: u8 = 0x22;
/// The first byte of a report of MLD version 2, its ICMPv6 type.
#[cfg(feature = "proto-ipv6")]
pub const KIND_MLD_V2: u8 = 143;
/// The length of a report without records, in bytes.
const HEADER_LEN: usize = 8;

/// A number in eight bits, exact up to 127 and then with four significant bits (RFC 3376 §4.1.1).
pub const fn decode_short(code: u8) -> u16 {
    if code < 128 {
        return code as u16;
    }
    let (mantissa, exponent) = (code & 0xf, code >> 4 & 7);
    (mantissa as u16 | 0x10) << (exponent + 3)
}

/// What a record in a report says of its group (RFC 3376 §4.2.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum RecordKind {
    /// In answer to a query: only these sources are wanted.
    IsInclude = 1,
    /// In answer to a query: all but these sources are wanted.
    IsExclude = 2,
    /// From now on only these sources are wanted.
    ToInclude = 3,
    /// From now on all but these sources are wanted.
    ToExclude = 4,
    /// These sources are wanted as well.
    Allow = 5,
    /// These sources are not wanted any more.
    Block = 6,
}

/// Writes a report of records, of IGMP version 3 or, with addresses of IPv6, of MLD version 2.
#[derive(Debug)]
pub struct ReportWriter<'a> {
    buffer: &'a mut [u8],
    len: usize,
    records: u16,
}

impl<'a> ReportWriter<'a> {
    /// A report without records, in at least eight bytes.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self {
            len: HEADER_LEN.min(buffer.len()),
            buffer,
            records: 0,
        }
    }

    /// Adds a record. False, and nothing is added, if there is no room for it.
    pub fn push(
        &mut self,
        kind: RecordKind,
        group: IpAddress,
        sources: impl Iterator<Item = IpAddress>,
    ) -> bool {
        let start = self.len;
        let written = self.write(&[kind as u8, 0, 0, 0]) && self.write_address(group);
        let mut count = 0_u16;
        let complete = written
            && sources.into_iter().all(|source| {
                count += 1;
                self.write_address(source)
            });
        if !complete {
            self.len = start;
            return false;
        }
        if let Some(field) = self.buffer.get_mut(start + 2..start + 4) {
            field.copy_from_slice(&count.to_be_bytes());
        }
        self.records += 1;
        true
    }

    /// Whether there is no record yet.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Completes a report of IGMP version 3, and returns its length.
    pub fn finish_igmp(self) -> usize {
        let message = self.finish(KIND_IGMP_V3);
        let checksum = Sum::of(message).finish();
        if let Some(field) = message.get_mut(2..4) {
            field.copy_from_slice(&checksum.to_be_bytes());
        }
        message.len()
    }

    /// Completes a report of MLD version 2 but for its checksum, and returns its length.
    #[cfg(feature = "proto-ipv6")]
    pub fn finish_mld(self) -> usize {
        self.finish(KIND_MLD_V2).len()
    }

    /// The message with its header, and a checksum of zero.
    fn finish(self, kind: u8) -> &'a mut [u8] {
        let [high, low] = self.records.to_be_bytes();
        let message = self.buffer.get_mut(..self.len).unwrap_or_default();
        if let Some(header) = message.first_chunk_mut::<HEADER_LEN>() {
            *header = [kind, 0, 0, 0, 0, 0, high, low];
        }
        message
    }

    fn write_address(&mut self, address: IpAddress) -> bool {
        match address {
            IpAddress::Ipv4(address) => self.write(&address.octets()),
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(address) => self.write(&address.octets()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        let end = self.len + bytes.len();
        match self.buffer.get_mut(self.len..end) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len = end;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of RFC 3376, section 4.1.1.
    #[test]
    fn short_numbers() {
        assert_eq!([decode_short(0), decode_short(127)], [0, 127]);
        assert_eq!([decode_short(0x80), decode_short(0x81)], [128, 136]);
        assert_eq!(decode_short(0xff), 31_744);
    }
}
