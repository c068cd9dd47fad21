//! How often a peer is told where we are: two ends that each find the other's segments unacceptable must not feed each
//! other, nor an attacker them (RFC 5961, section 7).

use super::clock::{Moment, TICK, ticks};
use crate::time::Instant;

/// Whether an acknowledgment may go out that challenges the peer, with the `last` one sent then, if there was any. It
/// counts as sent.
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(super) fn may_challenge(last: &mut Option<Moment>, now: Instant) -> bool {
    // A tick more or less does not matter.
    let now = ticks(now) | 1;
    let recently = last.is_some_and(|last| last.age(now) < CHALLENGE_INTERVAL);
    if !recently {
        *last = Some(Moment::new(now));
    }
    !recently
}

/// As Linux, per connection; a limit for all connections together would be a side channel
/// (CVE-2016-5696).
const CHALLENGE_INTERVAL: u32 = 500_000 / TICK;
