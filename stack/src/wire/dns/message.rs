//! Whole messages (RFC 1035 section 4.1).

use super::{DnsName, HEADER_LEN, OPT_LEN, Record, RecordData, RecordType};
use crate::wire::Malformed;

/// A message with one question, whose every record can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DnsMessage<'a> {
    message: &'a [u8],
    flags: u16,
    question: DnsName<'a>,
    kind: RecordType,
    /// Where the records begin.
    records: usize,
    answers: u16,
    authorities: u16,
    additional: u16,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Rcode(pub u8);

impl Rcode {
    /// Well.
    pub const NO_ERROR: Self = Self(0);
    /// The server did not understand the question; perhaps it does not know EDNS.
    pub const FORM_ERR: Self = Self(1);
    /// The server could not find out.
    pub const SERV_FAIL: Self = Self(2);
    /// There is no such name.
    pub const NX_DOMAIN: Self = Self(3);
    /// The server does not do that.
    pub const NOT_IMP: Self = Self(4);
    /// The server will not tell.
    pub const REFUSED: Self = Self(5);
}

impl<'a> DnsMessage<'a> {
    /// Reads a message, and every record in it. One that says that it is truncated, and is, has none.
    ///
    /// # Errors
    ///
    /// - [`Malformed::Truncated`]: ends before its records do
    /// - [`Malformed::BadLength`]: a name or a record is not what it says
    /// - [`Malformed::Unsupported`]: not one question
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let header = message.get(..HEADER_LEN).ok_or(Malformed::Truncated)?;
        if number(header, 4)? != 1 {
            return Err(Malformed::Unsupported);
        }
        let (question, after) = DnsName::parse(message, HEADER_LEN)?;
        // The class, too, has to be there.
        number(message, after + 2)?;
        let parsed = Self {
            message,
            flags: number(header, 2)?,
            question,
            kind: RecordType(number(message, after)?),
            records: after + 4,
            answers: number(header, 6)?,
            authorities: number(header, 8)?,
            additional: number(header, 10)?,
        };
        let mut records = parsed.all_records();
        while records.left > 0 {
            match records.read() {
                Ok(_) => {}
                // Cut off anywhere: no record of it counts.
                Err(_) if parsed.is_truncated() => {
                    return Ok(Self {
                        answers: 0,
                        authorities: 0,
                        additional: 0,
                        ..parsed
                    });
                }
                Err(malformed) => return Err(malformed),
            }
        }
        Ok(parsed)
    }

    /// The number that ties answers to questions.
    pub fn id(&self) -> u16 {
        number(self.message, 0).unwrap_or(0)
    }

    /// Whether it is an answer.
    pub fn is_response(&self) -> bool {
        self.flags & RESPONSE != 0
    }

    /// Whether there is more than fitted the datagram.
    pub fn is_truncated(&self) -> bool {
        self.flags & TRUNCATED != 0
    }

    /// How it went.
    pub fn rcode(&self) -> Rcode {
        Rcode(self.flags as u8 & 0xf)
    }

    /// The name that is asked for.
    pub fn question(&self) -> DnsName<'a> {
        self.question
    }

    /// The type that is asked for.
    pub fn question_type(&self) -> RecordType {
        self.kind
    }

    /// The class that is asked for; that of the Internet is 1.
    pub fn question_class(&self) -> u16 {
        number(self.message, self.records.saturating_sub(2)).unwrap_or(0)
    }

    /// The bytes of the question: name, type and class.
    pub fn question_bytes(&self) -> &'a [u8] {
        self.message
            .get(HEADER_LEN..self.records)
            .unwrap_or_default()
    }

    /// The whole message.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.message
    }

    /// The records that answer the question.
    pub fn answers(&self) -> Records<'a> {
        Records {
            left: usize::from(self.answers),
            ..self.all_records()
        }
    }

    /// The records about who is in charge, behind those that answer.
    pub fn authorities(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.all_records()
            .skip(usize::from(self.answers))
            .take(usize::from(self.authorities))
    }

    /// All records of all sections.
    pub fn all_records(&self) -> Records<'a> {
        Records {
            message: self.message,
            at: self.records,
            left: usize::from(self.answers)
                + usize::from(self.authorities)
                + usize::from(self.additional),
        }
    }
}

/// Records, one by one.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    message: &'a [u8],
    at: usize,
    left: usize,
}

impl<'a> Records<'a> {
    /// So many records, of which the first begins at that byte.
    pub(super) fn new(message: &'a [u8], at: usize, left: usize) -> Self {
        Self { message, at, left }
    }

    /// How many are to come.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    pub(super) fn read(&mut self) -> Result<Record<'a>, Malformed> {
        let (message, at) = (self.message, self.at);
        let (name, fixed) = DnsName::parse(message, at)?;
        let kind = RecordType(number(message, fixed)?);
        let start = fixed + 10;
        let end = start + usize::from(number(message, fixed + 8)?);
        let data = RecordData::parse(message, (start, end), kind)?;
        let ttl = u32::from(number(message, fixed + 4)?) << 16;
        let ttl = ttl | u32::from(number(message, fixed + 6)?);
        self.at = end;
        self.left = self.left.saturating_sub(1);
        Ok(Record {
            name,
            kind,
            class: number(message, fixed + 2)?,
            // RFC 2181 section 8: with the highest bit set it counts as zero.
            ttl: if ttl > i32::MAX as u32 { 0 } else { ttl },
            data,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        if self.left == 0 {
            return None;
        }
        self.read().ok()
    }
}

/// Writes a question about the Internet to the start of `buffer`, recursion desired; with `edns`, which is
/// the longest answer over UDP that is welcome, in an OPT record. Returns its length in bytes, `None` if
/// it does not fit. The number is 0.
pub fn emit_query(
    buffer: &mut [u8],
    name: &[u8],
    kind: RecordType,
    edns: Option<u16>,
) -> Option<usize> {
    let question = HEADER_LEN + name.len() + 4;
    let len = question + if edns.is_some() { OPT_LEN } else { 0 };
    let message = buffer.get_mut(..len)?;
    message.fill(0);
    put(message, 2, RECURSION_DESIRED);
    put(message, 4, 1);
    put(message, 10, u16::from(edns.is_some()));
    message
        .get_mut(HEADER_LEN..HEADER_LEN + name.len())?
        .copy_from_slice(name);
    put(message, question - 4, kind.0);
    put(message, question - 2, CLASS_INTERNET);
    if let Some(size) = edns {
        // The root's name is the zero that is there.
        put(message, question + 1, RecordType::OPT.0);
        put(message, question + 3, size);
    }
    Some(len)
}

/// Whether a message says no more than that a question of that number was not understood: there are servers that do not
/// repeat it then.
pub(crate) fn is_bare_format_error(message: &[u8], id: u16) -> bool {
    let field = |at| number(message, at);
    message.len() == HEADER_LEN
        && field(0) == Ok(id)
        && field(2)
            .is_ok_and(|flags| flags & RESPONSE != 0 && Rcode(flags as u8 & 0xf) == Rcode::FORM_ERR)
        && field(4) == Ok(0)
}

/// Makes all records of a message that many seconds older.
pub(crate) fn age(message: &mut [u8], seconds: u32) {
    let Ok(mut records) = DnsMessage::parse(message).map(|parsed| parsed.all_records()) else {
        return;
    };
    let (mut at, left) = (records.at, records.left);
    for _ in 0..left {
        records = Records {
            message,
            at,
            left: 1,
        };
        let (Some(record), next) = (records.next(), records.at) else {
            return;
        };
        let ttl = record.ttl.saturating_sub(seconds);
        let is_opt = record.kind == RecordType::OPT;
        let Ok((_, fixed)) = DnsName::parse(message, at) else {
            return;
        };
        if !is_opt {
            put(message, fixed + 4, (ttl >> 16) as u16);
            put(message, fixed + 6, ttl as u16);
        }
        at = next;
    }
}

/// The two bytes at `at`.
pub(super) fn number(message: &[u8], at: usize) -> Result<u16, Malformed> {
    match message.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Malformed::Truncated),
    }
}

/// Writes the two bytes at `at`.
pub(crate) fn put(message: &mut [u8], at: usize, value: u16) {
    if let Some(field) = message.get_mut(at..at + 2) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}

const RESPONSE: u16 = 0x8000;
const TRUNCATED: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
const CLASS_INTERNET: u16 = 1;
