//! CUBIC (RFC 9438), in integers: bytes and milliseconds where the RFC has segments and seconds.
//!
//! ```text
//!   cwnd |                                             .
//!  W_max |- - - - - - - - - _.-----------._- - - - - -/- -     W_cubic(t) = C * (t - K)^3 + W_max
//!        |               .-'      K        '-.     .-'
//!        |             .'   concave | convex  '--'
//!        |_ 0.7 W_max /
//!        '------------+-------------+--------------------- t
//!                     0             K
//! ```
//!
//! Slow start is that of HyStart++ until the first loss. Time counts only between acknowledgments that
//! found the window used, so that a pause does not let the curve run away (section 5.8).

use super::hystart::{Advice, HyStart};
use super::window::Window;
use super::{Ack, Growth, Rate, UNLIMITED};

#[derive(Clone, Debug)]
pub(crate) struct Cubic {
    pub(super) window: Window,
    /// W_max in bytes; 0 before there was a loss to learn it from.
    w_max: u32,
    phase: Phase,
    /// W_max before the last reduction.
    w_max_before: u32,
}

#[derive(Clone, Debug)]
enum Phase {
    /// The first slow start, in which nothing is known of the path.
    Probing(HyStart),
    /// After a reduction, as long as the window is below its threshold.
    SlowStart,
    Avoidance(Epoch),
}

/// A stage of congestion avoidance.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    /// K, in milliseconds.
    k: u32,
    /// t, in milliseconds.
    elapsed: u32,
    /// When the last acknowledgment came, in milliseconds.
    last: u32,
    /// W_est in bytes, and the bytes acknowledged since it last grew.
    w_est: u32,
    credit: u32,
}

impl Cubic {
    pub(super) fn new(mss: u32) -> Self {
        Self {
            window: Window::new(mss),
            w_max: 0,
            phase: Phase::Probing(HyStart::new()),
            w_max_before: 0,
        }
    }

    /// As Linux: twice the window per round trip while it may double, a fifth more than the window
    /// afterwards, so that pacing is never what keeps the window from being used.
    pub(super) fn pacing_rate(&self, srtt: u32) -> Rate {
        let Window { cwnd, ssthresh, .. } = self.window;
        let bytes = if cwnd < ssthresh / 2 {
            2 * u64::from(cwnd)
        } else {
            u64::from(cwnd) + u64::from(cwnd) / 5
        };
        Rate::new(bytes, srtt)
    }

    pub(super) fn on_ack(&mut self, ack: &Ack) {
        if ack.growth == Growth::Held {
            return;
        }
        match &mut self.phase {
            Phase::Probing(hystart) => match hystart.on_ack(ack.acked, ack.in_flight, ack.rtt) {
                Advice::Grow(bytes) if ack.window_limited => self.window.grow(bytes),
                Advice::Grow(_) => {}
                Advice::Leave => {
                    self.window.ssthresh = self.window.cwnd;
                    self.phase = Phase::SlowStart;
                }
            },
            Phase::SlowStart if self.window.in_slow_start() => {
                if ack.window_limited {
                    self.window.grow(self.slow_start_growth(ack));
                }
            }
            Phase::SlowStart => {
                let mut epoch = self.start_epoch(millis(ack));
                self.avoid(&mut epoch, ack);
                self.phase = Phase::Avoidance(epoch);
            }
            Phase::Avoidance(epoch) => {
                let mut epoch = *epoch;
                self.avoid(&mut epoch, ack);
                self.phase = Phase::Avoidance(epoch);
            }
        }
    }

    /// RFC 3465, section 2.3: one segment for an acknowledgment while the loss of many is repaired. What
    /// else a large one sets free goes out in time.
    fn slow_start_growth(&self, ack: &Ack) -> u32 {
        let bytes = match ack.growth {
            Growth::AfterTimeout => ack.acked.min(self.window.mss()),
            Growth::Normal | Growth::Held => ack.acked,
        };
        bytes.min(self.window.ssthresh - self.window.cwnd)
    }

    /// Section 4.2: at the place on the curve where the window is, below the plateau or above it. Where no
    /// loss told W_max, or a timeout did and slow start came in between, that is the plateau (sections 4.8
    /// and 4.10).
    fn start_epoch(&mut self, now: u32) -> Epoch {
        let cwnd = self.window.cwnd;
        if self.w_max == 0 {
            self.w_max = cwnd;
        }
        // K = cubic_root((W_max - cwnd_epoch) / C), with segments and seconds made bytes and milliseconds.
        let distance = u64::from(self.w_max.abs_diff(cwnd)) * (C_DENOMINATOR * MS_CUBED);
        let span = cube_root(distance / (C_NUMERATOR * u64::from(self.window.mss())));
        let (k, elapsed) = if cwnd <= self.w_max {
            (span, 0)
        } else {
            (0, span)
        };
        Epoch {
            k,
            elapsed,
            last: now,
            w_est: cwnd,
            credit: 0,
        }
    }

    /// Sections 4.2 to 4.5.
    fn avoid(&mut self, epoch: &mut Epoch, ack: &Ack) {
        let now = millis(ack);
        let since = now.wrapping_sub(epoch.last);
        epoch.last = now;
        if !ack.window_limited {
            return;
        }
        let srtt = ack.srtt / 1_000;
        epoch.elapsed = epoch.elapsed.saturating_add(since.min(srtt.max(1)));
        self.estimate_reno(epoch, ack.acked);
        let cwnd = self.window.cwnd;
        // "target is the congestion window size that CUBIC wants to reach in one RTT", bounded by 1.5.
        let target = self.curve(epoch, epoch.elapsed.saturating_add(srtt));
        let target = target.clamp(cwnd, cwnd.saturating_add(cwnd / 2));
        let share = u64::from(target - cwnd) * u64::from(ack.acked.min(cwnd));
        let growth = share.checked_div(u64::from(cwnd)).unwrap_or(0);
        self.window.grow(u32::try_from(growth).unwrap_or(0));
        if self.window.cwnd < epoch.w_est {
            // Section 4.3, the Reno-friendly region.
            self.window.cwnd = epoch.w_est;
        }
    }

    /// Section 4.3: `W_est = W_est + alpha_cubic * (segments_acked / cwnd)`. Reno, were it to cut by 0.7,
    /// would be fair to itself with alpha = 3 * (1 - 0.7) / (1 + 0.7) = 9/17; "once W_est has grown to
    /// reach the cwnd at the time of most recently setting ssthresh", with 1.
    fn estimate_reno(&self, epoch: &mut Epoch, acked: u32) {
        let cwnd = self.window.cwnd;
        let step = if epoch.w_est < self.window.before() {
            u64::from(cwnd) * 17 / 9
        } else {
            u64::from(cwnd)
        };
        epoch.credit = epoch.credit.saturating_add(acked);
        if u64::from(epoch.credit) >= step {
            // Less than the credit, which has 32 bits.
            epoch.credit -= step as u32;
            epoch.w_est = epoch.w_est.saturating_add(self.window.mss());
        }
    }

    /// W_cubic(t) in bytes (section 4.2, figure 1).
    fn curve(&self, epoch: &Epoch, t: u32) -> u32 {
        let distance = u64::from(t.abs_diff(epoch.k).min(LONGEST_MS));
        // First in thousandths of a second cubed, where nothing overflows and next to nothing is lost.
        let cubed = distance * distance * distance / 1_000_000;
        let bytes = cubed * C_NUMERATOR * u64::from(self.window.mss()) / (C_DENOMINATOR * 1_000);
        let bytes = u32::try_from(bytes).unwrap_or(UNLIMITED);
        if t < epoch.k {
            self.w_max.saturating_sub(bytes)
        } else {
            self.w_max.saturating_add(bytes)
        }
    }

    pub(super) fn on_loss(&mut self, flight: u32) {
        self.reduce();
        self.window.on_loss(reduced(flight));
        // Congestion avoidance starts with the first acknowledgment that may let the window grow.
        self.phase = Phase::SlowStart;
    }

    /// Section 4.8: as Reno, but with beta. The plateau of the next stage is where slow start ends.
    pub(super) fn on_timeout(&mut self, flight: u32, first: bool) {
        if first {
            self.reduce();
        }
        self.window.on_timeout(reduced(flight), first);
        self.w_max = 0;
        self.phase = Phase::SlowStart;
    }

    /// Section 4.9: "restore the original values". W_max and cwnd say where on the curve that is, so
    /// neither K nor the start of the epoch has to be kept.
    pub(super) fn on_spurious(&mut self) {
        self.window.on_spurious();
        self.w_max = self.w_max_before;
        self.phase = if self.window.ssthresh == UNLIMITED {
            Phase::Probing(HyStart::new())
        } else {
            Phase::SlowStart
        };
    }

    /// W_max for the next stage. Section 4.7, fast convergence: a flow whose window is smaller than the
    /// last time makes room for new ones, "W_max = cwnd * (1 + beta) / 2".
    fn reduce(&mut self) {
        let cwnd = self.window.cwnd;
        self.w_max_before = self.w_max;
        self.w_max = if cwnd < self.w_max {
            cwnd - cwnd / 20 * 3
        } else {
            cwnd
        };
    }
}

/// Section 4.6: beta_cubic is 0.7.
fn reduced(flight: u32) -> u32 {
    u32::try_from(u64::from(flight) * 7 / 10).unwrap_or(flight)
}

/// The clock of an epoch.
fn millis(ack: &Ack) -> u32 {
    ack.now.as_millis() as u32
}

/// The largest integer whose cube is not above `n`, digit by digit; once per loss.
fn cube_root(mut n: u64) -> u32 {
    let mut root: u64 = 0;
    for shift in (0..64).step_by(3).rev() {
        root *= 2;
        let step = 3 * root * (root + 1) + 1;
        if n >> shift >= step {
            n -= step << shift;
            root += 1;
        }
    }
    // 22 binary digits.
    root as u32
}

/// C = 0.4 segments per second cubed (section 5.1).
const C_NUMERATOR: u64 = 2;
const C_DENOMINATOR: u64 = 5;

/// Milliseconds cubed in a second cubed.
const MS_CUBED: u64 = 1_000_000_000;

/// Beyond this distance from the plateau the curve is far above every window.
const LONGEST_MS: u32 = 200_000;

#[cfg(test)]
mod tests;
