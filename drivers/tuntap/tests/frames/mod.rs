//! The few frames that the tests read and write, byte by byte: this crate knows no protocols.

use cygnet_tuntap::Mode;

pub(crate) fn is_arp_request_for(frame: &[u8], address: [u8; 4]) -> bool {
    let arp_for_ipv4 = [0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1];
    frame.get(12..22) == Some(&arp_for_ipv4) && frame.get(38..42) == Some(&address)
}

/// The answer to an ARP request: whom it asked for is at `hardware_address`.
pub(crate) fn arp_reply(request: &[u8], hardware_address: [u8; 6]) -> Vec<u8> {
    let (sender, target) = (&request[22..32], &request[38..42]);
    let mut reply = Vec::new();
    reply.extend_from_slice(&sender[..6]);
    reply.extend_from_slice(&hardware_address);
    reply.extend_from_slice(&[0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 2]);
    reply.extend_from_slice(&hardware_address);
    reply.extend_from_slice(target);
    reply.extend_from_slice(sender);
    reply
}

/// Whether an IPv4 packet without options is an ICMP echo request.
pub(crate) fn is_echo_request(packet: &[u8]) -> bool {
    packet.first() == Some(&0x45) && packet.get(9) == Some(&1) && packet.get(20) == Some(&8)
}

/// The answer to an ICMP echo request: everything turned round, and the checksum mended.
pub(crate) fn echo_reply(request: &[u8], mode: Mode) -> Vec<u8> {
    let mut reply = request.to_vec();
    let packet = match mode {
        Mode::Tap => {
            reply[..12].rotate_left(6);
            &mut reply[14..]
        }
        Mode::Tun => &mut reply[..],
    };
    packet[12..20].rotate_left(4);
    packet[20] = 0;
    let checksum = u16::from_be_bytes([packet[22], packet[23]]);
    // RFC 1624: the type falls by 8, so the complement of the sum rises by 8 in the high byte.
    let (sum, carry) = checksum.overflowing_add(0x0800);
    let checksum = sum + u16::from(carry);
    packet[22..24].copy_from_slice(&checksum.to_be_bytes());
    reply
}
