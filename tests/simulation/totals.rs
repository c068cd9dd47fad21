//! What a campaign has been through, counted, and what it must not leave out.

use std::fmt;
use std::ops::AddAssign;

use cygnet::{Discard, Stats};

use crate::wire::Seen;

/// Counters over one world or many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) worlds: u64,
    /// Virtual time in milliseconds.
    pub(crate) millis: u64,
    pub(crate) frames: u64,
    /// Bytes that users read.
    pub(crate) bytes: u64,
    pub(crate) conversations: u64,
    pub(crate) polls: u64,
    pub(crate) datagrams: u64,
    pub(crate) ways: [u64; WAYS.len()],
}

/// A way through the stack.
struct Way {
    name: &'static str,
    /// How often it was taken, by the stack's own counters and by what was seen on the wire.
    taken: fn(&Stats, &Seen) -> u64,
}

/// Every campaign of some length takes all of these.
const WAYS: [Way; 22] = [
    way("retransmissions", |s, _| s.retransmits.into()),
    way("retransmission timeouts", |s, _| s.timeouts.into()),
    way("fast recoveries", |s, _| s.fast_recoveries.into()),
    way("tail loss probes", |s, _| s.tail_probes.into()),
    way("reordering seen by RACK", |s, _| s.reorderings.into()),
    way("duplicates reported (D-SACK)", |_, w| {
        w.duplicate_reports.get()
    }),
    way("repairs undone by D-SACK", |s, _| s.undos_by_dsack.into()),
    way("repairs undone by acknowledgments", |s, _| {
        s.undos_by_acks.into()
    }),
    way("peers that reneged", |s, _| s.reneges.into()),
    way("sequence numbers past zero", |_, w| w.wraps.get()),
    way("windows closed", |_, w| w.zero_windows.get()),
    way("window probes", |s, _| s.window_probes.into()),
    way("SYN cookies sent", |s, _| s.syn_cookies_sent.into()),
    way("SYN cookies accepted", |s, _| s.syn_cookies_accepted.into()),
    way("requests beyond the backlog", |s, _| {
        s.discarded(Discard::BacklogFull).into()
    }),
    way("connections without buffers", |s, _| {
        s.discarded(Discard::NoConnectionSlot).into()
    }),
    way("old timestamps (PAWS)", |s, _| {
        s.discarded(Discard::OldTimestamp).into()
    }),
    way("wrong checksums", |s, _| {
        s.discarded(Discard::BadChecksum).into()
    }),
    way("segments out of the window", |s, _| {
        s.discarded(Discard::OutOfWindow).into()
    }),
    way("data for closed sockets", |s, _| {
        s.discarded(Discard::DataAfterClose).into()
    }),
    way("inexact resets", |s, _| {
        s.discarded(Discard::InexactReset).into()
    }),
    way("unreachable neighbors", |s, _| s.unreachable.into()),
];

const fn way(name: &'static str, taken: fn(&Stats, &Seen) -> u64) -> Way {
    Way { name, taken }
}

impl Totals {
    /// Adds what one host of a world counted.
    pub(crate) fn add_host(&mut self, stats: &Stats, seen: &Seen) {
        self.frames += u64::from(stats.sent);
        for (count, way) in self.ways.iter_mut().zip(&WAYS) {
            *count += (way.taken)(stats, seen);
        }
    }

    /// The ways that were never taken.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let ways = WAYS.iter().zip(self.ways);
        ways.filter(|(_, count)| *count == 0)
            .map(|(way, _)| way.name)
            .collect()
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.worlds += other.worlds;
        self.millis += other.millis;
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.conversations += other.conversations;
        self.polls += other.polls;
        self.datagrams += other.datagrams;
        for (count, more) in self.ways.iter_mut().zip(other.ways) {
            *count += more;
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, count: &dyn fmt::Display| writeln!(f, "{name:34} {count:>14}");
        line("worlds", &self.worlds)?;
        line("virtual hours", &(self.millis / 3_600_000))?;
        line("conversations", &self.conversations)?;
        line("bytes delivered", &self.bytes)?;
        line("datagrams delivered", &self.datagrams)?;
        line("frames", &self.frames)?;
        line("polls of runners", &self.polls)?;
        for (way, count) in WAYS.iter().zip(self.ways) {
            line(way.name, &count)?;
        }
        Ok(())
    }
}
