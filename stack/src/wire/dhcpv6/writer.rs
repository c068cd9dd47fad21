//! Writes a client's message.

use core::net::Ipv6Addr;

use super::{Dhcpv6MessageKind, option};
use crate::wire::Ipv6Cidr;

/// Writes a message: its type and number, then options one by one.
///
/// An option that does not fit is left out, which [`Self::finish`] does not tell: size the buffer for all of
/// them, four bytes at least.
#[derive(Debug)]
pub struct Dhcpv6Writer<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl<'b> Dhcpv6Writer<'b> {
    /// Begins a message. Of the number, the lower 24 bits count.
    pub fn new(buffer: &'b mut [u8], kind: Dhcpv6MessageKind, xid: u32) -> Self {
        let [_, a, b, c] = xid.to_be_bytes();
        let mut writer = Self { buffer, len: 0 };
        writer.put(&[kind as u8, a, b, c]);
        writer
    }

    /// Writes an option.
    #[must_use]
    pub fn option(self, code: u16, value: &[u8]) -> Self {
        self.holding(code, value, |writer| writer)
    }

    /// Writes the list of options that the client wants to hear about.
    #[must_use]
    pub fn option_request(self, codes: &[u16]) -> Self {
        self.holding(option::OPTION_REQUEST, &[], |mut writer| {
            for code in codes {
                writer.put(&code.to_be_bytes());
            }
            writer
        })
    }

    /// Writes an association of addresses. What a client has to say of times is zero (RFC 8415, section 18.2).
    #[must_use]
    pub fn addresses(self, iaid: u32, addresses: impl Iterator<Item = Ipv6Addr>) -> Self {
        self.holding(option::IA_NA, &association(iaid), |writer| {
            addresses.fold(writer, |writer, address| {
                let mut value = [0; 24];
                value[..16].copy_from_slice(&address.octets());
                writer.option(option::IA_ADDRESS, &value)
            })
        })
    }

    /// Writes an association of prefixes.
    #[must_use]
    pub fn prefixes(self, iaid: u32, prefixes: impl Iterator<Item = Ipv6Cidr>) -> Self {
        self.holding(option::IA_PD, &association(iaid), |writer| {
            prefixes.fold(writer, |writer, prefix| {
                let mut value = [0; 25];
                value[8] = prefix.prefix_len();
                value[9..].copy_from_slice(&prefix.address().octets());
                writer.option(option::IA_PREFIX, &value)
            })
        })
    }

    /// The length of the message in bytes.
    pub fn finish(self) -> usize {
        self.len
    }

    /// Writes an option that holds others, behind a fixed part.
    fn holding(mut self, code: u16, fixed: &[u8], inner: impl FnOnce(Self) -> Self) -> Self {
        let start = self.len;
        let [high, low] = code.to_be_bytes();
        let fits = self.put(&[high, low, 0, 0]) && self.put(fixed);
        if !fits {
            debug_assert!(false, "no room for a DHCPv6 option");
            self.len = start;
            return self;
        }
        let written = inner(self);
        let len = (written.len - start - 4) as u16;
        if let Some(field) = written.buffer.get_mut(start + 2..start + 4) {
            field.copy_from_slice(&len.to_be_bytes());
        }
        written
    }

    /// False if there is no room.
    fn put(&mut self, bytes: &[u8]) -> bool {
        let end = self.len + bytes.len();
        let Some(room) = self.buffer.get_mut(self.len..end) else {
            return false;
        };
        room.copy_from_slice(bytes);
        self.len = end;
        true
    }
}

/// The fixed part of an association: its number, T1 and T2.
fn association(iaid: u32) -> [u8; 12] {
    let mut fixed = [0; 12];
    fixed[..4].copy_from_slice(&iaid.to_be_bytes());
    fixed
}
