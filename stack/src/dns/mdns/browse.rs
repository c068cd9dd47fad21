//! A question that is asked for as long as somebody wants to know the answers: "continuous querying" (RFC 6762
//! section 5.2), such as for the services of a type.
//!
//! It is asked after a moment, a second, two, and so on up to an hour apart, and again before what is known
//! runs out. What is known goes with it, so that nobody repeats it.

mod known;
#[cfg(test)]
mod tests;

use self::known::Known;
use super::responder::CLASS_INTERNET;
use super::versions::Versions;
use crate::rand::Random;
use crate::storage::Bytes;
use crate::time::{Duration, Instant};
use crate::wire::IpVersion;
use crate::wire::dns::{
    MdnsMessage, MdnsWriter, Name, OwnData, OwnRecord, RecordData, RecordType, Section, TOP_BIT,
};

/// A question, and what is known of its answers.
pub(crate) struct Browse<'d> {
    name: Name,
    kind: RecordType,
    known: Known<'d>,
    /// How often it was asked, and when it is asked next; `None` while the link is down.
    asked: u8,
    due: Option<Instant>,
    /// Over which versions of IP everybody is asked.
    versions: Versions,
    /// Who is yet to hear what others were just asked, and whether they may answer by unicast.
    repeat: Option<(Versions, u16)>,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MdnsFound<'a> {
    /// Somebody has that record.
    Added(RecordData<'a>),
    /// Nobody has it any more: it was taken back, or its time is over.
    Removed(RecordData<'a>),
}

impl<'d> Browse<'d> {
    /// A question whose answers are kept in `buffer`.
    pub(crate) fn new(name: Name, kind: RecordType, buffer: Bytes<'d>) -> Self {
        Self {
            name,
            kind,
            known: Known::new(buffer),
            asked: 0,
            due: None,
            versions: Versions::NONE,
            repeat: None,
        }
    }

    /// The link is up, and there are addresses to ask from.
    ///
    /// Section 5.2: the first question "SHOULD be delayed by a randomly chosen amount of time between 20-120
    /// ms".
    pub(crate) fn start(&mut self, now: Instant, versions: Versions, random: &mut Random) {
        (self.asked, self.versions) = (0, versions);
        self.due = Some(now + Duration::from_millis((20 + random.below(101)).into()));
    }

    /// It is not. What is known runs out in its time.
    pub(crate) fn stop(&mut self) {
        (self.due, self.repeat) = (None, None);
    }

    /// When [`Self::on_timeout`] or [`Self::poll`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let asks = self.due.is_some();
        let known = self.known.next_deadline(asks);
        self.due.into_iter().chain(known).min()
    }

    /// Time passed. True if there is something to tell.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> bool {
        if self.due.is_some() && self.known.refresh(now) {
            // Somebody may still have it.
            self.due = Some(now);
        }
        self.known.expire(now)
    }

    /// Whether [`Self::poll`] has something.
    pub(crate) fn wants_to_send(&self, now: Instant) -> bool {
        self.repeat.is_some() || self.due.is_some_and(|due| due <= now)
    }

    /// Writes the question if it is due, for those who hear the version that is returned. It counts as sent: ask
    /// only with room for it.
    pub(crate) fn poll(&mut self, now: Instant, buffer: &mut [u8]) -> Option<(usize, IpVersion)> {
        if !self.wants_to_send(now) {
            return None;
        }
        let (versions, unicast) = self.repeat.take().unwrap_or_else(|| {
            self.due = Some(now + INTERVAL.doubled(self.asked.into()).min(LONGEST_INTERVAL));
            // The answers to the first may come by unicast (section 5.4).
            let unicast = if self.asked == 0 { TOP_BIT } else { 0 };
            self.asked = self.asked.saturating_add(1);
            (self.versions, unicast)
        });
        let others = versions.rest();
        self.repeat = (!others.is_empty()).then_some((others, unicast));
        let mut writer = MdnsWriter::new(buffer, 0, false);
        writer.question(&self.name, self.kind, CLASS_INTERNET | unicast);
        for (data, ttl) in self.known.fresh(now) {
            let record = OwnRecord {
                name: &self.name,
                class: CLASS_INTERNET,
                ttl,
                data: OwnData::Other(self.kind, data),
            };
            if !writer.record(Section::Answer, &record) {
                break;
            }
        }
        Some((writer.finish(), versions.first()?))
    }

    /// Others say something. True if there is something to tell.
    pub(crate) fn on_response(&mut self, now: Instant, message: &MdnsMessage<'_>) -> bool {
        let mut any = false;
        let mut flushed = false;
        for record in message.records() {
            let is_answer = record.kind == self.kind
                && record.mdns_class() == CLASS_INTERNET
                && record.name == self.name.as_name();
            if !is_answer {
                continue;
            }
            if record.flushes_cache() && !core::mem::replace(&mut flushed, true) {
                self.known.flush(now);
            }
            any |= self.known.learn(now, &record);
        }
        any
    }

    /// The next thing to tell, if there is any: it is told then.
    pub(crate) fn tell<R>(&mut self, tell: impl FnOnce(MdnsFound<'_>) -> R) -> Option<R> {
        self.known.tell(self.kind, tell)
    }

    /// Whether [`Self::tell`] has something.
    pub(crate) fn has_news(&self) -> bool {
        self.known.has_news()
    }

    /// How many answers did not fit the buffer.
    pub(crate) fn lost(&self) -> u32 {
        self.known.lost()
    }
}

const INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);
