//! A lock that knows how long it was held.

use core::cell::Cell;

use critical_section::Mutex;
use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, RawMutex};

use crate::TIMERS;

/// For a stack, in place of `CriticalSectionRawMutex`: interrupts are off while it is held, and how long that takes at
/// most is what [`longest_hold`] says.
pub struct TimedMutex(CriticalSectionRawMutex);

// SAFETY: it locks as the mutex inside does.
unsafe impl RawMutex for TimedMutex {
    const INIT: Self = Self(CriticalSectionRawMutex::INIT);

    fn lock<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.lock(|| {
            let from = TIMERS.cycles();
            let result = f();
            let held = TIMERS.cycles() - from;
            critical_section::with(|cs| {
                let longest = LONGEST.borrow(cs);
                longest.set(longest.get().max(held));
            });
            result
        })
    }
}

/// The cycles of the timers that any [`TimedMutex`] was held at most, without what it takes to look at the clock.
pub fn longest_hold() -> u64 {
    let longest = critical_section::with(|cs| LONGEST.borrow(cs).get());
    let from = TIMERS.cycles();
    let look = TIMERS.cycles() - from;
    longest.saturating_sub(look)
}

static LONGEST: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));
