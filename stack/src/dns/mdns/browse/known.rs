//! The answers that are known, one after the other in a buffer of the user's.

use core::ops::Range;

use super::super::tie_break::rdata_bytes;
use super::MdnsFound;
use crate::storage::Bytes;
use crate::time::{Duration, Instant};
use crate::wire::dns::{Record, RecordData, RecordType};

/// Answers, each as a [`Head`] and its data without compression.
pub(super) struct Known<'d> {
    buffer: Bytes<'d>,
    len: usize,
    lost: u32,
}

/// What is noted of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    /// The length of its data in bytes.
    len: u16,
    news: News,
    /// How often it was asked for again because it is about to run out.
    refreshes: u8,
    /// For how many seconds it holds, from `heard` on.
    ttl: u32,
    heard: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    None,
    Added,
    Removed,
}

impl<'d> Known<'d> {
    pub(super) fn new(buffer: Bytes<'d>) -> Self {
        Self {
            buffer,
            len: 0,
            lost: 0,
        }
    }

    pub(super) fn lost(&self) -> u32 {
        self.lost
    }

    /// An answer was heard. True if there is something to tell.
    pub(super) fn learn(&mut self, now: Instant, record: &Record<'_>) -> bool {
        let ttl = record.ttl;
        if let Some((at, mut head)) = self.find(record) {
            let was_gone = head.news == News::Removed;
            // Section 10.1: a goodbye holds for one more second.
            head.ttl = ttl.max(1);
            head.heard = now;
            head.refreshes = if ttl == 0 { REFRESHES } else { 0 };
            if was_gone && ttl > 0 {
                // Nobody has heard yet that it was gone.
                head.news = News::None;
            }
            self.put(at, head);
            return false;
        }
        if ttl == 0 {
            return false;
        }
        let head = Head {
            len: 0,
            news: News::Added,
            refreshes: 0,
            ttl,
            heard: now,
        };
        let added = self.push(head, &record.data).is_some();
        self.lost = self.lost.wrapping_add(u32::from(!added));
        added
    }

    /// Section 10.2: what was heard more than a second ago is void in a second, unless it is heard again now.
    pub(super) fn flush(&mut self, now: Instant) {
        self.each(|head| {
            if now.since(head.heard) > SECOND && head.news != News::Removed {
                head.ttl = 1;
                head.heard = now;
                head.refreshes = REFRESHES;
            }
        });
    }

    /// Marks what has run out. True if there is something to tell.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let mut any = false;
        let mut untold = None;
        self.each_at(|at, head| {
            if head.news == News::Removed || head.expires() > now {
                return;
            }
            match head.news {
                // Nobody has heard of it; one such goes at a time.
                News::Added => untold = Some(at),
                _ => head.news = News::Removed,
            }
            any |= head.news == News::Removed;
        });
        if let Some(at) = untold {
            self.remove(at);
        }
        any
    }

    /// Whether an answer is to be asked for again, which counts as done.
    ///
    /// Section 5.2: "at 80% of the record lifetime [...] at 85%, 90%, and 95%".
    pub(super) fn refresh(&mut self, now: Instant) -> bool {
        let mut any = false;
        self.each(|head| {
            while head.refresh_due().is_some_and(|due| due <= now) {
                head.refreshes += 1;
                any = true;
            }
        });
        any
    }

    pub(super) fn next_deadline(&self, asks: bool) -> Option<Instant> {
        let held = self.heads().filter(|(_, head)| head.news != News::Removed);
        held.map(|(_, head)| match head.refresh_due().filter(|_| asks) {
            Some(due) => due,
            None => head.expires(),
        })
        .min()
    }

    /// What need not be told: data, and the seconds that are left of more than half its time (section 7.1).
    pub(super) fn fresh(&self, now: Instant) -> impl Iterator<Item = (&[u8], u32)> {
        self.heads().filter_map(move |(at, head)| {
            let left = u32::try_from(head.expires().since(now).as_secs()).unwrap_or(u32::MAX);
            let is_fresh = head.news != News::Removed && left > head.ttl / 2;
            Some((self.data(at, head)?, left)).filter(|_| is_fresh)
        })
    }

    pub(super) fn has_news(&self) -> bool {
        self.heads().any(|(_, head)| head.news != News::None)
    }

    pub(super) fn tell<R>(
        &mut self,
        kind: RecordType,
        tell: impl FnOnce(MdnsFound<'_>) -> R,
    ) -> Option<R> {
        let (at, head) = self.heads().find(|(_, head)| head.news != News::None)?;
        let data = RecordData::read(self.data(at, head)?, kind).ok();
        let told = match (head.news, data) {
            (News::Added, Some(data)) => Some(tell(MdnsFound::Added(data))),
            (_, Some(data)) => Some(tell(MdnsFound::Removed(data))),
            // What was read once can be read again.
            (_, None) => None,
        };
        match head.news {
            News::Added => {
                let news = News::None;
                self.put(at, Head { news, ..head });
            }
            News::Removed | News::None => self.remove(at),
        }
        told
    }

    /// The answer that says the same, in whatever letters.
    fn find(&self, record: &Record<'_>) -> Option<(usize, Head)> {
        self.heads().find(|&(at, head)| {
            let known = self.data(at, head).unwrap_or_default();
            RecordData::read(known, record.kind).is_ok_and(|known| known == record.data)
        })
    }

    fn push(&mut self, head: Head, data: &RecordData<'_>) -> Option<()> {
        let at = self.len;
        let room = self.buffer.get_mut(at + HEAD..)?;
        let mut len = 0;
        for byte in rdata_bytes(data) {
            *room.get_mut(len)? = byte;
            len += 1;
        }
        let head = Head {
            len: u16::try_from(len).ok()?,
            ..head
        };
        self.put(at, head);
        self.len = at + HEAD + len;
        Some(())
    }

    fn remove(&mut self, at: usize) {
        let Some(head) = self.head(at) else { return };
        let end = at + HEAD + usize::from(head.len);
        if end <= self.len {
            self.buffer.copy_within(end..self.len, at);
            self.len -= end - at;
        }
    }

    fn each(&mut self, mut change: impl FnMut(&mut Head)) {
        self.each_at(|_, head| change(head));
    }

    fn each_at(&mut self, mut change: impl FnMut(usize, &mut Head)) {
        let mut at = 0;
        while let Some(mut head) = self.head(at) {
            change(at, &mut head);
            self.put(at, head);
            at += HEAD + usize::from(head.len);
        }
    }

    fn heads(&self) -> impl Iterator<Item = (usize, Head)> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let head = self.head(at)?;
            let found = (at, head);
            at += HEAD + usize::from(head.len);
            Some(found)
        })
    }

    fn data(&self, at: usize, head: Head) -> Option<&[u8]> {
        let range: Range<usize> = at + HEAD..at + HEAD + usize::from(head.len);
        self.buffer.get(range)
    }

    fn head(&self, at: usize) -> Option<Head> {
        if at >= self.len {
            return None;
        }
        let bytes: &[u8; HEAD] = self.buffer.get(at..at + HEAD)?.try_into().ok()?;
        let &[l0, l1, news, refreshes, t0, t1, t2, t3, h @ ..] = bytes;
        Some(Head {
            len: u16::from_le_bytes([l0, l1]),
            news: match news {
                0 => News::None,
                1 => News::Added,
                _ => News::Removed,
            },
            refreshes,
            ttl: u32::from_le_bytes([t0, t1, t2, t3]),
            heard: Instant::from_micros(u64::from_le_bytes(h)),
        })
    }

    fn put(&mut self, at: usize, head: Head) {
        let Some(room) = self.buffer.get_mut(at..at + HEAD) else {
            return;
        };
        let news = match head.news {
            News::None => 0,
            News::Added => 1,
            News::Removed => 2,
        };
        let parts = [
            &head.len.to_le_bytes()[..],
            &[news, head.refreshes],
            &head.ttl.to_le_bytes(),
            &head.heard.as_micros().to_le_bytes(),
        ];
        let bytes = parts.into_iter().flatten();
        for (room, byte) in room.iter_mut().zip(bytes) {
            *room = *byte;
        }
    }
}

impl Head {
    fn expires(&self) -> Instant {
        self.heard + Duration::from_secs(self.ttl.into())
    }

    /// When it is asked for again: four times, from four fifths of its time on.
    fn refresh_due(&self) -> Option<Instant> {
        if self.refreshes >= REFRESHES || self.news == News::Removed {
            return None;
        }
        let percent = 80 + 5 * u64::from(self.refreshes);
        let part = Duration::from_millis(u64::from(self.ttl) * percent * 10);
        Some(self.heard + part)
    }
}

/// The length of a [`Head`] in the buffer.
const HEAD: usize = 16;

const REFRESHES: u8 = 4;

const SECOND: Duration = Duration::from_secs(1);
