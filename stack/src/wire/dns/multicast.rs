//! Messages of Multicast DNS (RFC 6762 section 18): any number of questions, and bits of their own in the
//! class of a question and of a record.

use core::net::Ipv4Addr;
#[cfg(feature = "proto-ipv6")]
use core::net::Ipv6Addr;

use heapless::Vec;

use super::message::{Records, number, put};
use super::{DnsName, HEADER_LEN, Name, Record, RecordType};
use crate::wire::Malformed;
#[cfg(feature = "mdns")]
use crate::wire::{IpAddress, IpVersion};

/// Whom its messages go to (RFC 6762 section 3).
pub const MDNS_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// The same for those who hear IPv6.
#[cfg(feature = "proto-ipv6")]
pub const MDNS_GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// Everybody who hears that version of IP.
#[cfg(feature = "mdns")]
pub(crate) fn mdns_group(version: IpVersion) -> IpAddress {
    match version {
        IpVersion::Ipv4 => IpAddress::Ipv4(MDNS_GROUP),
        #[cfg(feature = "proto-ipv6")]
        IpVersion::Ipv6 => IpAddress::Ipv6(MDNS_GROUP_V6),
    }
}

/// The port of Multicast DNS, of everybody.
pub const MDNS_PORT: u16 = 5353;

/// A message, whose every question and record can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MdnsMessage<'a> {
    message: &'a [u8],
    /// Where the records begin.
    records: usize,
    counts: [u16; 4],
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MdnsQuestion<'a> {
    /// The name.
    pub name: DnsName<'a>,
    /// The type.
    pub kind: RecordType,
    /// The class, without the bit for unicast.
    pub class: u16,
    /// The answer may come by unicast ("QU", RFC 6762 section 5.4).
    pub unicast: bool,
}

impl<'a> MdnsMessage<'a> {
    /// Reads a message, and all that is in it.
    ///
    /// # Errors
    ///
    /// - [`Malformed::Truncated`]: ends before its records do
    /// - [`Malformed::BadLength`]: a name or a record is not what it says
    /// - [`Malformed::Unsupported`]: neither a query nor a response that went well (section 18.3)
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let flags = number(message, 2)?;
        if flags & (OPCODE | RCODE) != 0 {
            return Err(Malformed::Unsupported);
        }
        let counts = [
            number(message, 4)?,
            number(message, 6)?,
            number(message, 8)?,
            number(message, 10)?,
        ];
        let mut records = HEADER_LEN;
        for _ in 0..counts[0] {
            let (_, after) = DnsName::parse(message, records)?;
            number(message, after + 2)?;
            records = after + 4;
        }
        let parsed = Self {
            message,
            records,
            counts,
        };
        let mut all = parsed.records_of(1, 3);
        while all.left() > 0 {
            all.read()?;
        }
        Ok(parsed)
    }

    /// The number that ties an answer to a legacy question; else 0.
    pub fn id(&self) -> u16 {
        number(self.message, 0).unwrap_or(0)
    }

    /// Whether it tells, rather than asks.
    pub fn is_response(&self) -> bool {
        number(self.message, 2).unwrap_or(0) & RESPONSE != 0
    }

    /// Whether more known answers follow (section 7.2).
    pub fn is_truncated(&self) -> bool {
        number(self.message, 2).unwrap_or(0) & TRUNCATED != 0
    }

    /// The questions.
    pub fn questions(&self) -> impl Iterator<Item = MdnsQuestion<'a>> + use<'a> {
        let message = self.message;
        let mut at = HEADER_LEN;
        (0..self.counts[0]).map_while(move |_| {
            let (name, after) = DnsName::parse(message, at).ok()?;
            at = after + 4;
            let class = number(message, after + 2).ok()?;
            Some(MdnsQuestion {
                name,
                kind: RecordType(number(message, after).ok()?),
                class: class & !TOP_BIT,
                unicast: class & TOP_BIT != 0,
            })
        })
    }

    /// What a response tells, or what a question knows already.
    pub fn answers(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.records_of(1, 1)
    }

    /// What a probe is about to claim.
    pub fn authorities(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.records_of(1, 2).skip(usize::from(self.counts[1]))
    }

    /// All records.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.records_of(1, 3)
    }

    /// The records of the sections up to `last`, from the first on.
    fn records_of(&self, first: usize, last: usize) -> Records<'a> {
        let counts = self.counts.get(first..=last).unwrap_or_default();
        let left = counts.iter().map(|&count| usize::from(count)).sum();
        Records::new(self.message, self.records, left)
    }
}

impl Record<'_> {
    /// Whether all that was said before about the name and type is void (RFC 6762 section 10.2).
    pub fn flushes_cache(&self) -> bool {
        self.class & TOP_BIT != 0
    }

    /// The class without that bit.
    pub fn mdns_class(&self) -> u16 {
        self.class & !TOP_BIT
    }
}

/// Where in a message a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Section {
    /// It answers, or is known.
    Answer = 1,
    /// It is about to be claimed.
    Authority = 2,
    /// It is likely to be asked for next.
    Additional = 3,
}

/// A record to be written.
#[derive(Clone, Copy, Debug)]
pub struct OwnRecord<'r> {
    /// Whose it is.
    pub name: &'r Name,
    /// The class, with the bit that flushes caches.
    pub class: u16,
    /// For how many seconds it holds.
    pub ttl: u32,
    /// What it says.
    pub data: OwnData<'r>,
}

/// What a record says that is to be written.
#[derive(Clone, Copy, Debug)]
pub enum OwnData<'r> {
    /// An IPv4 address.
    A([u8; 4]),
    /// An IPv6 address.
    Aaaa([u8; 16]),
    /// A name.
    Ptr(&'r Name),
    /// Where a service is.
    Srv {
        /// The port.
        port: u16,
        /// The host.
        target: &'r Name,
    },
    /// Text: strings with their lengths.
    Txt(&'r [u8]),
    /// Which types of record the name has, all below 256 (RFC 6762 section 6.1).
    Nsec {
        /// The name itself.
        next: &'r Name,
        /// A bit for each type, the highest of the first byte for type 0.
        types: &'r [u8],
    },
    /// Any other, as it stands in a message.
    Other(RecordType, &'r [u8]),
}

/// Writes a message: questions, then records in the order of their sections. What does not fit is not
/// written, and leaves nothing behind. Names that were written before are pointed to.
#[derive(Debug)]
pub struct MdnsWriter<'b> {
    buffer: &'b mut [u8],
    len: usize,
    counts: [u16; 4],
    /// Where labels begin that can be pointed to.
    labels: Vec<u16, LABELS>,
}

impl<'b> MdnsWriter<'b> {
    /// An empty message. With `response` it tells, else it asks.
    pub fn new(buffer: &'b mut [u8], id: u16, response: bool) -> Self {
        let mut writer = Self {
            buffer,
            len: 0,
            counts: [0; 4],
            labels: Vec::new(),
        };
        let flags = if response {
            RESPONSE | AUTHORITATIVE
        } else {
            0
        };
        for value in [id, flags, 0, 0, 0, 0] {
            let written = writer.bytes(&u16::to_be_bytes(value));
            debug_assert!(written.is_some(), "no room for a header");
        }
        writer
    }

    /// Writes a question; false if it does not fit.
    pub fn question(&mut self, name: &Name, kind: RecordType, class: u16) -> bool {
        self.all_or_nothing(0, |writer| {
            writer.name(name)?;
            writer.bytes(&kind.0.to_be_bytes())?;
            writer.bytes(&class.to_be_bytes())
        })
    }

    /// Writes a record; false if it does not fit.
    pub fn record(&mut self, section: Section, record: &OwnRecord<'_>) -> bool {
        self.all_or_nothing(section as usize, |writer| {
            writer.name(record.name)?;
            writer.bytes(&record.data.kind().0.to_be_bytes())?;
            writer.bytes(&record.class.to_be_bytes())?;
            writer.bytes(&record.ttl.to_be_bytes())?;
            let length = writer.len;
            writer.bytes(&[0; 2])?;
            writer.data(&record.data)?;
            let len = writer.len - length - 2;
            put(writer.buffer, length, u16::try_from(len).ok()?);
            Some(())
        })
    }

    /// Says that more known answers follow.
    pub fn set_truncated(&mut self) {
        let flags = number(self.buffer, 2).unwrap_or(0);
        put(self.buffer, 2, flags | TRUNCATED);
    }

    /// How many records a section has, or with 0, how many questions there are.
    pub fn count(&self, section: usize) -> u16 {
        self.counts.get(section).copied().unwrap_or(0)
    }

    /// The length of the message in bytes.
    pub fn finish(self) -> usize {
        for (nth, count) in self.counts.iter().enumerate() {
            put(self.buffer, 4 + 2 * nth, *count);
        }
        self.len
    }

    fn all_or_nothing(
        &mut self,
        section: usize,
        write: impl FnOnce(&mut Self) -> Option<()>,
    ) -> bool {
        let (len, labels) = (self.len, self.labels.len());
        if write(self).is_none() {
            self.len = len;
            self.labels.truncate(labels);
            return false;
        }
        if let Some(count) = self.counts.get_mut(section) {
            *count = count.saturating_add(1);
        }
        true
    }

    fn data(&mut self, data: &OwnData<'_>) -> Option<()> {
        match *data {
            OwnData::A(address) => self.bytes(&address),
            OwnData::Aaaa(address) => self.bytes(&address),
            OwnData::Ptr(name) => self.name(name),
            OwnData::Srv { port, target } => {
                self.bytes(&[0; 4])?;
                self.bytes(&port.to_be_bytes())?;
                // Not pointed to: a legacy resolver need not understand that (RFC 2782).
                self.bytes(target.as_bytes())
            }
            OwnData::Txt(text) => self.bytes(text),
            OwnData::Nsec { next, types } => {
                self.name(next)?;
                self.bytes(&[0, types.len() as u8])?;
                self.bytes(types)
            }
            OwnData::Other(_, data) => self.bytes(data),
        }
    }

    /// A name: as much of it as was not written before, and a pointer to the rest.
    fn name(&mut self, name: &Name) -> Option<()> {
        let mut rest = name.as_bytes();
        while let [len @ 1..=63, after @ ..] = rest {
            if let Some(at) = self.find(rest) {
                return self.bytes(&(at | POINTER).to_be_bytes());
            }
            // A pointer reaches no further than 14 bits.
            if let Ok(at) = u16::try_from(self.len)
                && at < POINTER
            {
                let _ = self.labels.push(at);
            }
            let (label, after) = after.split_at_checked(usize::from(*len))?;
            self.bytes(&[*len])?;
            self.bytes(label)?;
            rest = after;
        }
        self.bytes(&[0])
    }

    /// Where that name was written before.
    fn find(&self, name: &[u8]) -> Option<u16> {
        let (wanted, _) = DnsName::parse(name, 0).ok()?;
        let written = self.buffer.get(..self.len)?;
        let is_it = |&&at: &&u16| {
            DnsName::parse(written, usize::from(at)).is_ok_and(|(name, _)| name == wanted)
        };
        self.labels.iter().find(is_it).copied()
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len + bytes.len();
        self.buffer.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }
}

impl OwnData<'_> {
    fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::AAAA,
            Self::Ptr(_) => RecordType::PTR,
            Self::Srv { .. } => RecordType::SRV,
            Self::Txt(_) => RecordType::TXT,
            Self::Nsec { .. } => RecordType::NSEC,
            Self::Other(kind, _) => *kind,
        }
    }
}

/// Labels that can be pointed to; those of later names are written out.
const LABELS: usize = 24;

const RESPONSE: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
const RCODE: u16 = 0x000f;
const POINTER: u16 = 0xc000;
/// Of a class: the answer may be unicast, or the cache is to be flushed.
pub(crate) const TOP_BIT: u16 = 0x8000;

#[cfg(test)]
mod tests;
