//! Resource records (RFC 1035 section 3.2).

use core::iter;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::DnsName;
use crate::wire::Malformed;

/// The type of a record, or the one that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RecordType(pub u16);

impl RecordType {
    /// An IPv4 address.
    pub const A: Self = Self(1);
    /// The name of a zone's server.
    pub const NS: Self = Self(2);
    /// The name that this one stands for.
    pub const CNAME: Self = Self(5);
    /// About the zone; says for how long there is no such name.
    pub const SOA: Self = Self(6);
    /// The name of an address.
    pub const PTR: Self = Self(12);
    /// Where mail goes.
    pub const MX: Self = Self(15);
    /// Text.
    pub const TXT: Self = Self(16);
    /// An IPv6 address (RFC 3596).
    pub const AAAA: Self = Self(28);
    /// Where a service is (RFC 2782).
    pub const SRV: Self = Self(33);
    /// Which types of record a name has (RFC 4034).
    pub const NSEC: Self = Self(47);
    /// Any type, in a question.
    pub const ANY: Self = Self(255);
    /// No record but what EDNS has to say (RFC 6891).
    pub const OPT: Self = Self(41);
}

/// A record in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Record<'a> {
    /// Whose record it is.
    pub name: DnsName<'a>,
    /// Its type.
    pub kind: RecordType,
    /// Its class; that of the Internet is 1.
    pub class: u16,
    /// For how many seconds it holds.
    pub ttl: u32,
    /// What it says.
    pub data: RecordData<'a>,
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RecordData<'a> {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The name that this one stands for.
    Cname(DnsName<'a>),
    /// The name of an address.
    Ptr(DnsName<'a>),
    /// Where mail goes.
    Mx {
        /// Lower comes first.
        preference: u16,
        /// The host.
        exchange: DnsName<'a>,
    },
    /// Text, in strings of up to 255 bytes.
    Txt(TxtStrings<'a>),
    /// Where a service is.
    Srv {
        /// Lower comes first.
        priority: u16,
        /// Of those with the same priority: its share.
        weight: u16,
        /// The port.
        port: u16,
        /// The host.
        target: DnsName<'a>,
    },
    /// About the zone: for how many seconds at most it holds that there is no such name (RFC 2308).
    Soa {
        /// The last of its numbers.
        minimum: u32,
    },
    /// Something else.
    Other(&'a [u8]),
}

impl<'a> RecordData<'a> {
    /// What the data of a record says that has no pointers to elsewhere.
    #[cfg(feature = "mdns")]
    pub(crate) fn read(data: &'a [u8], kind: RecordType) -> Result<Self, Malformed> {
        Self::parse(data, (0, data.len()), kind)
    }

    /// What the bytes from `start` to `end` of a message say.
    pub(super) fn parse(
        message: &'a [u8],
        (start, end): (usize, usize),
        kind: RecordType,
    ) -> Result<Self, Malformed> {
        let data = message.get(start..end).ok_or(Malformed::Truncated)?;
        // A name ends where its record does, wherever its pointers lead.
        let name = |skip: usize| match DnsName::parse(message, start + skip)? {
            (name, after) if after == end => Ok(name),
            _ => Err(Malformed::BadLength),
        };
        let number = |at: usize| match data.get(at..at + 2) {
            Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
            _ => Err(Malformed::BadLength),
        };
        Ok(match kind {
            RecordType::A => Self::A(<[u8; 4]>::try_from(data).map_err(bad_length)?.into()),
            RecordType::AAAA => Self::Aaaa(<[u8; 16]>::try_from(data).map_err(bad_length)?.into()),
            RecordType::CNAME => Self::Cname(name(0)?),
            RecordType::PTR => Self::Ptr(name(0)?),
            RecordType::MX => Self::Mx {
                preference: number(0)?,
                exchange: name(2)?,
            },
            RecordType::TXT => Self::Txt(TxtStrings::parse(data)?),
            RecordType::SRV => Self::Srv {
                priority: number(0)?,
                weight: number(2)?,
                port: number(4)?,
                target: name(6)?,
            },
            RecordType::SOA => Self::Soa {
                minimum: soa_minimum(message, start, end)?,
            },
            _ => Self::Other(data),
        })
    }
}

/// The last of the five numbers behind the two names.
fn soa_minimum(message: &[u8], start: usize, end: usize) -> Result<u32, Malformed> {
    let (_, second) = DnsName::parse(message, start)?;
    let (_, numbers) = DnsName::parse(message, second)?;
    match message.get(numbers..end) {
        Some(&[.., a, b, c, d]) if end - numbers == 20 => Ok(u32::from_be_bytes([a, b, c, d])),
        _ => Err(Malformed::BadLength),
    }
}

fn bad_length<E>(_: E) -> Malformed {
    Malformed::BadLength
}

/// The strings of a TXT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TxtStrings<'a>(&'a [u8]);

impl<'a> TxtStrings<'a> {
    fn parse(data: &'a [u8]) -> Result<Self, Malformed> {
        let strings = Self(data);
        let len: usize = strings.iter().map(|string| string.len() + 1).sum();
        if len != data.len() {
            return Err(Malformed::BadLength);
        }
        Ok(strings)
    }

    /// All of them, each behind its length.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.0;
        iter::from_fn(move || {
            let (&len, data) = rest.split_first()?;
            let (string, after) = data.split_at_checked(usize::from(len))?;
            rest = after;
            Some(string)
        })
    }
}
