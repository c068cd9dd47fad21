//! Which checksums are the device's work, and leaving them to it.

use xarxa_driver::{Capabilities, ChecksumCapabilities, Medium};

/// Whether the device leaves none of the checksums of received frames to the stack.
pub(crate) fn verifies_received(checksums: &ChecksumCapabilities) -> bool {
    let ChecksumCapabilities {
        ipv4,
        udp,
        tcp,
        icmpv4,
        icmpv6,
        ..
    } = checksums;
    [ipv4, udp, tcp, icmpv4, icmpv6].iter().all(|sum| sum.rx)
}

/// Zeroes the checksums in a frame that the device computes. What is in a fragment it cannot.
pub(crate) fn clear(frame: &mut [u8], device: &Capabilities) {
    let packet = match device.medium {
        Medium::Ethernet => frame.get_mut(ETHERNET_HEADER..),
        Medium::Ip => Some(frame),
        _ => None,
    };
    let Some(packet) = packet else { return };
    let protocol = match packet {
        [0x40..=0x4F, ..] => ipv4(packet, &device.checksum),
        [0x60..=0x6F, ..] => ipv6(packet),
        _ => None,
    };
    let Some((protocol, start)) = protocol else {
        return;
    };
    let sums = &device.checksum;
    let (sum, offset) = match protocol {
        ICMPV4 => (sums.icmpv4, 2),
        TCP => (sums.tcp, 16),
        UDP => (sums.udp, 6),
        ICMPV6 => (sums.icmpv6, 2),
        _ => return,
    };
    if sum.tx {
        zero(packet, start + offset);
    }
}

/// The protocol of an IPv4 packet, and where it starts (RFC 791, section 3.1). An ARP packet starts otherwise.
fn ipv4(packet: &mut [u8], sums: &ChecksumCapabilities) -> Option<(u8, usize)> {
    let header_len = usize::from(packet.first()? & 0xF) * 4;
    let &[high, low] = packet.get(6..8)?.first_chunk()?;
    let is_fragment = u16::from_be_bytes([high, low]) & MORE_FRAGMENTS_AND_OFFSET != 0;
    let protocol = *packet.get(9)?;
    if sums.ipv4.tx {
        zero(packet, 10);
    }
    (!is_fragment).then_some((protocol, header_len))
}

/// The protocol of an IPv6 packet, and where it starts (RFC 8200, section 3): behind options for each hop, at most.
fn ipv6(packet: &[u8]) -> Option<(u8, usize)> {
    let next = *packet.get(6)?;
    if next != HOP_BY_HOP {
        return Some((next, IPV6_HEADER));
    }
    let &[next, units] = packet.get(IPV6_HEADER..)?.first_chunk()?;
    Some((next, IPV6_HEADER + 8 + usize::from(units) * 8))
}

fn zero(packet: &mut [u8], at: usize) {
    if let Some(field) = packet.get_mut(at..at + 2) {
        field.fill(0);
    }
}

const ETHERNET_HEADER: usize = 14;
const IPV6_HEADER: usize = 40;
const MORE_FRAGMENTS_AND_OFFSET: u16 = 0x3FFF;
const HOP_BY_HOP: u8 = 0;
const ICMPV4: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

#[cfg(test)]
mod tests;
