//! Messages of the Dynamic Host Configuration Protocol for IPv6 (RFC 8415, sections 8 and 21; RFC 3646).
//!
//! A message between client and server is its type, a transaction number and options, some of which hold
//! options themselves. Those of the message are checked when it is parsed; those inside them when they are
//! asked for, and ones that are not what they should be are left out.

mod duid;
#[cfg(test)]
mod tests;
mod writer;

use core::iter;
use core::net::Ipv6Addr;

pub use duid::Duid;
pub use writer::Dhcpv6Writer;

use super::Malformed;
use super::address::Ipv6Cidr;
use super::dns::DnsName;

/// The port of clients.
pub const CLIENT_PORT: u16 = 546;
/// The port of servers and relays.
pub const SERVER_PORT: u16 = 547;
/// The group of all servers and relays on the link (All_DHCP_Relay_Agents_and_Servers).
pub const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// A time that never ends (section 7.7).
pub const INFINITY: u32 = u32::MAX;

/// A message between a client and a server, as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dhcpv6Message<'a> {
    /// What kind of message it is.
    pub kind: Dhcpv6MessageKind,
    /// The number that ties answers to questions, of 24 bits.
    pub xid: u32,
    /// The options.
    pub options: Dhcpv6Options<'a>,
}

/// The kind of a message (section 7.3), without those between relays and servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Dhcpv6MessageKind {
    /// A client looks for servers.
    Solicit = 1,
    /// A server has something for it.
    Advertise = 2,
    /// A client takes it.
    Request = 3,
    /// A client asks whether its addresses are good on this link.
    Confirm = 4,
    /// A client wants to keep what it has from this server.
    Renew = 5,
    /// A client wants to keep what it has, from any server.
    Rebind = 6,
    /// A server's answer to all but a Solicit, and to that if both agree on two messages.
    Reply = 7,
    /// A client is done with what it has.
    Release = 8,
    /// A client found that somebody else has an address.
    Decline = 9,
    /// A server wants to be asked.
    Reconfigure = 10,
    /// A client wants to know what goes with addresses, and no addresses.
    InformationRequest = 11,
}

/// What a server says about how it went (section 21.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Dhcpv6Status {
    /// Well. This is also what no status means.
    Success,
    /// Not well, for a reason that is not said.
    UnspecFail,
    /// There is no address left.
    NoAddrsAvail,
    /// The server knows nothing of what the client says it has.
    NoBinding,
    /// An address is not good on the client's link.
    NotOnLink,
    /// The client is to ask the group and not the server's own address.
    UseMulticast,
    /// There is no prefix left.
    NoPrefixAvail,
    /// Something else.
    Other(u16),
}

/// Options, each of which ends within them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dhcpv6Options<'a>(&'a [u8]);

/// An association of addresses (IA_NA, section 21.4) or of prefixes (IA_PD, section 21.21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IdentityAssociation<'a> {
    /// The client's number for it.
    pub iaid: u32,
    /// When the client asks the same server to keep it, in seconds. 0: it may choose.
    pub t1: u32,
    /// When it asks any server, in seconds. 0: it may choose.
    pub t2: u32,
    /// What is in it.
    pub options: Dhcpv6Options<'a>,
}

/// An address (section 21.6) or a prefix (section 21.22) in an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dhcpv6Grant<'a, T> {
    /// The address or the prefix.
    pub what: T,
    /// For how long new connections may use it, in seconds.
    pub preferred: u32,
    /// For how long it may be used at all, in seconds.
    pub valid: u32,
    /// What is said about it.
    pub options: Dhcpv6Options<'a>,
}

impl<'a> Dhcpv6Message<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// - [`Malformed::Truncated`]: shorter than four bytes
    /// - [`Malformed::Unsupported`]: none between a client and a server
    /// - [`Malformed::BadOption`]: an option reaches beyond the message
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let &[kind, a, b, c, ref options @ ..] = message else {
            return Err(Malformed::Truncated);
        };
        Ok(Self {
            kind: Dhcpv6MessageKind::from_wire(kind).ok_or(Malformed::Unsupported)?,
            xid: u32::from_be_bytes([0, a, b, c]),
            options: Dhcpv6Options::parse(options)?,
        })
    }
}

impl Dhcpv6MessageKind {
    fn from_wire(value: u8) -> Option<Self> {
        Some(match value {
            1 => Self::Solicit,
            2 => Self::Advertise,
            3 => Self::Request,
            4 => Self::Confirm,
            5 => Self::Renew,
            6 => Self::Rebind,
            7 => Self::Reply,
            8 => Self::Release,
            9 => Self::Decline,
            10 => Self::Reconfigure,
            11 => Self::InformationRequest,
            _ => return None,
        })
    }
}

impl From<u16> for Dhcpv6Status {
    fn from(code: u16) -> Self {
        match code {
            0 => Self::Success,
            1 => Self::UnspecFail,
            2 => Self::NoAddrsAvail,
            3 => Self::NoBinding,
            4 => Self::NotOnLink,
            5 => Self::UseMulticast,
            6 => Self::NoPrefixAvail,
            other => Self::Other(other),
        }
    }
}

impl<'a> Dhcpv6Options<'a> {
    fn parse(options: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = options;
        while !rest.is_empty() {
            take_option(&mut rest).ok_or(Malformed::BadOption)?;
        }
        Ok(Self(options))
    }

    /// The options' codes and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut rest = self.0;
        iter::from_fn(move || take_option(&mut rest))
    }

    /// The values of all options with that code.
    pub fn all(&self, code: u16) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.iter()
            .filter(move |(found, _)| *found == code)
            .map(|(_, value)| value)
    }

    /// The value of the first option with that code.
    pub fn first(&self, code: u16) -> Option<&'a [u8]> {
        self.all(code).next()
    }

    /// Who is meant by an option that holds a DUID. One of an impossible length is none.
    pub fn duid(&self, code: u16) -> Option<&'a [u8]> {
        self.first(code).filter(|duid| Duid::fits(duid))
    }

    /// The option as one number of 32 bits.
    pub fn u32(&self, code: u16) -> Option<u32> {
        let value = self.first(code)?.try_into().ok()?;
        Some(u32::from_be_bytes(value))
    }

    /// How much the server wants to be chosen (section 21.8); 0 if it does not say.
    pub fn preference(&self) -> u8 {
        match self.first(option::PREFERENCE) {
            Some(&[preference]) => preference,
            _ => 0,
        }
    }

    /// How it went. The text for humans is left out.
    pub fn status(&self) -> Dhcpv6Status {
        match self.first(option::STATUS_CODE) {
            Some(&[high, low, ..]) => u16::from_be_bytes([high, low]).into(),
            // Section 21.13: "If the Status Code option does not appear in a message [...], the status of the
            // message is assumed to be Success."
            _ => Dhcpv6Status::Success,
        }
    }

    /// The associations of addresses (`option::IA_NA`) or of prefixes (`option::IA_PD`).
    pub fn associations(
        &self,
        code: u16,
    ) -> impl Iterator<Item = IdentityAssociation<'a>> + use<'a> {
        self.all(code).filter_map(|value| {
            let (iaid, rest) = take_u32(value)?;
            let (t1, rest) = take_u32(rest)?;
            let (t2, rest) = take_u32(rest)?;
            Some(IdentityAssociation {
                iaid,
                t1,
                t2,
                options: Dhcpv6Options::parse(rest).ok()?,
            })
        })
    }

    /// The addresses of an association.
    pub fn addresses(&self) -> impl Iterator<Item = Dhcpv6Grant<'a, Ipv6Addr>> + use<'a> {
        self.all(option::IA_ADDRESS).filter_map(|value| {
            let (octets, rest) = value.split_first_chunk::<16>()?;
            let (preferred, rest) = take_u32(rest)?;
            let (valid, rest) = take_u32(rest)?;
            Some(Dhcpv6Grant {
                what: Ipv6Addr::from(*octets),
                preferred,
                valid,
                options: Dhcpv6Options::parse(rest).ok()?,
            })
        })
    }

    /// The prefixes of an association.
    pub fn prefixes(&self) -> impl Iterator<Item = Dhcpv6Grant<'a, Ipv6Cidr>> + use<'a> {
        self.all(option::IA_PREFIX).filter_map(|value| {
            let (preferred, rest) = take_u32(value)?;
            let (valid, rest) = take_u32(rest)?;
            let (&len, rest) = rest.split_first()?;
            let (octets, rest) = rest.split_first_chunk::<16>()?;
            if len > 128 {
                return None;
            }
            Some(Dhcpv6Grant {
                what: Ipv6Cidr::new(Ipv6Addr::from(*octets), len).network(),
                preferred,
                valid,
                options: Dhcpv6Options::parse(rest).ok()?,
            })
        })
    }

    /// The DNS servers (RFC 3646, section 3).
    pub fn dns_servers(&self) -> impl Iterator<Item = Ipv6Addr> + use<'a> {
        let value = self.first(option::DNS_SERVERS).unwrap_or_default();
        let (addresses, _) = value.as_chunks::<16>();
        addresses.iter().map(|octets| Ipv6Addr::from(*octets))
    }

    /// The domains that names are looked for in (RFC 3646, section 4), up to the first that is malformed.
    pub fn domains(&self) -> impl Iterator<Item = DnsName<'a>> + use<'a> {
        let list = self.first(option::DOMAIN_LIST).unwrap_or_default();
        let mut at = 0;
        iter::from_fn(move || {
            let (name, next) = DnsName::parse(list, at).ok()?;
            at = next;
            Some(name)
        })
    }
}

/// The option that comes next; `None` at the end, or where one reaches beyond it.
fn take_option<'a>(rest: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let (&[code_high, code_low, len_high, len_low], after) = rest.split_first_chunk::<4>()?;
    let len = u16::from_be_bytes([len_high, len_low]).into();
    let (value, after) = after.split_at_checked(len)?;
    *rest = after;
    Some((u16::from_be_bytes([code_high, code_low]), value))
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// The options' codes.
pub mod option {
    #![allow(missing_docs, reason = "RFC 8415, section 21, explains them")]
    pub const CLIENT_ID: u16 = 1;
    pub const SERVER_ID: u16 = 2;
    pub const IA_NA: u16 = 3;
    pub const IA_ADDRESS: u16 = 5;
    pub const OPTION_REQUEST: u16 = 6;
    pub const PREFERENCE: u16 = 7;
    pub const ELAPSED_TIME: u16 = 8;
    pub const STATUS_CODE: u16 = 13;
    pub const RAPID_COMMIT: u16 = 14;
    /// RFC 3646.
    pub const DNS_SERVERS: u16 = 23;
    /// RFC 3646.
    pub const DOMAIN_LIST: u16 = 24;
    pub const IA_PD: u16 = 25;
    pub const IA_PREFIX: u16 = 26;
    pub const INFORMATION_REFRESH_TIME: u16 = 32;
    pub const SOL_MAX_RT: u16 = 82;
    pub const INF_MAX_RT: u16 = 83;
}
