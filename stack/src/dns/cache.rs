//! Answers that still hold (RFC 1035 section 7.4, RFC 2308).
//!
//! They lie one behind the other in one piece of memory, oldest first, as the messages that they were; a
//! new one pushes out as many old ones as it takes. Only what answered a question of ours is in here, under
//! that question: nothing that a server says beside it.

#[cfg(test)]
mod tests;

use crate::time::Instant;
use crate::wire::dns::{DnsMessage, HEADER_LEN, Rcode, RecordData, RecordType, age};

/// Memory for answers, `N` bytes.
#[derive(Clone, Debug)]
pub(crate) struct Cache<const N: usize = { cygnet_config::DNS_CACHE_SIZE }> {
    bytes: [u8; N],
    used: usize,
}

/// An answer in the cache, behind its head.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    end: usize,
    /// In seconds of the clock.
    stored: u32,
    expires: u32,
}

impl<const N: usize> Cache<N> {
    /// An empty cache.
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            used: 0,
        }
    }

    /// Copies the answer to the question of `query` into `room`, its records as much older as it is. `None`
    /// if there is none, or no room for it.
    pub(crate) fn get(&self, now: Instant, query: &[u8], room: &mut [u8]) -> Option<usize> {
        let now = seconds(now);
        let entry = self
            .entries()
            .find(|entry| entry.expires > now && asks_the_same(self.message(entry), query))?;
        let message = self.message(&entry);
        let room = room.get_mut(..message.len())?;
        room.copy_from_slice(message);
        age(room, now.saturating_sub(entry.stored));
        repeat_question(room, query);
        Some(room.len())
    }

    /// Keeps an answer for as long as it says, if it may be kept, and there can be room for it.
    pub(crate) fn put(&mut self, now: Instant, answer: &DnsMessage<'_>) {
        let Some(ttl) = lifetime(answer).filter(|&ttl| ttl > 0) else {
            return;
        };
        let (now, message) = (seconds(now), answer.as_bytes());
        let len = HEAD + message.len();
        let Ok(field) = u16::try_from(message.len()) else {
            return;
        };
        if len > N {
            return;
        }
        while let Some(stale) = self.find(|cache, entry| {
            entry.expires <= now || asks_the_same(cache.message(entry), message)
        }) {
            self.remove(stale);
        }
        while N - self.used < len
            && let Some(oldest) = self.find(|_, _| true)
        {
            self.remove(oldest);
        }
        let Some(room) = self.bytes.get_mut(self.used..self.used + len) else {
            return;
        };
        let (head, rest) = room.split_at_mut(HEAD);
        head[..2].copy_from_slice(&field.to_be_bytes());
        head[2..6].copy_from_slice(&now.to_be_bytes());
        head[6..].copy_from_slice(&now.saturating_add(ttl).to_be_bytes());
        rest.copy_from_slice(message);
        self.used += len;
    }

    /// Forgets everything: another network may have other names.
    pub(crate) fn clear(&mut self) {
        self.used = 0;
    }

    fn remove(&mut self, entry: Entry) {
        let start = entry.start - HEAD;
        self.bytes.copy_within(entry.end..self.used, start);
        self.used -= entry.end - start;
    }

    fn find(&self, is_it: impl Fn(&Self, &Entry) -> bool) -> Option<Entry> {
        self.entries().find(|entry| is_it(self, entry))
    }

    fn message(&self, entry: &Entry) -> &[u8] {
        self.bytes.get(entry.start..entry.end).unwrap_or_default()
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let head = self.bytes.get(..self.used)?.get(at..at + HEAD)?;
            let &[a, b, s0, s1, s2, s3, e0, e1, e2, e3] = head else {
                return None;
            };
            let start = at + HEAD;
            at = start + usize::from(u16::from_be_bytes([a, b]));
            Some(Entry {
                start,
                end: at,
                stored: u32::from_be_bytes([s0, s1, s2, s3]),
                expires: u32::from_be_bytes([e0, e1, e2, e3]),
            })
        })
    }
}

/// Whether two messages have one question, of one class, whatever the case of its name.
fn asks_the_same(a: &[u8], b: &[u8]) -> bool {
    let question = |message| DnsMessage::parse(message).ok();
    let (Some(a), Some(b)) = (question(a), question(b)) else {
        return false;
    };
    a.question_type() == b.question_type()
        && a.question_class() == b.question_class()
        && a.question() == b.question()
}

/// Gives an answer the question in the letters of `query`, by which its asker may know it (RFC 5452 section 9.1).
fn repeat_question(answer: &mut [u8], query: &[u8]) {
    let (Ok(answered), Ok(asked)) = (DnsMessage::parse(answer), DnsMessage::parse(query)) else {
        return;
    };
    let (len, asked) = (answered.question_bytes().len(), asked.question_bytes());
    if let Some(room) = answer.get_mut(HEADER_LEN..HEADER_LEN + len)
        && len == asked.len()
    {
        room.copy_from_slice(asked);
    }
}

/// For how many seconds an answer holds: as long as the shortest of its records. That there is nothing
/// holds as long as the zone says in its SOA record; where there is none it "SHOULD NOT be cached"
/// (RFC 2308 section 5).
fn lifetime(answer: &DnsMessage<'_>) -> Option<u32> {
    if answer.is_truncated() {
        return None;
    }
    let shortest = answer.answers().map(|record| record.ttl).min();
    let nothing = || {
        let mut zones = answer
            .authorities()
            .filter(|record| record.kind == RecordType::SOA);
        zones.find_map(|record| match record.data {
            RecordData::Soa { minimum } => Some(record.ttl.min(minimum).min(LONGEST_NEGATIVE)),
            _ => None,
        })
    };
    match (answer.rcode(), shortest) {
        (Rcode::NO_ERROR, Some(ttl)) => Some(ttl.min(LONGEST)),
        // Section 2.1: with aliases, it is the last of them that there is nothing of.
        (Rcode::NO_ERROR | Rcode::NX_DOMAIN, _) => {
            nothing().map(|ttl| ttl.min(shortest.unwrap_or(ttl)))
        }
        _ => None,
    }
}

fn seconds(now: Instant) -> u32 {
    (now.as_micros() / 1_000_000).min(u32::MAX.into()) as u32
}

/// Before each message: its length, when it was stored, until when it holds.
const HEAD: usize = 10;

/// A day, whatever the record says.
const LONGEST: u32 = 86_400;
/// RFC 2308 section 5: "one to three hours have been found to work well".
const LONGEST_NEGATIVE: u32 = 3 * 3600;
