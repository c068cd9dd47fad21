//! ICMP (RFC 792) and ICMPv6 (RFC 4443, with neighbor discovery of RFC 4861 and MLD of RFC 3810).

use core::fmt;

use super::bytes::{ipv6_at, u8_at, u16_at, u32_at};

pub(super) fn write_v4(f: &mut fmt::Formatter<'_>, message: &[u8]) -> fmt::Result {
    let (Some(kind), Some(code)) = (u8_at(message, 0), u8_at(message, 1)) else {
        return f.write_str("[|icmp]");
    };
    f.write_str("ICMP ")?;
    match (kind, code) {
        (0, _) => write_echo(f, "reply", message)?,
        (8, _) => write_echo(f, "request", message)?,
        (3, 0) => f.write_str("net unreachable")?,
        (3, 1) => f.write_str("host unreachable")?,
        (3, 2) => f.write_str("protocol unreachable")?,
        (3, 3) => f.write_str("port unreachable")?,
        (3, 4) => {
            let mtu = u16_at(message, 6).unwrap_or(0);
            write!(f, "unreachable - need to frag (mtu {mtu})")?;
        }
        (3, other) => write!(f, "unreachable, code {other}")?,
        (5, _) => f.write_str("redirect")?,
        (11, 0) => f.write_str("time exceeded in transit")?,
        (11, _) => f.write_str("reassembly time exceeded")?,
        (12, _) => f.write_str("parameter problem")?,
        _ => write!(f, "type {kind}, code {code}")?,
    }
    write!(f, ", length {}", message.len())
}

pub(super) fn write_v6(f: &mut fmt::Formatter<'_>, message: &[u8]) -> fmt::Result {
    let (Some(kind), Some(code)) = (u8_at(message, 0), u8_at(message, 1)) else {
        return f.write_str("[|icmp6]");
    };
    f.write_str("ICMP6 ")?;
    match (kind, code) {
        (1, 0) => f.write_str("no route to destination")?,
        (1, 1) => f.write_str("administratively prohibited")?,
        (1, 3) => f.write_str("address unreachable")?,
        (1, 4) => f.write_str("port unreachable")?,
        (1, other) => write!(f, "unreachable, code {other}")?,
        (2, _) => write!(f, "packet too big, mtu {}", u32_at(message, 4).unwrap_or(0))?,
        (3, 0) => f.write_str("time exceeded in transit")?,
        (3, _) => f.write_str("reassembly time exceeded")?,
        (4, _) => f.write_str("parameter problem")?,
        (128, _) => write_echo(f, "request", message)?,
        (129, _) => write_echo(f, "reply", message)?,
        (130, _) => f.write_str("multicast listener query")?,
        (131, _) => f.write_str("multicast listener report v1")?,
        (132, _) => f.write_str("multicast listener done")?,
        (133, _) => f.write_str("router solicitation")?,
        (134, _) => f.write_str("router advertisement")?,
        (135, _) => match ipv6_at(message, 8) {
            Some(target) => write!(f, "neighbor solicitation, who has {target}")?,
            None => f.write_str("neighbor solicitation")?,
        },
        (136, _) => match ipv6_at(message, 8) {
            Some(target) => write!(f, "neighbor advertisement, tgt is {target}")?,
            None => f.write_str("neighbor advertisement")?,
        },
        (137, _) => f.write_str("redirect")?,
        (143, _) => f.write_str("multicast listener report v2")?,
        _ => write!(f, "type {kind}, code {code}")?,
    }
    write!(f, ", length {}", message.len())
}

/// Identifier and sequence number of an echo, the same in both versions.
fn write_echo(f: &mut fmt::Formatter<'_>, what: &str, message: &[u8]) -> fmt::Result {
    write!(f, "echo {what}")?;
    match (u16_at(message, 4), u16_at(message, 6)) {
        (Some(id), Some(seq)) => write!(f, ", id {id}, seq {seq}"),
        _ => Ok(()),
    }
}
