//! What is possible at all: selective repeat with the same window, round-trip time and loss, by a sender
//! that knows after one round trip, without fail, what arrived.

use cygnet::Duration;
use cygnet_link::Probability;

/// Bytes per second over the length of a transfer, with its handshake.
pub(crate) fn bytes_per_second(window: usize, loss: Probability, rtt: Duration, len: u64) -> f64 {
    if loss == Probability::ALWAYS {
        return 0.0;
    }
    let rtt = rtt.as_micros() as f64 / 1e6;
    let mut random = Random(window as u64 ^ u64::from(loss.as_ppm()) << 32);
    let seconds: f64 = (0..RUNS)
        .map(|_| {
            seconds(
                &mut random,
                window,
                f64::from(loss.as_ppm()) / 1e6,
                rtt,
                len,
            )
        })
        .sum();
    len as f64 * f64::from(RUNS) / seconds
}

/// One transfer. A segment can go when the one a window before it and all earlier ones are acknowledged;
/// then it takes a round trip for each attempt.
fn seconds(random: &mut Random, window: usize, loss: f64, rtt: f64, len: u64) -> f64 {
    // A window of whole segments and what is left of it, again and again.
    let per_window = window.div_ceil(SEGMENT);
    let segment = |nth: usize| SEGMENT.min(window - nth % per_window * SEGMENT) as u64;
    // When everything up to a segment is acknowledged, for the last window.
    let mut acknowledged = vec![rtt; per_window];
    let mut left = len;
    let mut arrived: f64 = 0.0;
    for nth in 0.. {
        if left == 0 {
            break;
        }
        left = left.saturating_sub(segment(nth));
        let place = nth % per_window;
        let before = acknowledged[(nth + per_window - 1) % per_window];
        let mut own = acknowledged[place] + rtt;
        while random.next() < loss {
            own += rtt;
        }
        arrived = arrived.max(own - rtt / 2.0);
        acknowledged[place] = own.max(before);
    }
    arrived
}

/// SplitMix64, as numbers from 0 to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What a packet of 1500 bytes carries, with timestamps.
const SEGMENT: usize = 1_448;

/// How many transfers the mean is over.
const RUNS: u32 = 8;
