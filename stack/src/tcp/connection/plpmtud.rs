//! What the path takes, found out without the help of routers (RFC 4821; RFC 8899 has the terms): where
//! packets that are too long vanish without a word, a connection does not stand still.
//!
//! As Linux with `tcp_mtu_probing=1`: nothing happens until full segments time out again and again. Then
//! segments become as short as most paths take, and from there a search by halves looks for the longest that
//! gets through:
//!
//! ```text
//!   mss                      probe                    high
//!    |------ arrives --------|------- not known -------|--- does not arrive
//! ```
//!
//! A probe is a longer segment of data that is to be sent anyway, with enough behind it to tell soon whether
//! it is lost. Its loss says something about the path's MTU and nothing about congestion (RFC 4821, section
//! 7.6.2). Found is what is within [`CLOSE_ENOUGH`]; ten minutes later the search starts over, because the
//! path may have become wider.

use zerocopy::little_endian::U32;

use super::Connection;
use super::plan::Span;
use crate::tcp::clock::seconds;
use crate::tcp::recovery::Phase;
use crate::time::Instant;
use crate::wire::SeqNum;

/// The search for the longest segment that the path takes. Lengths are of payload without options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// The longest that may arrive; 0 while nobody searches.
    high: u16,
    /// The length of the probe that is out, or 0.
    probe: u16,
    /// The number of the probe's first byte; while none is out, when the search starts over, in seconds. Not
    /// aligned, so that all of this fits between others.
    start: U32,
}

impl Search {
    pub(super) const OFF: Self = Self {
        high: 0,
        probe: 0,
        start: U32::new(0),
    };

    fn is_on(&self) -> bool {
        self.high > 0
    }

    /// Where the probe starts and how long it is, if one is out.
    fn probe(&self) -> Option<(SeqNum, u32)> {
        (self.probe > 0).then(|| (SeqNum::new(self.start.get()), u32::from(self.probe)))
    }
}

impl Connection<'_> {
    /// The retransmission timer expired. After [`BLACK_HOLE_TIMEOUTS`] in a row without an answer, not counting
    /// those that are repeated at once where losses are nothing special, it may be
    /// that nothing as long as our segments gets through: they become shorter, and with every further one
    /// shorter still.
    pub(super) fn suspect_black_hole(&mut self, now: Instant, in_a_row: u8) {
        self.abandon_probe(now);
        if in_a_row < BLACK_HOLE_TIMEOUTS || !self.state.is_synchronized() {
            return;
        }
        let base = if self.mss > BASE { BASE } else { SMALLEST };
        let oldest = self.snd.board().oldest_len();
        if oldest <= u32::from(base) || self.mss <= base {
            // Not for its length.
            return;
        }
        if !self.size.search.is_on() {
            // It may as well have been the peer that was away: the search has the old length in it.
            self.size.search.high = self.mss;
        }
        self.set_mss(base);
    }

    /// Peer and routers allow segments of `longest` bytes: what the search makes of that.
    pub(super) fn search_within(&mut self, longest: u16) -> u16 {
        let search = &mut self.size.search;
        if !search.is_on() {
            return longest;
        }
        search.high = search.high.min(longest);
        self.mss.min(longest)
    }

    /// A probe to be sent in place of a segment, if there is cause for one and enough to send: its loss is
    /// found by what follows it.
    #[inline]
    pub(super) fn next_path_probe(&mut self, now: Instant) -> Option<Span> {
        if !self.size.search.is_on() {
            return None;
        }
        self.plan_path_probe(now)
    }

    fn plan_path_probe(&mut self, now: Instant) -> Option<Span> {
        let is_quiet = self.sends_data()
            && self.recovery.phase() == Phase::Open
            && self.snd.scoreboard.lost() == 0
            && self.snd.scoreboard.sacked() == 0;
        let longest = self.longest_segment();
        let search = &mut self.size.search;
        if search.probe > 0 || !is_quiet {
            return None;
        }
        if search.high.saturating_sub(self.mss) < CLOSE_ENOUGH {
            let waited = seconds(now).wrapping_sub(search.start.get()) as i32;
            if waited < 0 {
                return None;
            }
            search.high = longest;
            if longest.saturating_sub(self.mss) < CLOSE_ENOUGH {
                self.conclude(now);
                return None;
            }
        }
        let len = self.mss + (search.high - self.mss).div_ceil(2);
        let start = self.snd.nxt;
        let enough = u32::from(len) + FOLLOWERS * u32::from(self.mss);
        let room = self.snd.window_left().min(self.allowance());
        if self.snd.bytes_from(start) < enough || room < enough || start != self.snd.max() {
            return None;
        }
        let search = &mut self.size.search;
        search.probe = len;
        search.start = start.get().into();
        Some(Span {
            len: u32::from(len),
            fin: false,
        })
    }

    /// New data was acknowledged. If the probe is among it, segments are as long as that from now on.
    #[inline]
    pub(super) fn check_path_probe(&mut self, now: Instant) {
        let Some((start, len)) = self.size.search.probe() else {
            return;
        };
        if self.snd.una.before(start + len) {
            return;
        }
        let probe = core::mem::take(&mut self.size.search.probe);
        self.set_mss(probe.min(self.longest_segment()));
        self.conclude(now);
    }

    /// `lost` bytes turned out to be lost: how many of these are a sign of congestion. If they are the probe
    /// and nothing else, none.
    #[inline]
    pub(super) fn without_probe_loss(&mut self, now: Instant, lost: u32) -> u32 {
        let Some((start, len)) = self.size.search.probe().filter(|_| lost > 0) else {
            return lost;
        };
        // What else is lost says nothing about the probe, if it was sent before; nor does the probe, if
        // others are lost with it.
        let probe = core::mem::take(&mut self.size.search.probe);
        self.conclude(now);
        let oldest = self.snd.board().first_lost();
        if lost != len || oldest.is_none_or(|hole| hole.start != start) {
            return lost;
        }
        self.size.search.high = probe - 1;
        0
    }

    /// The probe may have been lost with everything else: it counts as too long, for else it might be tried
    /// again for ever.
    fn abandon_probe(&mut self, now: Instant) {
        let probe = core::mem::take(&mut self.size.search.probe);
        if probe > 0 {
            self.size.search.high = probe - 1;
            self.conclude(now);
        }
    }

    /// Notes when to search again, should the search be at its end.
    fn conclude(&mut self, now: Instant) {
        let again = seconds(now).wrapping_add(SEARCH_AGAIN);
        self.size.search.start = again.into();
    }
}

/// As Linux (`tcp_retries1`): with the timeouts of a backed-off timer, a second or two for a near peer.
const BLACK_HOLE_TIMEOUTS: u8 = 3;

/// As Linux (`tcp_base_mss`): what nearly every path takes.
const BASE: u16 = 1024;

/// What every path takes that is worth the name, less IP and TCP headers with timestamps.
const SMALLEST: u16 = 500;

/// As Linux (`tcp_probe_threshold`): a few bytes more are not worth a probe.
const CLOSE_ENOUGH: u16 = 8;

/// The segments behind a probe, so that its loss shows by duplicate acknowledgments.
const FOLLOWERS: u32 = 3;

/// As Linux (`tcp_probe_interval`): ten minutes, in seconds.
const SEARCH_AGAIN: u32 = 600;

#[cfg(test)]
mod tests;
