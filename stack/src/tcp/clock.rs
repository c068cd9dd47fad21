//! The clocks that a connection counts with, in 32 bits each.

use core::num::NonZeroU32;

use crate::time::{Duration, Instant};

/// A time in the low 32 bits of some unit, one of them early at most, so that to have none takes no room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(NonZeroU32);

impl Moment {
    pub(super) fn new(at: u32) -> Self {
        Self(NonZeroU32::new(at).unwrap_or(NonZeroU32::MAX))
    }

    /// How long after `now` it is.
    #[cfg_attr(
        any(feature = "tcp-rack", feature = "tcp-cubic", feature = "tcp-bbr"),
        expect(dead_code, reason = "for few timers")
    )]
    pub(super) fn ahead_of(self, now: u32) -> u32 {
        self.0.get().wrapping_sub(now)
    }

    /// How long before `now` it was.
    pub(super) fn age(self, now: u32) -> u32 {
        now.wrapping_sub(self.0.get())
    }
}

/// A time that lies a while ahead: in microseconds, and in the low 32 bits of them, which take 71 minutes to come around.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Soon(u32);

impl Soon {
    pub(crate) fn new(at: Instant) -> Self {
        Self(micros(at))
    }

    /// So many microseconds after `now`, at most as many as [`Self::FARTHEST`] has.
    pub(crate) fn after(now: Instant, span: u32) -> Self {
        Self(micros(now).wrapping_add(span))
    }

    /// The same time, or `now` if it has come.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn from(self, now: Instant) -> Instant {
        now + Duration::from_micros(self.wait(now).into())
    }

    /// How long until then, in microseconds; 0 if it has come. What lies further ahead than [`Self::FARTHEST`] has come
    /// before the clock came around.
    pub(crate) fn wait(self, now: Instant) -> u32 {
        match self.0.wrapping_sub(micros(now)) {
            wait if wait > Self::FARTHEST.as_micros() as u32 => 0,
            wait => wait,
        }
    }

    /// The farthest that one can lie ahead: what is late by less than twelve minutes is known to be late.
    pub(crate) const FARTHEST: Duration = Duration::from_secs(3_600);
}

/// For what is compared over hours, in steps of [`TICK`].
pub(super) fn ticks(now: Instant) -> u32 {
    (now.as_micros() / u64::from(TICK)) as u32
}

/// How long ago something was that was noted in [`ticks`].
#[cfg(feature = "tcp-keep-alive")]
pub(super) fn since_ticks(now: Instant, then: u32) -> Duration {
    Duration::from_micros(u64::from(ticks(now).wrapping_sub(then)) * u64::from(TICK))
}

/// In microseconds: a millisecond, or what comes closest without a division.
pub(super) const TICK: u32 = 1 << TICK_SHIFT;
pub(super) const TICK_SHIFT: u32 = 10;

/// For what is compared over days.
#[cfg(any(feature = "tcp-timestamps", feature = "tcp-plpmtud"))]
pub(super) fn seconds(now: Instant) -> u32 {
    (now.as_millis() / 1_000) as u32
}

/// The clock of the scoreboard.
pub(super) fn micros(now: Instant) -> u32 {
    now.as_micros() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_further_ahead_than_anything_can_has_come() {
        let now = Instant::from_secs(10_000);
        let farthest = now + Soon::FARTHEST;
        assert_eq!(Soon::new(farthest).from(now), farthest);
        assert_eq!(
            Soon::new(farthest + Duration::from_micros(1)).from(now),
            now
        );
        let later = now + Duration::from_secs(11 * 60);
        assert_eq!(Soon::new(now).from(later), later);
        assert_eq!(Soon::new(now).from(now), now);
    }
}
