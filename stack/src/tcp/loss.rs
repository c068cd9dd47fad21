//! The connection's side of loss recovery: what an acknowledgment says about what is in flight, and what
//! may be sent next.

use super::congestion::{Ack, Growth};
use super::connection::Connection;
use super::recovery::{Circumstances, Delivered, Phase, ProbeOutcome, Prr};
use super::timers::Timer;
use crate::events::Events;
use crate::time::{Duration, Instant};
use crate::wire::{SackBlocks, SeqNum, TcpHeader, TcpOptions};

impl Connection<'_> {
    /// An acceptable acknowledgment arrived; `duplicate` as RFC 5681, section 2 has it.
    pub(super) fn on_acknowledgment(&mut self, now: Instant, header: &TcpHeader, duplicate: bool) {
        let advances = header.ack.after(self.snd.una);
        let reports = self.sack && !header.options.sack.is_empty();
        if !advances && !reports && !duplicate {
            return;
        }
        let (flight, pipe) = (self.snd.flight(), self.pipe());
        let acked = if advances {
            header.ack.distance_from(self.snd.una)
        } else {
            0
        };
        let blocks = if reports {
            header.options.sack
        } else {
            SackBlocks::default()
        };
        let mut delivered = self.snd.on_acked(header.ack, &blocks);
        let rtt = self.recovery.on_delivered(micros(now), &delivered);
        if let Some(rtt) = rtt {
            self.rtt.sample(Duration::from_micros(u64::from(rtt)));
        }
        let repaired = advances && self.on_progress(now, header);
        let lost = self.find_losses(now, advances, duplicate, &mut delivered);
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
        if advances {
            self.schedule_loss_probe(now);
        }
    }

    /// `SND.UNA < SEG.ACK =< SND.NXT`: new data is acknowledged. True if that repairs what was lost.
    fn on_progress(&mut self, now: Instant, header: &TcpHeader) -> bool {
        self.rtt
            .on_ack(now, header.ack, self.echo_age(now, &header.options));
        self.retries = 0;
        self.soft_error = None;
        self.events |= Events::WRITABLE;
        self.timers.stop(Timer::User);
        if self.snd.all_acked() {
            self.events |= Events::STATE;
        }
        // RFC 6298, section 5.3: "restart the retransmission timer".
        if self.snd.flight() > 0 {
            self.timers.set(Timer::Retransmit, now + self.rtt.rto());
        } else {
            self.timers.stop(Timer::Retransmit);
        }
        let twice = reports_duplicate(&header.options.sack, header.ack);
        if self.recovery.probe_outcome(header.ack, twice) == ProbeOutcome::Repaired
            && self.recovery.phase() == Phase::Open
        {
            // A loss like any other, but repaired already.
            let flight = self.snd.flight();
            self.congestion.on_loss(flight.max(u32::from(self.mss)));
            self.congestion.on_recovered(flight);
        }
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
        if self.sack {
            if self.snd.scoreboard.sacked == 0 && self.recovery.phase() == Phase::Open {
                self.timers.stop(Timer::Reorder);
                return 0;
            }
            return self.detect_by_time(now);
        }
        if duplicate {
            // RFC 6937: each duplicate stands for a segment that arrived.
            delivered.bytes += u32::from(self.mss);
            return match self.recovery.on_duplicate(self.snd.una) {
                true => self.snd.board().lose_first(),
                false => 0,
            };
        }
        // RFC 6582, section 3.2, step 3: a partial acknowledgment names the next hole.
        if advances && self.recovery.phase() == Phase::Fast {
            return self.snd.board().lose_first();
        }
        0
    }

    /// RACK. Looks again when segments may be late rather than lost.
    fn detect_by_time(&mut self, now: Instant) -> u32 {
        let srtt = self.rtt.srtt().map_or(0, Duration::as_micros);
        let circumstances = Circumstances {
            now: micros(now),
            srtt: u32::try_from(srtt).unwrap_or(u32::MAX),
            in_recovery: self.recovery.phase() != Phase::Open,
            three_ahead: self.snd.scoreboard.sacked >= 3 * u32::from(self.mss),
        };
        let detected = self.recovery.detect(&mut self.snd.board(), &circumstances);
        match detected.look_again {
            Some(span) => {
                let at = now + Duration::from_micros(u64::from(span));
                self.timers.set(Timer::Reorder, at);
            }
            None => self.timers.stop(Timer::Reorder),
        }
        detected.bytes
    }

    /// What was late is lost by now.
    pub(super) fn on_reordering_timeout(&mut self, now: Instant) {
        let (flight, pipe) = (self.snd.flight(), self.pipe());
        let lost = self.detect_by_time(now);
        let progress = Progress {
            acked: 0,
            delivered: 0,
            flight,
            pipe,
            repaired: false,
            lost,
            rtt: None,
            newest_sent: None,
        };
        self.adjust_window(now, &progress);
    }

    fn adjust_window(&mut self, now: Instant, progress: &Progress) {
        if self.congestion.is_limiting() {
            let ack = self.congestion_news(now, progress);
            self.congestion.on_ack(&ack);
        }
        if progress.repaired {
            self.congestion.on_recovered(self.snd.flight());
        }
        if progress.lost > 0 && self.recovery.phase() == Phase::Open {
            self.congestion.on_loss(progress.flight);
            let mss = u32::from(self.mss);
            if let Some(prr) = self.congestion.prr_mut() {
                *prr = Prr::start(progress.flight, mss);
            }
            self.recovery.enter_fast(self.snd.max);
            self.timers.stop(Timer::LossProbe);
            return;
        }
        match self.recovery.phase() {
            Phase::Fast => {
                let (pipe, ssthresh) = (self.pipe(), self.congestion.ssthresh());
                let mss = u32::from(self.mss);
                let Some(prr) = self.congestion.prr_mut() else {
                    return;
                };
                prr.on_ack(progress.delivered, pipe, ssthresh, mss);
                if progress.lost > 0 && !self.sack {
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
        let pipe = self.pipe();
        let growth = match self.recovery.phase() {
            _ if progress.acked == 0 || progress.repaired => Growth::Held,
            Phase::Open if progress.lost == 0 => Growth::Normal,
            Phase::Open | Phase::Fast => Growth::Held,
            Phase::Timeout => Growth::AfterTimeout,
        };
        Ack {
            now,
            acked: progress.acked,
            #[cfg(feature = "tcp-bbr")]
            delivered: progress.delivered,
            #[cfg(feature = "tcp-bbr")]
            lost: progress.lost,
            in_flight: pipe,
            rtt: progress.rtt,
            srtt: self.rtt.srtt().map_or(0, |srtt| srtt.as_micros() as u32),
            #[cfg(feature = "tcp-bbr")]
            newest_sent: progress.newest_sent,
            #[cfg(feature = "tcp-bbr")]
            app_limited: self.snd.scoreboard.lost == 0
                && self.snd.bytes_from(self.snd.nxt) < u32::from(self.mss)
                && pipe.saturating_add(u32::from(self.mss)) <= self.congestion.window(),
            window_limited: self.was_limited(progress.pipe),
            growth,
        }
    }

    /// Whether the congestion window was what held the sender back with `pipe` bytes in flight.
    fn was_limited(&self, pipe: u32) -> bool {
        let cwnd = self.congestion.window();
        let reach = if cwnd < self.congestion.ssthresh() {
            pipe.saturating_mul(2)
        } else {
            // Pacing lets what is in flight trail the window by a fifth.
            pipe.saturating_add(pipe / 4)
                .saturating_add(u32::from(self.mss))
        };
        reach >= cwnd
    }

    /// The retransmission timer expired.
    pub(super) fn lose_everything(&mut self) {
        let flight = self.snd.flight();
        self.congestion.on_timeout(flight, self.retries == 1);
        self.recovery.on_timeout(self.snd.max);
        self.snd.board().lose_all();
        self.timers.stop(Timer::Reorder);
        self.timers.stop(Timer::LossProbe);
    }

    /// Bytes that are believed to be in the network (RFC 6675, section 4, SetPipe).
    pub(super) fn pipe(&self) -> u32 {
        let away = self.snd.scoreboard.sacked + self.snd.scoreboard.lost;
        let away = if self.sack {
            away
        } else {
            away.saturating_add(self.recovery.duplicates() * u32::from(self.mss))
        };
        self.snd.flight().saturating_sub(away)
    }

    /// Bytes that congestion control lets out now.
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
        let lost = self.snd.scoreboard.lost;
        lost > 0 && (self.allowance() >= lost.min(u32::from(self.mss)) || self.pipe() == 0)
    }

    /// RFC 8985, section 7.2: when a probe is due, if none of the acknowledgments that are on their way
    /// comes in before.
    pub(super) fn schedule_loss_probe(&mut self, now: Instant) {
        let eligible = self.sack
            && self.recovery.phase() == Phase::Open
            && !self.recovery.is_probing()
            && self.snd.scoreboard.sacked == 0
            && self.snd.flight() > 0;
        let Some(srtt) = self.rtt.srtt().filter(|_| eligible) else {
            self.timers.stop(Timer::LossProbe);
            return;
        };
        let mut pto = srtt.saturating_mul(2) + PROBE_GRANULARITY;
        if self.snd.flight() <= u32::from(self.mss) {
            pto = pto + PEER_ACK_DELAY;
        }
        if pto < self.rtt.rto() {
            self.timers.set(Timer::LossProbe, now + pto);
        } else {
            self.timers.stop(Timer::LossProbe);
        }
    }

    /// How old the timestamp is that the peer echoes.
    fn echo_age(&self, now: Instant, options: &TcpOptions) -> Option<Duration> {
        let ours = self.timestamps?;
        let echo = options.timestamps?.echo;
        let age = ours.value(now).wrapping_sub(echo);
        (echo != 0 && age < MAX_ECHO_AGE_MS).then(|| Duration::from_millis(u64::from(age)))
    }
}

/// What an acknowledgment changed.
struct Progress {
    /// Bytes acknowledged in order.
    acked: u32,
    /// Bytes that arrived, in whatever order.
    delivered: u32,
    /// Bytes that were in flight before.
    flight: u32,
    /// Bytes that were in the network before.
    pipe: u32,
    /// Everything that was lost has arrived.
    repaired: bool,
    /// Bytes that turned out to be lost.
    lost: u32,
    /// The round trip that was measured, in microseconds.
    rtt: Option<u32>,
    /// When the newest of what arrived was sent.
    #[cfg_attr(not(feature = "tcp-bbr"), expect(dead_code))]
    newest_sent: Option<u32>,
}

/// RFC 2883, section 4: the first block lies below the acknowledgment when it reports a segment that
/// arrived twice.
fn reports_duplicate(blocks: &SackBlocks, ack: SeqNum) -> bool {
    blocks
        .iter()
        .next()
        .is_some_and(|(_, right)| right.at_or_before(ack))
}

/// The clock of the scoreboard.
pub(super) fn micros(now: Instant) -> u32 {
    now.as_micros() as u32
}

/// An echo older than this measures nothing that a retransmission timeout could use.
const MAX_ECHO_AGE_MS: u32 = 120_000;

/// How long a peer may hold back the acknowledgment of a single segment, as far as probes wait for it.
const PEER_ACK_DELAY: Duration = Duration::from_millis(50);

/// So that the timers of hosts, which are not finer, do not make every pause look like a loss.
const PROBE_GRANULARITY: Duration = Duration::from_millis(2);
