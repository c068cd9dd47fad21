//! An answer, read along its aliases.

use crate::wire::dns::{DnsMessage, DnsName, Rcode, Record, RecordData, RecordType};

/// A server's answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DnsAnswer<'a> {
    message: DnsMessage<'a>,
    /// The end of the chain of aliases that begins with the name that was asked for.
    canonical: DnsName<'a>,
}

/// What an answer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    /// There are records.
    Found,
    /// The name stands for another, which the answer says no more about.
    Alias(DnsName<'a>),
    /// There is the name, without such records.
    NoData,
    /// There is no such name.
    NoSuchName,
    /// The aliases do not end.
    Loop,
}

impl<'a> DnsAnswer<'a> {
    pub(crate) fn new(message: DnsMessage<'a>) -> Self {
        let canonical = match message.question_type() {
            RecordType::CNAME | RecordType::ANY => message.question(),
            _ => follow(&message).unwrap_or(message.question()),
        };
        Self { message, canonical }
    }

    /// The records of the type that was asked for; of any type, where that was asked for (RFC 1035 section 3.2.3).
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let (canonical, kind) = (self.canonical, self.message.question_type());
        self.message
            .answers()
            .filter(move |record| kind == RecordType::ANY || record.kind == kind)
            .filter(|record| record.class == INTERNET)
            .filter(move |record| record.name == canonical)
    }

    /// The name whose records these are: the one that was asked for, or what it stands for in the end.
    pub fn canonical_name(&self) -> DnsName<'a> {
        self.canonical
    }

    /// Whether there is more than fitted: only without TCP to ask again.
    pub fn is_truncated(&self) -> bool {
        self.message.is_truncated()
    }

    /// The whole message.
    pub fn message(&self) -> DnsMessage<'a> {
        self.message
    }

    pub(crate) fn outcome(&self) -> Outcome<'a> {
        if self.records().next().is_some() {
            return Outcome::Found;
        }
        let is_alias = self.canonical != self.message.question();
        match self.message.rcode() {
            Rcode::NX_DOMAIN => Outcome::NoSuchName,
            _ if follow(&self.message).is_none() => Outcome::Loop,
            _ if is_alias => Outcome::Alias(self.canonical),
            _ => Outcome::NoData,
        }
    }
}

/// The end of the chain of aliases; `None` if it is longer than [`MAX_ALIASES`], perhaps without end.
fn follow<'a>(message: &DnsMessage<'a>) -> Option<DnsName<'a>> {
    let mut name = message.question();
    for _ in 0..=MAX_ALIASES {
        let alias = message.answers().find_map(|record| match record.data {
            RecordData::Cname(target) if record.name == name => Some(target),
            _ => None,
        });
        match alias {
            Some(target) => name = target,
            None => return Some(name),
        }
    }
    None
}

/// The most aliases that one name leads through.
pub(crate) const MAX_ALIASES: u8 = 8;

const INTERNET: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::dns::{Name, emit_query};

    #[test]
    fn a_question_for_any_type_is_answered_by_all() {
        let mut bytes = [0; 100];
        let name = Name::from_text("a.org").unwrap();
        let len = emit_query(&mut bytes, name.as_bytes(), RecordType::ANY, None).unwrap();
        // An alias and an address: what stands for another has nothing else, but RFC 1035 has "all records".
        let records = [
            &[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, b'b', 0xc0, 14][..],
            &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1],
        ]
        .concat();
        bytes[len..len + records.len()].copy_from_slice(&records);
        (bytes[2], bytes[7]) = (0x81, 2);
        let message = DnsMessage::parse(&bytes[..len + records.len()]).unwrap();
        let answer = DnsAnswer::new(message);
        assert_eq!(answer.outcome(), Outcome::Found);
        assert_eq!(answer.records().count(), 2);
        assert_eq!(answer.canonical_name(), name.as_name());
    }
}
