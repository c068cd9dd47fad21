//! ARP for IPv4 over Ethernet (RFC 826).

use core::fmt;

use super::bytes::{array, ipv4_at, mac_at, u16_at};

pub(super) fn write_line(f: &mut fmt::Formatter<'_>, packet: &[u8]) -> fmt::Result {
    let (Some(format), Some(operation)) = (array::<6>(packet, 0), u16_at(packet, 6)) else {
        return f.write_str("[|arp]");
    };
    if format != IPV4_OVER_ETHERNET {
        return write!(f, "ARP, operation {operation}, not IPv4 over Ethernet");
    }
    let (Some(sender_mac), Some(sender), Some(target)) =
        (mac_at(packet, 8), ipv4_at(packet, 14), ipv4_at(packet, 24))
    else {
        return f.write_str("[|arp]");
    };
    match operation {
        1 => write!(f, "ARP, request who-has {target} tell {sender}"),
        2 => write!(f, "ARP, reply {sender} is-at {sender_mac}"),
        other => write!(f, "ARP, operation {other}"),
    }
}

/// Hardware type 1, protocol type 0x0800, address lengths 6 and 4.
const IPV4_OVER_ETHERNET: [u8; 6] = [0, 1, 8, 0, 6, 4];
