//! Ethernet II frames (RFC 894): the header in front of every packet on such a link.

use core::fmt;
use core::net::Ipv4Addr;
#[cfg(feature = "proto-ipv6")]
use core::net::Ipv6Addr;

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Malformed;

/// The length of the header in bytes.
pub const HEADER_LEN: usize = size_of::<Raw>();

/// An Ethernet II header: destination, source, and what the payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EthernetHeader {
    /// To whom.
    pub dst: EthernetAddress,
    /// From whom.
    pub src: EthernetAddress,
    /// The protocol of the payload.
    pub ethertype: EtherType,
}

impl EthernetHeader {
    /// Splits a frame into header and payload. The payload may be longer than the packet in it, since
    /// short frames are padded.
    ///
    /// # Errors
    ///
    /// [`Malformed::Truncated`] if the frame is shorter than a header.
    #[inline]
    pub fn parse(frame: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let (raw, payload) = Raw::ref_from_prefix(frame).map_err(|_| Malformed::Truncated)?;
        let header = Self {
            dst: EthernetAddress(raw.dst),
            src: EthernetAddress(raw.src),
            ethertype: EtherType(raw.ethertype.get()),
        };
        Ok((header, payload))
    }

    /// Writes the header to the first [`HEADER_LEN`] bytes of `frame`, which the caller makes long
    /// enough.
    pub fn emit(&self, frame: &mut [u8]) {
        let Ok((raw, _)) = Raw::mut_from_prefix(frame) else {
            debug_assert!(false, "no room for an Ethernet header");
            return;
        };
        raw.dst = self.dst.0;
        raw.src = self.src.0;
        raw.ethertype = self.ethertype.0.into();
    }
}

/// The header as it stands in a frame.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Raw {
    dst: [u8; 6],
    src: [u8; 6],
    ethertype: U16,
}

/// An IEEE 802 MAC-48 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EthernetAddress(pub [u8; 6]);

impl EthernetAddress {
    /// Every station on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The address in these bytes, `None` unless there are six.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The group address that carries an IPv4 group: its lower 23 bits behind `01:00:5e`
    /// (RFC 1112 §6.4).
    pub const fn for_ipv4_multicast(group: Ipv4Addr) -> Self {
        let [_, b, c, d] = group.octets();
        Self([0x01, 0x00, 0x5e, b & 0x7f, c, d])
    }

    /// The group address that carries an IPv6 group: its lower 32 bits behind `33:33` (RFC 2464 §7).
    #[cfg(feature = "proto-ipv6")]
    pub const fn for_ipv6_multicast(group: Ipv6Addr) -> Self {
        let [.., a, b, c, d] = group.octets();
        Self([0x33, 0x33, a, b, c, d])
    }

    /// Whether this can name a single station: it is not a group address.
    pub const fn is_unicast(&self) -> bool {
        !self.is_group()
    }

    /// Whether this names a group other than all stations.
    pub const fn is_multicast(&self) -> bool {
        self.is_group() && !self.is_broadcast()
    }

    /// Whether this names every station on the link.
    pub const fn is_broadcast(&self) -> bool {
        matches!(self.0, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    }

    /// The individual/group bit, the first one on the wire.
    const fn is_group(&self) -> bool {
        self.0[0] & 1 != 0
    }
}

impl fmt::Display for EthernetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The protocol of an Ethernet frame's payload. Values below 1536 are IEEE 802.3 lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4 (RFC 894).
    pub const IPV4: Self = Self(0x0800);
    /// Address Resolution Protocol (RFC 826).
    pub const ARP: Self = Self(0x0806);
    /// IPv6 (RFC 2464).
    pub const IPV6: Self = Self(0x86dd);
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_a_captured_frame() {
        let frame = [
            0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00,
            0x45, 0x00,
        ];
        let (header, payload) = EthernetHeader::parse(&frame).unwrap();
        assert_eq!(header.dst.to_string(), "52:54:00:12:34:56");
        assert_eq!(header.src, EthernetAddress([2, 0, 0, 0, 0, 1]));
        assert_eq!(header.ethertype, EtherType::IPV4);
        assert_eq!(payload, [0x45, 0x00]);
    }

    #[test]
    fn a_short_frame_is_truncated() {
        assert_eq!(EthernetHeader::parse(&[0; 13]), Err(Malformed::Truncated));
    }

    #[test]
    fn kinds_of_addresses_are_told_apart() {
        let group = EthernetAddress::for_ipv4_multicast(Ipv4Addr::new(239, 255, 1, 2));
        assert_eq!(group.0, [0x01, 0x00, 0x5e, 0x7f, 0x01, 0x02]);
        assert!(group.is_multicast() && !group.is_broadcast() && !group.is_unicast());
        let all = EthernetAddress::BROADCAST;
        assert!(all.is_broadcast() && !all.is_multicast() && !all.is_unicast());
        let one = EthernetAddress([0x52, 0x54, 0, 1, 2, 3]);
        assert!(one.is_unicast() && !one.is_multicast() && !one.is_broadcast());
    }

    #[cfg(feature = "proto-ipv6")]
    #[test]
    fn rfc2464_an_ipv6_group_is_carried_by_its_lower_32_bits() {
        let group = "ff02::1:ff12:3456".parse().unwrap();
        let address = EthernetAddress::for_ipv6_multicast(group);
        assert_eq!(address.to_string(), "33:33:ff:12:34:56");
        assert!(address.is_multicast());
    }

    #[test]
    fn only_six_bytes_are_an_address() {
        let address = EthernetAddress::from_bytes(&[1, 2, 3, 4, 5, 6]);
        assert_eq!(address, Some(EthernetAddress([1, 2, 3, 4, 5, 6])));
        assert_eq!(EthernetAddress::from_bytes(&[1, 2, 3, 4, 5]), None);
        assert_eq!(EthernetAddress::from_bytes(&[1; 7]), None);
    }

    proptest! {
        #[test]
        fn header_round_trips(dst: [u8; 6], src: [u8; 6], ethertype: u16, payload: Vec<u8>) {
            let header = EthernetHeader {
                dst: EthernetAddress(dst),
                src: EthernetAddress(src),
                ethertype: EtherType(ethertype),
            };
            let mut frame = [std::vec![0xaa; HEADER_LEN], payload.clone()].concat();
            header.emit(&mut frame);
            prop_assert_eq!(EthernetHeader::parse(&frame), Ok((header, payload.as_slice())));
        }
    }
}
