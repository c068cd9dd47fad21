//! Domain names (RFC 1035 section 3.1), as they stand in a message and by themselves.

use core::fmt;
use core::iter;

use cygnet_config::{DNS_MAX_NAME_SIZE, DNS_SEARCH_SIZE};
use heapless::Vec;

use crate::wire::Malformed;

/// A name in a message, perhaps compressed.
///
/// Two are equal if their labels are, whatever their case (RFC 4343).
#[derive(Clone, Copy)]
pub struct DnsName<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> DnsName<'a> {
    /// The name that starts at that byte of the message, and where it ends.
    ///
    /// # Errors
    ///
    /// [`Malformed::Truncated`] if it reaches beyond the message, [`Malformed::BadLength`] if it is longer
    /// than 255 bytes, has a label of an unknown type, or a pointer that does not point back.
    pub fn parse(message: &'a [u8], at: usize) -> Result<(Self, usize), Malformed> {
        let (mut position, mut run, mut len) = (at, at, 0);
        let mut end = None;
        loop {
            let &first = message.get(position).ok_or(Malformed::Truncated)?;
            match first {
                0 => return Ok((Self { message, at }, end.unwrap_or(position + 1))),
                1..=MAX_LABEL => {
                    let next = position + 1 + usize::from(first);
                    if next > message.len() {
                        return Err(Malformed::Truncated);
                    }
                    len += next - position;
                    // The root's own byte comes on top.
                    if len >= MAX_NAME {
                        return Err(Malformed::BadLength);
                    }
                    position = next;
                }
                POINTER.. => {
                    let target = pointer(message, position).ok_or(Malformed::Truncated)?;
                    if target >= run {
                        return Err(Malformed::BadLength);
                    }
                    end = end.or(Some(position + 2));
                    (position, run) = (target, target);
                }
                _ => return Err(Malformed::BadLength),
            }
        }
    }

    /// The labels, without the empty one at the end.
    pub fn labels(&self) -> Labels<'a> {
        Labels {
            message: self.message,
            at: self.at,
        }
    }

    /// Whether this is the root: no labels.
    pub fn is_root(&self) -> bool {
        self.labels().next().is_none()
    }
}

/// The labels of a name.
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let &first = self.message.get(self.at)?;
            match first {
                1..=MAX_LABEL => {
                    let start = self.at + 1;
                    self.at = start + usize::from(first);
                    return self.message.get(start..self.at);
                }
                // Looked at when the name was parsed: it points back.
                POINTER.. => self.at = pointer(self.message, self.at)?,
                _ => return None,
            }
        }
    }
}

/// Where the pointer at `position` points to.
fn pointer(message: &[u8], position: usize) -> Option<usize> {
    let &[high, low] = message.get(position..position + 2)? else {
        return None;
    };
    Some(usize::from(u16::from_be_bytes([high & !POINTER, low])))
}

impl PartialEq<DnsName<'_>> for DnsName<'_> {
    fn eq(&self, other: &DnsName<'_>) -> bool {
        let (mut ours, mut theirs) = (self.labels(), other.labels());
        iter::from_fn(|| match (ours.next(), theirs.next()) {
            (None, None) => None,
            (Some(a), Some(b)) => Some(a.eq_ignore_ascii_case(b)),
            _ => Some(false),
        })
        .all(|equal| equal)
    }
}

impl Eq for DnsName<'_> {}

/// As in a zone file: dots between labels, and what is not usual in names escaped (RFC 1035 section 5.1).
/// The root is a dot.
impl fmt::Display for DnsName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for (nth, label) in self.labels().enumerate() {
            if nth > 0 {
                f.write_str(".")?;
            }
            for &byte in label {
                match byte {
                    b'-' | b'_' | b'/' | b'*' => write!(f, "{}", char::from(byte))?,
                    _ if byte.is_ascii_alphanumeric() => write!(f, "{}", char::from(byte))?,
                    0x21..=0x7e => write!(f, "\\{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DnsName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for DnsName<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        for label in self.labels() {
            defmt::write!(f, "{=[u8]:a}.", label);
        }
    }
}

/// A name by itself, of at most `DNS_MAX_NAME_SIZE` bytes as text.
#[derive(Clone)]
pub struct Name {
    /// The wire format.
    bytes: Vec<u8, NAME_ROOM>,
}

/// Why a text is no name that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum InvalidName {
    /// A label is empty.
    EmptyLabel,
    /// A label is longer than 63 bytes.
    LongLabel,
    /// The name is longer than 253 bytes, or than `DNS_MAX_NAME_SIZE`.
    LongName,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyLabel => "a label of the name is empty",
            Self::LongLabel => "a label of the name is longer than 63 bytes",
            Self::LongName => "the name is too long (DNS_MAX_NAME_SIZE)",
        })
    }
}

impl core::error::Error for InvalidName {}

impl Name {
    /// The name that a text such as `www.example.org` stands for. A dot at the end makes no difference;
    /// nothing is escaped.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] says why it is none.
    pub fn from_text(text: &str) -> Result<Self, InvalidName> {
        Self::from_ascii(text.as_bytes())
    }

    pub(crate) fn from_ascii(text: &[u8]) -> Result<Self, InvalidName> {
        let mut name = Self::root();
        let text = text.strip_suffix(b".").unwrap_or(text);
        if text.is_empty() {
            return Ok(name);
        }
        for label in text.split(|&byte| byte == b'.') {
            name.push(label)?;
        }
        Ok(name)
    }

    /// The root, to which labels are added.
    pub(crate) fn root() -> Self {
        let mut bytes = Vec::new();
        let _ = bytes.push(0);
        Self { bytes }
    }

    /// Adds a label at the end.
    pub(crate) fn push(&mut self, label: &[u8]) -> Result<(), InvalidName> {
        let len = match u8::try_from(label.len()) {
            Ok(0) => return Err(InvalidName::EmptyLabel),
            Ok(len @ 1..=MAX_LABEL) => len,
            _ => return Err(InvalidName::LongLabel),
        };
        if self.bytes.len() + label.len() + 1 > NAME_ROOM {
            return Err(InvalidName::LongName);
        }
        self.bytes.pop();
        let _ = self.bytes.push(len);
        let _ = self.bytes.extend_from_slice(label);
        let _ = self.bytes.push(0);
        Ok(())
    }

    /// Adds another name's labels at the end.
    pub(crate) fn append(&mut self, name: DnsName<'_>) -> Result<(), InvalidName> {
        name.labels().try_for_each(|label| self.push(label))
    }

    /// The wire format, not compressed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// To read and to compare.
    pub fn as_name(&self) -> DnsName<'_> {
        DnsName {
            message: &self.bytes,
            at: 0,
        }
    }
}

impl TryFrom<DnsName<'_>> for Name {
    type Error = InvalidName;

    fn try_from(name: DnsName<'_>) -> Result<Self, InvalidName> {
        let mut copy = Self::root();
        copy.append(name)?;
        Ok(copy)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_name() == other.as_name()
    }
}

impl Eq for Name {}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_name().fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Domains in the order in which names are looked for in them, of at most `DNS_SEARCH_SIZE` bytes together.
#[derive(Clone, Default)]
pub struct DomainList {
    /// In the wire format, one after the other.
    bytes: Vec<u8, DNS_SEARCH_SIZE>,
}

impl DomainList {
    /// No domains.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Adds a domain at the end. False if there is no room for it.
    pub fn push(&mut self, domain: &Name) -> bool {
        self.bytes.extend_from_slice(domain.as_bytes()).is_ok()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = DnsName<'_>> {
        let mut at = 0;
        iter::from_fn(move || {
            let (name, next) = DnsName::parse(&self.bytes, at).ok()?;
            at = next;
            Some(name)
        })
    }
}

impl PartialEq for DomainList {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.eq_ignore_ascii_case(&other.bytes)
    }
}

impl Eq for DomainList {}

impl fmt::Debug for DomainList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for DomainList {
    fn format(&self, f: defmt::Formatter<'_>) {
        for domain in self.iter() {
            defmt::write!(f, "{} ", domain);
        }
    }
}

/// RFC 1035 section 2.3.4.
const MAX_LABEL: u8 = 63;
const MAX_NAME: usize = 255;

/// Room for a name in the wire format, which has two bytes more than the text.
pub(crate) const NAME_ROOM: usize = if DNS_MAX_NAME_SIZE + 2 > MAX_NAME {
    MAX_NAME
} else {
    DNS_MAX_NAME_SIZE + 2
};

/// RFC 1035 section 4.1.4: a label of this type is a pointer.
const POINTER: u8 = 0xc0;
