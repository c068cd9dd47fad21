//! BBR, version 3 (draft-ietf-ccwg-bbr): goes by a model of the path, its bandwidth and its shortest round
//! trip, and takes losses for congestion only where they are more than 2 %.
//!
//! ```text
//!   Startup --- bandwidth levels off, or losses ---> Drain --- queue is empty ---.
//!                                                                               v
//!        .----------> Down ---- queue is empty ----> Cruise ---- 2 to 3 s, or as many rounds
//!        |             '------------------------------|           as Reno would take ----.
//!        '-- too many losses, or level -- Up <- a round -- Refill <----------------------'
//!
//!   ProbeRtt: from anywhere, for 200 ms, when no shorter round trip was seen for 5 s
//! ```
//!
//! Delivery rates are sampled once a round (draft-ietf-ccwg-bbr, section 4.1): at the start of a round the
//! time and what had been sent last are noted; the first acknowledgment for something that was sent since
//! ends it, and what arrived meanwhile, by the longer of the times that sending and arriving took, is the
//! sample. The draft samples with every acknowledgment, from notes kept for each segment. Its samples of one
//! round overlap nearly entirely, and its filters look at rounds as well, so what is lost is some luck with
//! the highest of them; what is gained is that a segment needs no note but the time at which it was sent.
//! Without that luck the bounds that losses set hardly recover before the next probe. So a round counts as lossy only
//! where chance does not explain its losses.

use super::window::initial_window;
use super::{Ack, Growth, MAX_WINDOW, Rate, UNLIMITED};

#[derive(Clone, Debug)]
pub(crate) struct Bbr {
    cwnd: u32,
    /// The highest bandwidths of the last and of this cycle of probing, in bytes per second.
    max_bw: [u32; 2],
    /// What losses made of the bandwidth since it was last probed; [`UNKNOWN`] where they made nothing.
    bw_shortterm: u32,
    /// In bytes, or [`UNKNOWN`].
    inflight_shortterm: u32,
    inflight_longterm: u32,
    /// What the bandwidth has to exceed by a quarter for it not to have levelled off.
    full_bw: u32,
    /// In microseconds.
    min_rtt: u32,
    probe_rtt_min: u32,
    /// When these were measured, see [`ticks`].
    min_rtt_at: u16,
    probe_rtt_min_at: u16,
    round: Round,
    /// When the phase or the cycle of probing began, in microseconds.
    since: u32,
    mss: u16,
    /// The window before a timeout or ProbeRtt, in segments.
    prior_cwnd: u16,
    /// Segments acknowledged since `inflight_longterm` last grew.
    up_acked: u16,
    /// The most segments in excess of the bandwidth that arrived together, in this and the last half of
    /// ten rounds.
    extra_acked: [u16; 2],
    state: State,
    /// Rounds in which the bandwidth did not grow.
    full_bw_count: u8,
    /// The bandwidth has levelled off for the first time.
    full_bw_reached: bool,
    /// Rounds since the bandwidth was probed.
    rounds: u8,
    /// How often `inflight_longterm` grew in this probe.
    up_rounds: u8,
    /// By how much the next probe is put off, in 1/256 s.
    jitter: u8,
}

/// From an acknowledgment to the first one for something sent after it.
#[derive(Clone, Debug, Default)]
struct Round {
    /// When it began, and when the newest of what had arrived by then was sent, in microseconds.
    start: u32,
    first_sent: u32,
    /// Bytes.
    delivered: u32,
    lost: u32,
    /// The sender had nothing to send for a part of it.
    app_limited: bool,
    /// False before the first.
    is_open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Startup,
    Drain,
    Down,
    Cruise,
    Refill,
    Up,
    ProbeRtt,
}

/// What a round showed.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Bytes per second.
    bw: u32,
    delivered: u32,
    /// Bytes as well.
    lost: u32,
    /// More was lost than congestion control should stand.
    is_lossy: bool,
    app_limited: bool,
}

impl Bbr {
    pub(super) fn new(mss: u32) -> Self {
        Self {
            cwnd: initial_window(mss),
            prior_cwnd: 0,
            max_bw: [0; 2],
            bw_shortterm: UNKNOWN,
            inflight_shortterm: UNKNOWN,
            inflight_longterm: UNKNOWN,
            full_bw: 0,
            min_rtt: UNKNOWN,
            probe_rtt_min: UNKNOWN,
            min_rtt_at: 0,
            probe_rtt_min_at: 0,
            round: Round::default(),
            since: 0,
            up_acked: 0,
            mss: u16::try_from(mss).unwrap_or(u16::MAX).max(1),
            extra_acked: [0; 2],
            state: State::Startup,
            full_bw_count: 0,
            full_bw_reached: false,
            rounds: 0,
            up_rounds: 0,
            jitter: 0,
        }
    }

    pub(super) fn restart(&mut self) {
        self.cwnd = self.mss();
    }

    pub(super) fn set_mss(&mut self, mss: u32) {
        self.mss = u16::try_from(mss).unwrap_or(u16::MAX).max(1);
    }

    pub(super) fn window(&self) -> u32 {
        self.cwnd
    }

    /// Section 5.6.2. Before there is a bandwidth, the initial window in a round trip stands for it.
    pub(super) fn pacing_rate(&self, srtt: Option<u32>) -> Option<Rate> {
        let mut bw = self.bw();
        if !self.full_bw_reached {
            let initial = u64::from(initial_window(self.mss())) * SECOND / u64::from(srtt?.max(1));
            bw = bw.max(u32::try_from(initial).unwrap_or(u32::MAX));
        }
        let percent = match self.state {
            State::Startup => 277,
            State::Drain => 50,
            State::Down => 90,
            State::Cruise | State::Refill | State::ProbeRtt => 100,
            State::Up => 125,
        };
        // A hundredth less than the bandwidth, so that a queue drains.
        Some(Rate::new(
            u64::from(bw) * percent * 99 / 10_000,
            SECOND as u32,
        ))
    }

    pub(super) fn on_ack(&mut self, ack: &Ack) {
        let now = ack.now.as_micros() as u32;
        self.update_min_rtt(now, ack.rtt);
        self.round.delivered = self.round.delivered.saturating_add(ack.delivered);
        self.round.lost = self.round.lost.saturating_add(ack.lost);
        self.round.app_limited |= ack.app_limited;
        if let Some(sample) = self.end_round(now, ack) {
            self.learn(&sample);
            self.on_round(now, &sample);
        }
        self.advance(now, ack);
        self.update_window(ack);
    }

    pub(super) fn on_loss(&mut self) {
        // What is to be done about losses is decided at the end of the round.
        self.remember();
    }

    pub(super) fn on_recovered(&mut self) {
        self.restore();
    }

    /// Section 5.6.4.4: nothing is in flight; one segment goes.
    pub(super) fn on_timeout(&mut self, first: bool) {
        if first {
            self.remember();
        }
        self.cwnd = self.mss();
    }

    pub(super) fn on_spurious(&mut self) {
        self.forget_shortterm();
        self.restore();
    }

    fn restore(&mut self) {
        self.cwnd = self.cwnd.max(u32::from(self.prior_cwnd) * self.mss());
        self.prior_cwnd = 0;
    }

    fn remember(&mut self) {
        self.prior_cwnd = self.prior_cwnd.max(self.segments(self.cwnd));
    }

    fn segments(&self, bytes: u32) -> u16 {
        u16::try_from(bytes.div_ceil(self.mss())).unwrap_or(u16::MAX)
    }

    /// Section 4.1.2: a sample, if the round is over. The next one begins.
    fn end_round(&mut self, now: u32, ack: &Ack) -> Option<Sample> {
        let sent = ack.newest_sent?;
        let is_ancient = (now.wrapping_sub(self.round.start) as i32) < 0;
        if !self.round.is_open || is_ancient {
            // What went out first is answered, or first after half a turn of the clock. It was alone in the network.
            self.round.start = sent;
            self.round.first_sent = sent;
            self.round.is_open = true;
        }
        if (sent.wrapping_sub(self.round.start) as i32) < 0 {
            return None;
        }
        let next = Round {
            start: now,
            first_sent: sent,
            app_limited: ack.app_limited,
            is_open: true,
            ..Round::default()
        };
        let round = core::mem::replace(&mut self.round, next);
        let sending = sent.wrapping_sub(round.first_sent);
        let arriving = now.wrapping_sub(round.start);
        let span = sending.max(arriving).max(1);
        let bw = u64::from(round.delivered) * SECOND / u64::from(span);
        let bw = u32::try_from(bw).unwrap_or(u32::MAX);
        self.note_aggregation(arriving, round.delivered);
        Some(Sample {
            bw,
            delivered: round.delivered,
            lost: round.lost,
            is_lossy: self.is_lossy(&round),
            app_limited: round.app_limited,
        })
    }

    /// Whether a round lost more than BBRLossThresh of what was sent, and more than it may by chance: where so many
    /// losses are the rule, their square root is the deviation from it, and twice that is no surprise. Of a window
    /// of a hundred segments, the second loss would else be the one too many.
    fn is_lossy(&self, round: &Round) -> bool {
        let mss = u64::from(self.mss());
        let lost = u64::from(round.lost) / mss * ONE_IN;
        let sent = (u64::from(round.delivered) + u64::from(round.lost)) / mss;
        let excess = lost.saturating_sub(sent);
        excess.saturating_mul(excess) > 4 * sent * ONE_IN
    }

    /// Section 5.5.9: what arrived in a round beyond what the bandwidth explains.
    fn note_aggregation(&mut self, span: u32, delivered: u32) {
        let expected = bytes_in(self.bw(), span);
        let extra = self.segments(delivered.saturating_sub(expected).min(self.cwnd));
        self.extra_acked[0] = self.extra_acked[0].max(extra);
        if self.rounds % 5 == 4 {
            self.extra_acked = [0, self.extra_acked[0]];
        }
    }

    /// The filters and bounds of the model (sections 5.5.5, 5.5.6, 5.5.10, 5.3.1.2 and 5.3.1.3).
    fn learn(&mut self, sample: &Sample) {
        self.rounds = self.rounds.saturating_add(1);
        if sample.bw >= self.max_bw() || !sample.app_limited {
            self.max_bw[1] = self.max_bw[1].max(sample.bw);
        }
        if !sample.app_limited {
            self.look_for_plateau(sample.bw);
        }
        if !sample.is_lossy {
            return;
        }
        match self.state {
            State::Startup => {
                if sample.lost >= STARTUP_LOSSES * self.mss() {
                    self.full_bw_reached = true;
                    self.inflight_longterm = self.bdp(100).max(sample.delivered);
                }
            }
            State::Refill | State::Up => {
                if !sample.app_limited {
                    let kept = self.target_inflight() / 10 * 7;
                    self.inflight_longterm = sample.delivered.max(kept);
                }
            }
            // Its losses are those of Startup.
            State::Drain => {}
            // As those of the first round after a probe are the probe's, which its bound answers for.
            State::Down | State::Cruise if self.rounds <= 1 => {}
            State::Down | State::Cruise | State::ProbeRtt => {
                let bw = self.bw_shortterm.min(self.max_bw());
                self.bw_shortterm = sample.bw.max(bw / 10 * 7);
                let inflight = self.inflight_shortterm.min(self.cwnd);
                self.inflight_shortterm = sample.delivered.max(inflight / 10 * 7);
            }
        }
    }

    /// Section 5.3.1.2: three rounds in which the bandwidth does not grow by a quarter.
    fn look_for_plateau(&mut self, bw: u32) {
        if u64::from(bw) * 4 >= u64::from(self.full_bw) * 5 {
            self.full_bw = bw;
            self.full_bw_count = 0;
            return;
        }
        self.full_bw_count = self.full_bw_count.saturating_add(1);
        self.full_bw_reached |= self.is_level();
    }

    fn is_level(&self) -> bool {
        self.full_bw_count >= 3
    }

    /// What the end of a round changes.
    fn on_round(&mut self, now: u32, sample: &Sample) {
        match self.state {
            State::Startup if self.full_bw_reached => self.enter(State::Drain, now),
            State::Refill => {
                self.up_acked = 0;
                self.up_rounds = 0;
                self.restart_plateau();
                self.enter(State::Up, now);
            }
            State::Up if sample.is_lossy || self.is_level() => self.start_down(now),
            // What was learned in the last probe, and before it, is all there is until the next.
            State::Down if self.rounds == 1 && !sample.app_limited => {
                self.max_bw = [self.max_bw[1], 0];
            }
            _ => {}
        }
    }

    /// What time and the bytes in flight change.
    fn advance(&mut self, now: u32, ack: &Ack) {
        let elapsed = now.wrapping_sub(self.since);
        match self.state {
            State::Drain if ack.in_flight <= self.bdp(100) => self.start_down(now),
            State::Down | State::Cruise if self.is_time_to_probe(elapsed) => {
                self.forget_shortterm();
                self.enter(State::Refill, now);
            }
            State::Down if ack.in_flight <= self.headroom().min(self.bdp(100)) => {
                // The cycle goes on, and with it its clock.
                self.state = State::Cruise;
            }
            State::Up => self.raise_longterm(ack),
            State::ProbeRtt => {
                if elapsed >= PROBE_RTT_US && self.rounds > 0 {
                    self.leave_probe_rtt(now);
                }
                return;
            }
            _ => {}
        }
        let is_old = ticks(now).wrapping_sub(self.probe_rtt_min_at) > PROBE_RTT_INTERVAL;
        if is_old && self.min_rtt != UNKNOWN {
            self.remember();
            self.probe_rtt_min = UNKNOWN;
            self.probe_rtt_min_at = ticks(now);
            self.rounds = 0;
            self.enter(State::ProbeRtt, now);
        }
    }

    fn enter(&mut self, state: State, now: u32) {
        self.state = state;
        self.since = now;
    }

    /// Section 5.3.3.1. Flows that started together must not probe together; the last bits of the time are
    /// as good as random for that.
    fn start_down(&mut self, now: u32) {
        self.jitter = (now >> 4) as u8;
        self.rounds = 0;
        self.restart_plateau();
        self.enter(State::Down, now);
    }

    /// Section 5.3.4.4: what losses showed of so small a window says nothing about any other.
    fn leave_probe_rtt(&mut self, now: u32) {
        self.restore();
        self.forget_shortterm();
        if self.full_bw_reached {
            self.start_down(now);
            self.state = State::Cruise;
        } else {
            self.enter(State::Startup, now);
        }
    }

    /// Section 5.3.3.5.3: after 2 to 3 s, or when Reno would have filled what is in flight anew.
    fn is_time_to_probe(&self, elapsed: u32) -> bool {
        let wait = PROBE_WAIT_US + u32::from(self.jitter) * (SECOND as u32 / 256);
        let reno = (self.target_inflight() / self.mss()).min(MAX_RENO_ROUNDS);
        elapsed >= wait || u32::from(self.rounds) >= reno.max(1)
    }

    /// Section 5.3.3.6: grows faster with each round, while the bound is what holds the sender back.
    fn raise_longterm(&mut self, ack: &Ack) {
        if !ack.window_limited
            || self.inflight_longterm == UNKNOWN
            || self.cwnd < self.inflight_longterm
        {
            return;
        }
        self.up_acked = self.up_acked.saturating_add(self.segments(ack.delivered));
        let step = self.segments(self.cwnd) >> self.up_rounds.min(15);
        if self.up_acked >= step.max(1) {
            self.up_acked = 0;
            let bound = self.inflight_longterm.saturating_add(self.mss());
            self.inflight_longterm = bound.min(MAX_WINDOW);
            self.up_rounds = self.up_rounds.saturating_add(1);
        }
    }

    /// Section 5.6.4: the window follows the model, as fast as acknowledgments come in.
    fn update_window(&mut self, ack: &Ack) {
        if self.state == State::ProbeRtt {
            self.cwnd = self.cwnd.min(self.bdp(50).max(self.least()));
            return;
        }
        let model = self.max_inflight();
        let grown = self.cwnd.saturating_add(ack.delivered);
        if self.full_bw_reached {
            self.cwnd = grown.min(model);
        } else if self.cwnd < model && (ack.window_limited || ack.growth != Growth::Normal) {
            self.cwnd = grown;
        }
        let longterm = match self.state {
            State::Cruise => self.headroom(),
            _ => self.inflight_longterm,
        };
        let bound = longterm.min(self.inflight_shortterm);
        // After a timeout the window may be less than the least, and grows from there.
        let least = self.least().min(grown);
        self.cwnd = self.cwnd.min(bound).max(least).min(MAX_WINDOW);
    }

    /// Section 5.6.4.2: the bandwidth-delay product, twice for acknowledgments that come late, and what
    /// arrives in excess of the bandwidth.
    fn max_inflight(&self) -> u32 {
        if self.max_bw() == 0 || self.min_rtt == UNKNOWN {
            return initial_window(self.mss());
        }
        let percent = match self.state {
            State::Startup => 277,
            State::Up => 225,
            _ => 200,
        };
        let extra = self.extra_acked[0].max(self.extra_acked[1]);
        self.bdp(percent)
            .saturating_add(u32::from(extra) * self.mss())
            .saturating_add(2 * self.mss())
            .max(self.least())
    }

    /// Section 5.6.4.5: a part of what fits is left for others.
    fn headroom(&self) -> u32 {
        if self.inflight_longterm == UNKNOWN {
            return UNLIMITED;
        }
        let room = (self.inflight_longterm / 100 * 15).max(self.mss());
        self.inflight_longterm
            .saturating_sub(room)
            .max(self.least())
    }

    fn target_inflight(&self) -> u32 {
        self.bdp(100).min(self.cwnd)
    }

    /// So many percent of the bandwidth-delay product, in bytes.
    fn bdp(&self, percent: u64) -> u32 {
        if self.min_rtt == UNKNOWN {
            return initial_window(self.mss());
        }
        let bytes = u64::from(bytes_in(self.bw(), self.min_rtt)) * percent / 100;
        u32::try_from(bytes).unwrap_or(MAX_WINDOW).min(MAX_WINDOW)
    }

    fn max_bw(&self) -> u32 {
        self.max_bw[0].max(self.max_bw[1])
    }

    fn bw(&self) -> u32 {
        self.max_bw().min(self.bw_shortterm)
    }

    /// Four segments, so that acknowledgments keep coming.
    fn least(&self) -> u32 {
        4 * self.mss()
    }

    fn mss(&self) -> u32 {
        u32::from(self.mss)
    }

    fn restart_plateau(&mut self) {
        self.full_bw = 0;
        self.full_bw_count = 0;
    }

    fn forget_shortterm(&mut self) {
        self.bw_shortterm = UNKNOWN;
        self.inflight_shortterm = UNKNOWN;
    }

    /// Section 5.5.7: the shortest round trip of the last ten seconds, refreshed every five.
    fn update_min_rtt(&mut self, now: u32, rtt: Option<u32>) {
        let Some(rtt) = rtt else { return };
        let at = ticks(now);
        if rtt <= self.probe_rtt_min {
            self.probe_rtt_min = rtt;
            self.probe_rtt_min_at = at;
        }
        let is_old = at.wrapping_sub(self.min_rtt_at) > MIN_RTT_LIFETIME;
        if self.probe_rtt_min <= self.min_rtt || is_old {
            self.min_rtt = self.probe_rtt_min;
            self.min_rtt_at = self.probe_rtt_min_at;
        }
    }
}

fn bytes_in(bw: u32, span: u32) -> u32 {
    let bytes = u64::from(bw) * u64::from(span) / SECOND;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Time in 1/15 s or so, for what is compared over seconds; goes around in an hour.
fn ticks(now: u32) -> u16 {
    (now >> 16) as u16
}

/// Larger than every bandwidth, time or number of bytes.
const UNKNOWN: u32 = u32::MAX;

/// In microseconds.
const SECOND: u64 = 1_000_000;

/// BBRLossThresh, 2 %: one segment in so many.
const ONE_IN: u64 = 50;

/// BBRStartupFullLossCnt, in segments instead of the draft's gaps between them, which nobody counts.
const STARTUP_LOSSES: u32 = 6;

/// 5 s and 10 s in [`ticks`].
const PROBE_RTT_INTERVAL: u16 = 76;
const MIN_RTT_LIFETIME: u16 = 152;

/// BBRProbeRTTDuration.
const PROBE_RTT_US: u32 = 200_000;

/// The shortest time from probe to probe.
const PROBE_WAIT_US: u32 = 2_000_000;

/// The longest, in rounds.
const MAX_RENO_ROUNDS: u32 = 63;

#[cfg(test)]
mod tests;
