//! Address Resolution Protocol for IPv4 on Ethernet (RFC 826): which station has that address?

use core::net::Ipv4Addr;

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Malformed;
use super::ethernet::EthernetAddress;

/// The length of a packet in bytes.
pub const LEN: usize = size_of::<Raw>();

/// A question for, or an answer with, the Ethernet address that belongs to an IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ArpPacket {
    /// Question or answer.
    pub operation: ArpOperation,
    /// The Ethernet address of who sends this.
    pub sender_hardware: EthernetAddress,
    /// The IPv4 address of who sends this; unspecified in a probe (RFC 5227 §1.1).
    pub sender_protocol: Ipv4Addr,
    /// In an answer the Ethernet address of who asked; in a question it means nothing.
    pub target_hardware: EthernetAddress,
    /// In a question the address asked for.
    pub target_protocol: Ipv4Addr,
}

/// What an ARP packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ArpOperation {
    /// Who has that address?
    Request,
    /// I do.
    Reply,
}

impl ArpPacket {
    /// Reads a packet; padding behind it is ignored.
    ///
    /// # Errors
    ///
    /// [`Malformed::Truncated`] if there are fewer than [`LEN`] bytes, [`Malformed::Unsupported`] if it
    /// is about anything but IPv4 on Ethernet or neither request nor reply.
    pub fn parse(packet: &[u8]) -> Result<Self, Malformed> {
        let (raw, _padding) = Raw::ref_from_prefix(packet).map_err(|_| Malformed::Truncated)?;
        if raw.kind != IPV4_ON_ETHERNET {
            return Err(Malformed::Unsupported);
        }
        let operation = match raw.operation.get() {
            OPERATION_REQUEST => ArpOperation::Request,
            OPERATION_REPLY => ArpOperation::Reply,
            _ => return Err(Malformed::Unsupported),
        };
        Ok(Self {
            operation,
            sender_hardware: EthernetAddress(raw.sender_hardware),
            sender_protocol: raw.sender_protocol.into(),
            target_hardware: EthernetAddress(raw.target_hardware),
            target_protocol: raw.target_protocol.into(),
        })
    }

    /// Writes the packet to the first [`LEN`] bytes of `buf`, which the caller makes long enough.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub fn emit(&self, buf: &mut [u8]) {
        let operation = match self.operation {
            ArpOperation::Request => OPERATION_REQUEST,
            ArpOperation::Reply => OPERATION_REPLY,
        };
        let raw = Raw {
            kind: IPV4_ON_ETHERNET,
            operation: operation.into(),
            sender_hardware: self.sender_hardware.0,
            sender_protocol: self.sender_protocol.octets(),
            target_hardware: self.target_hardware.0,
            target_protocol: self.target_protocol.octets(),
        };
        let written = raw.write_to_prefix(buf);
        debug_assert!(written.is_ok(), "no room for an ARP packet");
    }
}

/// The packet as it stands in a frame.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Raw {
    /// The types of both addresses, and their lengths.
    kind: [u8; 6],
    operation: U16,
    sender_hardware: [u8; 6],
    sender_protocol: [u8; 4],
    target_hardware: [u8; 6],
    target_protocol: [u8; 4],
}

/// Ethernet is 1, IPv4 as in a frame.
const IPV4_ON_ETHERNET: [u8; 6] = [0, 1, 0x08, 0x00, 6, 4];
const OPERATION_REQUEST: u16 = 1;
const OPERATION_REPLY: u16 = 2;

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const REQUEST: [u8; LEN] = [
        0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01, // Ethernet, IPv4, request
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 192, 0, 2, 1, // sender
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 0, 2, 2, // target
    ];

    #[test]
    fn reads_a_request_with_padding() {
        let frame = [REQUEST.as_slice(), &[0; 18]].concat();
        let packet = ArpPacket::parse(&frame).unwrap();
        assert_eq!(packet.operation, ArpOperation::Request);
        assert_eq!(
            packet.sender_hardware.0,
            [0x52, 0x54, 0x00, 0x12, 0x34, 0x56]
        );
        assert_eq!(packet.sender_protocol, Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(packet.target_hardware.0, [0; 6]);
        assert_eq!(packet.target_protocol, Ipv4Addr::new(192, 0, 2, 2));
        let mut again = [0xaa; LEN];
        packet.emit(&mut again);
        assert_eq!(again, REQUEST);
    }

    #[test]
    fn other_kinds_are_unsupported() {
        for (at, value) in [(1, 6), (3, 1), (4, 8), (5, 16), (7, 3), (7, 0)] {
            let mut bytes = REQUEST;
            bytes[at] = value;
            assert_eq!(ArpPacket::parse(&bytes), Err(Malformed::Unsupported));
        }
        assert_eq!(ArpPacket::parse(&REQUEST[..27]), Err(Malformed::Truncated));
    }

    proptest! {
        #[test]
        fn what_parses_emits_the_same(mut bytes: [u8; LEN], reply: bool) {
            bytes[..7].copy_from_slice(&REQUEST[..7]);
            bytes[7] = 1 + u8::from(reply);
            let mut again = [0; LEN];
            ArpPacket::parse(&bytes).unwrap().emit(&mut again);
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn no_bytes_make_parse_panic(bytes: Vec<u8>) {
            let _ = ArpPacket::parse(&bytes);
        }
    }
}
