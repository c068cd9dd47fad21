//! What is lost, and how much may be sent while it is repaired.
//!
//! One mechanism for all: [`scoreboard`] knows the fate of every segment in flight, lost ones are sent
//! again first, and only the ways to find out that something is lost differ:
//!
//! - [`rack`] (RFC 8985), with a peer that reports what it received: by time of sending;
//! - the third duplicate acknowledgment and partial acknowledgments (RFC 6582), with one that does not;
//! - the retransmission timer (RFC 6298), when no acknowledgments come.
//!
//! [`prr`] (RFC 9937) meters what goes out meanwhile, where congestion control wants it to, and [`spurious`]
//! notices when all of it was a mistake. The connection's side of it is in `connection/loss.rs`.

#[cfg(not(feature = "tcp-rack"))]
mod by_count;
mod delivered;
#[cfg_attr(not(feature = "tcp-rack"), path = "no_probe.rs")]
mod probe;
#[cfg_attr(not(feature = "tcp-prr"), path = "no_prr.rs")]
mod prr;
#[cfg(feature = "tcp-rack")]
mod rack;
// Where nothing asks for segments one by one, it is enough to know which bytes are where.
#[cfg_attr(
    not(any(
        feature = "tcp-rack",
        feature = "tcp-undo",
        feature = "tcp-bbr",
        feature = "tcp-plpmtud"
    )),
    path = "ranges.rs"
)]
mod scoreboard;
#[cfg_attr(not(feature = "tcp-undo"), path = "no_undo.rs")]
mod spurious;

#[cfg(not(feature = "tcp-rack"))]
use by_count::ByCount as Detector;
pub(crate) use delivered::{Delivered, Sent};
use probe::Probe;
pub(crate) use probe::ProbeOutcome;
pub(crate) use prr::Prr;
#[cfg(feature = "tcp-rack")]
use rack::Rack as Detector;
pub use scoreboard::send_buffer_len;
pub(crate) use scoreboard::{Board, Hole, RecordTable, Scoreboard};
use spurious::Suspicion;

use crate::wire::{SackBlocks, SeqNum};

/// Where a connection stands in repairing losses.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    phase: Phase,
    /// RecoveryPoint: when this is acknowledged, what was lost is repaired.
    point: SeqNum,
    /// Duplicate acknowledgments in a row, from a peer that does not report what it received.
    duplicates: u8,
    detector: Detector,
    pub(crate) probe: Probe,
    suspicion: Suspicion,
}

/// What a connection is doing about losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// There are none.
    Open,
    /// Some were found by what arrived after them (fast recovery).
    Fast,
    /// The retransmission timer expired.
    Timeout,
}

/// How much of the table is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Detected {
    pub(crate) bytes: u32,
    /// When to look again, in microseconds from now: some may only be late.
    pub(crate) look_again: Option<u32>,
}

/// What decides about losses beside the table and what arrived before.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "tcp-rack"), expect(dead_code, reason = "for RACK"))]
pub(crate) struct Circumstances {
    /// In microseconds, low 32 bits.
    pub(crate) now: u32,
    /// In microseconds.
    pub(crate) srtt: u32,
    pub(crate) in_recovery: bool,
    pub(crate) mss: u32,
    /// Bytes that arrived ahead of others.
    pub(crate) sacked: u32,
}

/// What an acknowledgment means for the rate during recovery.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "tcp-prr"), expect(dead_code, reason = "for PRR"))]
pub(crate) struct PrrAck {
    /// Bytes that arrived.
    pub(crate) delivered: u32,
    /// Bytes in the network.
    pub(crate) pipe: u32,
    pub(crate) ssthresh: u32,
    pub(crate) mss: u32,
    /// SafeACK: it acknowledges in order and shows no more losses, so that what is in flight may grow.
    pub(crate) safe: bool,
}

impl Recovery {
    pub(crate) fn new(iss: SeqNum) -> Self {
        Self {
            phase: Phase::Open,
            point: iss,
            duplicates: 0,
            detector: Detector::new(iss),
            probe: Probe::new(iss),
            suspicion: Suspicion::default(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes note of what arrived; a round-trip time in microseconds, if it tells one. What came too soon to be the
    /// answer to a retransmission is the newest no more.
    pub(crate) fn on_delivered(&mut self, now: u32, delivered: &mut Delivered) -> Option<u32> {
        if delivered.bytes > 0 {
            self.probe.on_arrival();
        }
        self.detector.on_delivered(now, delivered)
    }

    /// Data goes out with nothing else in flight.
    pub(crate) fn on_quiet(&mut self) {
        self.detector.on_quiet();
    }

    /// Whether the path was seen to reorder.
    pub(crate) fn expects_reordering(&self) -> bool {
        self.detector.has_seen_reordering()
    }

    /// Takes note of segments that have overtaken those that arrived now, and says whether there are any. Before
    /// [`Self::on_delivered`]. `echo_of_original`: the timestamp that comes back for a segment that was sent again, if it
    /// is older than that copy.
    ///
    /// RFC 8985 looks at what was sent only once. Until a path is known to reorder, whatever is late is sent again at
    /// once, and none of it would ever count. An echo from before all that a fast recovery sent again shows that an
    /// original arrived, behind those which made it look lost. Linux does the same where not all of them have (TCPTSReorder).
    pub(crate) fn note_reordering(
        &mut self,
        delivered: &Delivered,
        echo_of_original: Option<u32>,
    ) -> bool {
        let is_late = self.phase == Phase::Fast
            && self
                .suspicion
                .is_older_than_retransmission(echo_of_original);
        let overtaken = is_late || self.detector.overtakes(delivered);
        if overtaken {
            self.detector.on_reordering();
        }
        overtaken
    }

    /// An acknowledgment came in; `duplicate`: the end of the segment that it reports to have arrived
    /// twice. True if that shows that everything sent again since the window was cut was sent for nothing.
    ///
    /// What waits for a hole to be filled was not sent again: if it arrives twice the network made the copy.
    pub(crate) fn on_report(
        &mut self,
        una: SeqNum,
        max: SeqNum,
        advances: bool,
        duplicate: Option<SeqNum>,
    ) -> bool {
        if advances {
            self.suspicion.on_progress();
        }
        self.detector.on_report(una, max, duplicate.is_some());
        let Some(end) = duplicate else { return false };
        self.suspicion.on_duplicate_reported(end.at_or_before(una))
    }

    /// An acknowledgment while losses are repaired, with the timestamp that it echoes. True if they were
    /// none. `awaited`: something that was sent again has not arrived yet; then only some were none.
    pub(crate) fn is_spurious(
        &mut self,
        una: SeqNum,
        advances: bool,
        echo: Option<u32>,
        delivered: &Delivered,
        awaited: bool,
    ) -> bool {
        let by_echo = advances && !awaited && self.suspicion.is_older_than_retransmission(echo);
        match self.phase {
            Phase::Open => false,
            Phase::Fast => by_echo,
            Phase::Timeout => {
                let original = delivered
                    .lowest_original
                    .is_some_and(|end| end.at_or_before(self.point));
                let partly = advances && una.before(self.point);
                self.suspicion.on_ack_after_timeout(original, partly) || by_echo
            }
        }
    }

    /// Nothing was lost after all.
    pub(crate) fn on_spurious(&mut self) {
        self.phase = Phase::Open;
        self.suspicion.settle();
    }

    /// A segment goes out again, with that timestamp if it has one.
    pub(crate) fn on_retransmitted(&mut self, timestamp: Option<u32>) {
        self.suspicion.on_retransmitted(timestamp);
    }

    /// Whether new data goes before retransmissions, to find out whether those are needed (RFC 5682).
    pub(crate) fn prefers_new_data(&self) -> bool {
        self.phase == Phase::Timeout && self.suspicion.prefers_new_data()
    }

    /// Looks for losses by time.
    pub(crate) fn detect(&self, board: &mut Board<'_>, at: &Circumstances) -> Detected {
        self.detector.detect(board, at)
    }

    /// RFC 5681, section 3.2: the third duplicate in a row is taken as the sign of a loss. True if this
    /// one is it. RFC 6582, section 3.2, step 2: not if `una` lies before what was repaired last, for then
    /// the duplicates are echoes of what was sent needlessly.
    pub(crate) fn on_duplicate(&mut self, una: SeqNum) -> bool {
        self.duplicates = self.duplicates.saturating_add(1);
        self.phase == Phase::Open && self.duplicates == THRESHOLD && !una.before(self.point)
    }

    /// New data was acknowledged. True if that repairs what was lost.
    pub(crate) fn on_progress(&mut self, una: SeqNum) -> bool {
        self.duplicates = 0;
        let repaired = self.phase != Phase::Open && una.at_or_after(self.point);
        if repaired {
            self.phase = Phase::Open;
            self.detector.on_recovered();
        }
        if self.phase == Phase::Open {
            // Stays close to what is in flight, where numbers can be compared.
            self.point = self.point.max(una);
        }
        repaired
    }

    /// A loss was found with bytes up to `max` in flight.
    pub(crate) fn enter_fast(&mut self, max: SeqNum) {
        self.phase = Phase::Fast;
        self.point = max;
        self.probe.on_recovery();
        self.suspicion.start();
    }

    /// The retransmission timer expired.
    pub(crate) fn on_timeout(&mut self, max: SeqNum, again: bool) {
        if self.phase == Phase::Open {
            self.suspicion.start();
        }
        self.suspicion.on_timeout(again);
        self.phase = Phase::Timeout;
        self.point = max;
        self.duplicates = 0;
        self.probe.give_up();
    }

    /// Duplicates that stand for segments which arrived, of a peer that does not report them.
    pub(crate) fn duplicates(&self) -> u32 {
        u32::from(self.duplicates)
    }

    /// How many segments beyond the congestion window may go out (RFC 3042: one for each of the first
    /// two duplicates, to keep the acknowledgments coming).
    pub(crate) fn extra_segments(&self) -> u32 {
        if self.phase == Phase::Open {
            u32::from(self.duplicates.min(THRESHOLD - 1))
        } else {
            0
        }
    }

    /// RFC 8985, section 7.4.2: `ack` is acknowledged; `duplicate`: the peer reports that it had received
    /// the segment twice.
    pub(crate) fn probe_outcome(&mut self, ack: SeqNum, duplicate: bool) -> ProbeOutcome {
        self.probe.outcome(ack, duplicate)
    }
}

/// The end of the segment that an acknowledgment reports to have arrived twice: its first block lies below
/// the acknowledgment or within the second block (RFC 2883, section 4).
pub(crate) fn reported_duplicate(blocks: &SackBlocks, ack: SeqNum) -> Option<SeqNum> {
    let mut blocks = blocks.iter();
    let (left, right) = blocks.next()?;
    let within = |(outer, end)| left.at_or_after(outer) && right.at_or_before(end);
    (right.at_or_before(ack) || blocks.next().is_some_and(within)).then_some(right)
}

/// RFC 5681, section 3.2: DupThresh.
const THRESHOLD: u8 = 3;

#[cfg(test)]
mod tests;
