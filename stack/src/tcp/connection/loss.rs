//! The connection's side of loss recovery: what an acknowledgment says about what is in flight, and what
//! may be sent next.

use super::Connection;
use super::timers::Timer;
use crate::events::Events;
use crate::stats::Tally;
use crate::tcp::clock::micros;
use crate::tcp::congestion::{Ack, Growth};
use crate::tcp::recovery::{
    Circumstances, Delivered, Phase, ProbeOutcome, Prr, PrrAck, Sent, reported_duplicate,
};
use crate::time::{Duration, Instant};
use crate::wire::{SackBlocks, SeqNum, TcpHeader, TcpSegment};

impl Connection<'_> {
    /// An acceptable acknowledgment arrived; `duplicate` as RFC 5681, section 2 has it.
    pub(super) fn on_acknowledgment(
        &mut self,
        segment: &TcpSegment<'_>,
        now: Instant,
        duplicate: bool,
    ) {
        let header = &segment.header;
        let blocks = if self.sack.is_on() {
            &segment.sack
        } else {
            &SackBlocks::EMPTY
        };
        let acked = if header.ack.after(self.snd.una) {
            header.ack.distance_from(self.snd.una)
        } else {
            0
        };
        let advances = acked > 0;
        let reports = !blocks.is_empty();
        if !advances && !reports && !duplicate {
            return;
        }
        let twice = reported_duplicate(blocks, header.ack);
        let (flight, pipe) = (self.snd.flight(), self.pipe());
        let mut delivered = self.snd.on_acked(header.ack, blocks);
        let echo = self.timestamps.echo(&header.options);
        self.look_for_originals(now, header, echo, &mut delivered);
        let rtt = self.recovery.on_delivered(micros(now), &mut delivered);
        if let Some(rtt) = rtt {
            self.rtt.sample(rtt);
        } else if advances && !self.rtt.is_timing() {
            self.measure_by_echo(now, header, twice.is_some());
        }
        if advances {
            #[cfg(feature = "path-mtu")]
            self.size.on_acked(acked, self.mss);
        }
        self.look_for_mistakes(header.ack, advances, echo, twice, &delivered);
        let repaired = advances && self.on_progress(now, header.ack, twice.is_some());
        let lost = self.find_losses(now, advances, duplicate, &mut delivered);
        #[cfg(feature = "tcp-plpmtud")]
        let lost = self.without_probe_loss(now, lost);
        let progress = Progress {
            acked,
            delivered: delivered.bytes,
            flight,
            pipe,
            repaired,
            lost,
            rtt,
            newest_sent: delivered.newest.map(|sent| sent.at),
        };
        self.adjust_window(now, &progress);
        // With nothing in flight there is nothing to probe for, and no timer.
        if self.snd.flight() > 0 && (advances || delivered.bytes > 0) {
            self.schedule_loss_probe(now);
        }
    }

    /// Does not take an original for the copy that was sent later, and learns from what arrived whether the path reorders.
    /// Without selective acknowledgments nobody knows what arrived ahead of a gap, and the order is of no use.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn look_for_originals(
        &mut self,
        now: Instant,
        header: &TcpHeader,
        echo: Option<u32>,
        delivered: &mut Delivered,
    ) {
        let of_original = delivered
            .newest
            .is_some_and(|sent| self.is_original(now, header, &sent));
        if of_original {
            delivered.newest = None;
        }
        let echo = echo.filter(|_| of_original);
        if self.sack.is_on() && self.recovery.note_reordering(delivered, echo) {
            self.tally |= Tally::REORDERING;
        }
    }

    /// Whether an acknowledgment is for the original of what was sent again (RFC 8985, section 6.2, step 2). As Linux, by
    /// what is acknowledged in order: what arrived beyond a gap is reported with the timestamp from before the gap (RFC
    /// 7323, section 4.3).
    fn is_original(&self, now: Instant, header: &TcpHeader, sent: &Sent) -> bool {
        sent.retransmitted
            && sent.end.at_or_before(header.ack)
            && self.timestamps.echoes_before(now, sent.at, &header.options)
    }

    /// Takes back what was done about losses that were none.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn look_for_mistakes(
        &mut self,
        ack: SeqNum,
        advances: bool,
        echo: Option<u32>,
        twice: Option<SeqNum>,
        delivered: &Delivered,
    ) {
        let max = self.snd.max();
        let all_twice = self.recovery.on_report(ack, max, advances, twice);
        if !self.congestion.is_limiting() {
            return;
        }
        let spurious = self.recovery.phase() != Phase::Open && {
            let awaited = self.snd.board().awaits_retransmission();
            self.recovery
                .is_spurious(ack, advances, echo, delivered, awaited)
        };
        if all_twice || spurious {
            self.tally |= match all_twice {
                true => Tally::UNDO_BY_DSACK,
                false => Tally::UNDO_BY_ACKS,
            };
            self.congestion.on_spurious();
            self.recovery.on_spurious();
            self.snd.board().find_all();
        }
    }

    /// `SND.UNA < SEG.ACK =< SND.NXT`: new data is acknowledged; `twice` if some of it arrived twice. True if that
    /// repairs what was lost.
    fn on_progress(&mut self, now: Instant, ack: SeqNum, twice: bool) -> bool {
        self.rtt.on_ack(now);
        self.retries = 0;
        self.soft_error = None;
        self.events |= Events::WRITABLE;
        self.timers.stop(Timer::User);
        if self.snd.all_acked() {
            self.events |= Events::STATE;
        }
        // RFC 6298, section 5.3: "restart the retransmission timer", which follows from what is left.
        self.timers.stop(Timer::Retransmit);
        if self.recovery.probe_outcome(ack, twice) == ProbeOutcome::Repaired
            && self.recovery.phase() == Phase::Open
        {
            // A loss like any other, but repaired already.
            let flight = self.snd.flight();
            self.congestion.on_loss(flight.max(u32::from(self.mss)));
            self.congestion.on_recovered();
        }
        #[cfg(feature = "tcp-plpmtud")]
        self.check_path_probe(now);
        self.recovery.on_progress(self.snd.una)
    }

    /// Bytes that are lost and were not known to be.
    fn find_losses(
        &mut self,
        now: Instant,
        advances: bool,
        duplicate: bool,
        delivered: &mut Delivered,
    ) -> u32 {
        if self.sack.is_on() {
            if self.snd.scoreboard.sacked() == 0 && self.recovery.phase() == Phase::Open {
                self.look_again(now, None);
                return 0;
            }
            return self.detect(now);
        }
        if duplicate {
            // RFC 9937: each duplicate stands for a segment that arrived.
            delivered.bytes += u32::from(self.mss);
            return match self.recovery.on_duplicate(self.snd.una) {
                true => self.snd.board().lose_first(u32::from(self.mss)),
                false => 0,
            };
        }
        // RFC 6582, section 3.2, step 3: a partial acknowledgment names the next hole.
        if advances && self.recovery.phase() == Phase::Fast {
            return self.snd.board().lose_first(u32::from(self.mss));
        }
        0
    }

    /// Looks for losses by what the peer reported; again later where segments may be late rather than lost.
    pub(super) fn detect(&mut self, now: Instant) -> u32 {
        let srtt = self.rtt.srtt().map_or(0, Duration::as_micros);
        let circumstances = Circumstances {
            now: micros(now),
            srtt: u32::try_from(srtt).unwrap_or(u32::MAX),
            in_recovery: self.recovery.phase() != Phase::Open,
            mss: u32::from(self.mss),
            sacked: self.snd.scoreboard.sacked(),
        };
        let detected = self.recovery.detect(&mut self.snd.board(), &circumstances);
        self.look_again(now, detected.look_again);
        detected.bytes
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn adjust_window(&mut self, now: Instant, progress: &Progress) {
        if self.congestion.is_limiting() {
            let ack = self.congestion_news(now, progress);
            self.congestion.on_ack(&ack);
        }
        if progress.repaired {
            self.congestion.on_recovered();
        }
        if progress.lost > 0 && self.recovery.phase() == Phase::Open {
            // What arrived behind the hole let out as much again while it was not known whether the hole is a
            // loss: that does not make the path any wider than the window.
            let flight = progress.flight.max(self.last_pipe);
            self.congestion
                .on_loss(flight.min(self.congestion.window()));
            self.tally |= Tally::FAST_RECOVERY;
            #[cfg(feature = "tcp-ecn")]
            self.ecn.on_reduced(self.snd.max());
            let mss = u32::from(self.mss);
            if let Some(prr) = self.congestion.prr_mut() {
                // RFC 9937, section 6.2: RecoverFS leaves out what was reported before.
                *prr = Prr::start(progress.pipe, mss);
            }
            self.recovery.enter_fast(self.snd.max());
            self.stop_loss_probe();
        }
        match self.recovery.phase() {
            Phase::Fast => {
                let (pipe, ssthresh) = (self.pipe(), self.congestion.ssthresh());
                let mss = u32::from(self.mss);
                let Some(prr) = self.congestion.prr_mut() else {
                    return;
                };
                prr.on_ack(&PrrAck {
                    delivered: progress.delivered,
                    pipe,
                    ssthresh,
                    mss,
                    safe: progress.acked > 0 && progress.lost == 0,
                });
                if progress.lost > 0 && !self.sack.is_on() {
                    // RFC 6582, section 3.2, step 3: a partial acknowledgment retransmits "the first
                    // unacknowledged segment". No other acknowledgment may come to make room for it.
                    prr.force(mss);
                }
            }
            Phase::Open | Phase::Timeout => {}
        }
    }

    /// What congestion control is told.
    fn congestion_news(&self, now: Instant, progress: &Progress) -> Ack {
        // NewReno does without it.
        let paced = cfg!(any(feature = "tcp-cubic", feature = "tcp-bbr"));
        let pipe = if paced { self.pipe() } else { 0 };
        let acked = self.growing_bytes(progress);
        let window_limited = self.was_limited(progress.pipe);
        let growth = match self.recovery.phase() {
            _ if acked == 0 || progress.repaired => Growth::Held,
            Phase::Open if progress.lost == 0 => Growth::Normal,
            Phase::Open | Phase::Fast => Growth::Held,
            Phase::Timeout => Growth::AfterTimeout,
        };
        Ack {
            now,
            acked,
            #[cfg(feature = "tcp-bbr")]
            delivered: progress.delivered,
            #[cfg(feature = "tcp-bbr")]
            lost: self.congestive(progress.lost),
            in_flight: pipe,
            rtt: progress.rtt,
            srtt: self.rtt.srtt().map_or(0, |srtt| srtt.as_micros() as u32),
            #[cfg(feature = "tcp-bbr")]
            newest_sent: progress.newest_sent,
            #[cfg(feature = "tcp-bbr")]
            app_limited: self.snd.scoreboard.lost() == 0
                && self.snd.bytes_from(self.snd.nxt) < u32::from(self.mss)
                && pipe.saturating_add(u32::from(self.mss)) <= self.congestion.window(),
            window_limited,
            growth,
        }
    }

    /// How much of what was `lost` speaks of congestion. Where segments overtake each other, a retransmission overtakes
    /// some, too, and the peer discards those for their older timestamps (RFC 7323, section 5.3, R1). With a hundred
    /// megabits a second that is one for each that is sent again, with which the path has nothing to do.
    #[cfg(feature = "tcp-bbr")]
    fn congestive(&self, lost: u32) -> u32 {
        if self.recovery.expects_reordering() && self.timestamps.is_on() {
            lost / 2
        } else {
            lost
        }
    }

    /// Bytes that let the congestion window grow: those acknowledged in order. On a path that reorders, where
    /// half the acknowledgments report a gap that is none, each byte counts when it arrives. Those behind a real
    /// loss would not count at all otherwise. Linux does so where segments are late by more than three.
    fn growing_bytes(&self, progress: &Progress) -> u32 {
        match self.recovery.phase() {
            Phase::Open if self.recovery.expects_reordering() => progress.delivered,
            _ => progress.acked,
        }
    }

    /// Whether the congestion window was what held the sender back with `pipe` bytes in the network: now, or
    /// when it last sent. Acknowledgments that arrive together empty the network before anything is sent, and
    /// the last of them count as much as the first. No window takes more than a gigabyte (RFC 7323, section 2.3).
    fn was_limited(&self, pipe: u32) -> bool {
        let cwnd = self.congestion.window();
        let pipe = pipe.max(self.last_pipe);
        let reach = if cwnd < self.congestion.ssthresh() {
            2 * pipe
        } else {
            // Pacing lets what is in flight trail the window by a fifth.
            pipe + pipe / 4 + u32::from(self.mss)
        };
        reach >= cwnd
    }

    /// The retransmission timer expired.
    pub(super) fn lose_everything(&mut self) {
        let flight = self.snd.flight();
        self.congestion.on_timeout(flight, self.retries == 1);
        #[cfg(feature = "tcp-ecn")]
        self.ecn.on_reduced(self.snd.max());
        self.recovery.on_timeout(self.snd.max(), self.retries > 1);
        if self.snd.board().lose_all() {
            self.tally |= Tally::RENEGE;
        }
        self.stop_loss_timers();
    }

    /// Bytes that are believed to be in the network (RFC 6675, section 4, SetPipe).
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn pipe(&self) -> u32 {
        let away = self.snd.scoreboard.sacked() + self.snd.scoreboard.lost();
        // Before recovery duplicates let out what limited transmit allows, and nothing more.
        let away = if self.sack.is_on() || self.recovery.phase() == Phase::Open {
            away
        } else {
            away.saturating_add(self.recovery.duplicates() * u32::from(self.mss))
        };
        self.snd.flight().saturating_sub(away)
    }

    /// Bytes that congestion control lets out now.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn allowance(&self) -> u32 {
        if self.recovery.phase() == Phase::Fast
            && let Some(prr) = self.congestion.prr()
        {
            return prr.allowance();
        }
        let extra = self.recovery.extra_segments() * u32::from(self.mss);
        self.congestion
            .window()
            .saturating_add(extra)
            .saturating_sub(self.pipe())
    }

    /// Whether a lost segment may be sent again now. With nothing in the network one always may.
    pub(super) fn may_retransmit(&self) -> bool {
        let lost = self.snd.scoreboard.lost();
        if lost == 0 || self.recovery.prefers_new_data() && self.next_span().is_some() {
            return false;
        }
        self.allowance() >= lost.min(u32::from(self.mss)) || self.pipe() == 0
    }

    /// Karn's algorithm forbids timing what was sent again; the echo says which copy was acknowledged.
    fn measure_by_echo(&mut self, now: Instant, header: &TcpHeader, twice: bool) {
        if twice {
            // The peer had it before, and the acknowledgment of that was lost. Linux echoes the copy that it
            // took, however long ago, and answers the other: no round trip took as long as that, and the
            // silence says nothing about the path.
            self.rtt.forget_backoff();
        } else if let Some(age) = self.timestamps.echo_age(now, &header.options) {
            self.rtt.sample(age.as_micros() as u32);
        }
    }
}

/// What an acknowledgment changed.
#[derive(Default)]
pub(super) struct Progress {
    /// Bytes acknowledged in order.
    pub(super) acked: u32,
    /// Bytes that arrived, in whatever order.
    pub(super) delivered: u32,
    /// Bytes that were in flight before.
    pub(super) flight: u32,
    /// Bytes that were in the network before.
    pub(super) pipe: u32,
    /// Everything that was lost has arrived.
    pub(super) repaired: bool,
    /// Bytes that turned out to be lost.
    pub(super) lost: u32,
    /// The round trip that was measured, in microseconds.
    pub(super) rtt: Option<u32>,
    /// When the newest of what arrived was sent.
    #[cfg_attr(not(feature = "tcp-bbr"), expect(dead_code))]
    pub(super) newest_sent: Option<u32>,
}

/// How often a connection without congestion control waits no longer than the last time, before it doubles
/// its patience after all: as Linux does for connections with little in flight (TCP_THIN_LINEAR_TIMEOUTS).
pub(super) const LINEAR_TIMEOUTS: u8 = 6;

#[cfg(test)]
mod tests;
#[cfg(all(
    test,
    not(any(feature = "tcp-rack", feature = "tcp-prr", feature = "tcp-undo"))
))]
#[path = "loss/tests/by_count.rs"]
mod tests_by_count;
