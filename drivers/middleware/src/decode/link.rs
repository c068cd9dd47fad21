//! Ethernet II, with 802.1Q tags.

use core::fmt;

use super::bytes::{mac_at, u16_at};
use super::{arp, ip};

/// Prints what an Ethernet frame carries, and returns it where that is an IP packet.
pub(super) fn write_line<'a>(
    f: &mut fmt::Formatter<'_>,
    frame: &'a [u8],
) -> Result<Option<&'a [u8]>, fmt::Error> {
    let Some(mut ethertype) = u16_at(frame, 12) else {
        f.write_str("[|ether]")?;
        return Ok(None);
    };
    let mut payload = frame.get(14..).unwrap_or_default();
    for _ in 0..MAX_TAGS {
        if !matches!(ethertype, VLAN | SERVICE_VLAN) {
            break;
        }
        let (Some(tag), Some(inner)) = (u16_at(payload, 0), u16_at(payload, 2)) else {
            f.write_str("[|vlan]")?;
            return Ok(None);
        };
        write!(f, "vlan {} ", tag & 0x0fff)?;
        ethertype = inner;
        payload = payload.get(4..).unwrap_or_default();
    }
    match ethertype {
        IPV4 | IPV6 => {
            ip::write_line(f, payload)?;
            return Ok(Some(payload));
        }
        ARP => arp::write_line(f, payload)?,
        len if len <= MAX_LEN => write!(f, "802.3, length {len}")?,
        other => write!(f, "ethertype {other:#06x}, length {}", payload.len())?,
    }
    Ok(None)
}

/// Prints the Ethernet header on a line of its own.
pub(super) fn write_header(f: &mut fmt::Formatter<'_>, frame: &[u8]) -> fmt::Result {
    let (Some(to), Some(from), Some(ethertype)) =
        (mac_at(frame, 0), mac_at(frame, 6), u16_at(frame, 12))
    else {
        return Ok(());
    };
    write!(
        f,
        "\n    Ethernet {from} > {to}, ethertype {ethertype:#06x}"
    )
}

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const VLAN: u16 = 0x8100;
const IPV6: u16 = 0x86dd;
const SERVICE_VLAN: u16 = 0x88a8;
/// Up to here the field is a length (IEEE 802.3), not a type.
const MAX_LEN: u16 = 1500;
const MAX_TAGS: usize = 2;
