//! embassy-time on two of the timers of Arm's Cortex-M System Design Kit: 32 bits, counting down, an interrupt
//! at zero. One runs free and is the clock, the other is the alarm.
//!
//! The clock's period is a power of two of ticks, so that the time is put together with a shift and one
//! 32-bit division, never a 64-bit one.
//!
//! ```ignore
//! // SAFETY: the first two timers of the board, which nothing else uses.
//! embassy_time_driver::time_driver_impl!(static TIMERS: Timers<25> =
//!     unsafe { Timers::new(0x4000_0000, 0x4000_1000) });
//! ```
#![no_std]

use core::cell::{Cell, RefCell};
use core::ptr;
use core::task::Waker;

use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

/// Both timers, which count `CYCLES` cycles of their clock for each tick of embassy-time.
pub struct Timers<const CYCLES: u32> {
    clock: Timer,
    alarm: Timer,
    /// How often the clock has started anew.
    periods: Mutex<Cell<u32>>,
    queue: Mutex<RefCell<Queue>>,
}

impl<const CYCLES: u32> Timers<CYCLES> {
    /// A period has `1 << SHIFT` ticks.
    const SHIFT: u32 = (u32::MAX / CYCLES).ilog2();
    const RELOAD: u32 = (CYCLES << Self::SHIFT) - 1;

    /// The timers at two addresses.
    ///
    /// # Safety
    ///
    /// There must be a CMSDK timer at each, for ever, that nothing else uses.
    pub const unsafe fn new(clock: usize, alarm: usize) -> Self {
        Self {
            clock: Timer(clock),
            alarm: Timer(alarm),
            periods: Mutex::new(Cell::new(0)),
            queue: Mutex::new(RefCell::new(Queue::new())),
        }
    }

    /// Starts the clock. Its interrupts may be enabled afterwards.
    pub fn start(&self) {
        self.alarm.stop();
        self.clock.start(Self::RELOAD, Self::RELOAD);
    }

    /// To be called by the handler of the clock's interrupt.
    pub fn on_clock(&self) {
        critical_section::with(|cs| {
            self.clock.clear_interrupt();
            let periods = self.periods.borrow(cs);
            periods.set(periods.get().wrapping_add(1));
        });
    }

    /// To be called by the handler of the alarm's interrupt.
    pub fn on_alarm(&self) {
        critical_section::with(|cs| {
            self.alarm.clear_interrupt();
            self.wake_expired(cs);
        });
    }

    /// The cycles of the timers' clock since the start.
    pub fn cycles(&self) -> u64 {
        critical_section::with(|cs| {
            let (periods, elapsed) = self.elapsed(cs);
            u64::from(periods) * u64::from(CYCLES << Self::SHIFT) + u64::from(elapsed)
        })
    }

    fn ticks(&self, cs: CriticalSection<'_>) -> u64 {
        let (periods, elapsed) = self.elapsed(cs);
        u64::from(periods) << Self::SHIFT | u64::from(elapsed / CYCLES)
    }

    /// The periods that are over, and the cycles of this one.
    fn elapsed(&self, cs: CriticalSection<'_>) -> (u32, u32) {
        let periods = self.periods.borrow(cs).get();
        let left = self.clock.value();
        if self.clock.interrupts() {
            // A period ended that the handler has not counted, before or after `left` was read.
            return (periods.wrapping_add(1), Self::RELOAD - self.clock.value());
        }
        (periods, Self::RELOAD - left)
    }

    fn wake_expired(&self, cs: CriticalSection<'_>) {
        let mut queue = self.queue.borrow_ref_mut(cs);
        let mut now = self.ticks(cs);
        loop {
            let next = queue.next_expiration(now);
            now = self.ticks(cs);
            if self.set_alarm(now, next) {
                return;
            }
        }
    }

    /// False if that time has come.
    fn set_alarm(&self, now: u64, at: u64) -> bool {
        self.alarm.stop();
        if at == u64::MAX {
            return true;
        }
        let Some(ticks) = at.checked_sub(now).filter(|ticks| *ticks > 0) else {
            return false;
        };
        // Too far away for one alarm: it goes off, finds nothing, and is set again.
        let ticks = u32::try_from(ticks).map_or(Self::LONGEST, |ticks| ticks.min(Self::LONGEST));
        self.alarm.start(ticks * CYCLES, 0);
        true
    }

    const LONGEST: u32 = u32::MAX / CYCLES;
}

impl<const CYCLES: u32> Driver for Timers<CYCLES> {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.ticks(cs))
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            let changed = self.queue.borrow_ref_mut(cs).schedule_wake(at, waker);
            if changed {
                self.wake_expired(cs);
            }
        });
    }
}

/// One timer, at its address.
struct Timer(usize);

impl Timer {
    /// Counts from `first` to zero, and then from `reload` on; 0 stops it there.
    fn start(&self, first: u32, reload: u32) {
        self.write(RELOAD, reload);
        self.write(VALUE, first);
        self.write(CTRL, CTRL_ENABLE | CTRL_INTERRUPT);
    }

    fn stop(&self) {
        self.write(CTRL, 0);
        self.clear_interrupt();
    }

    fn value(&self) -> u32 {
        self.read(VALUE)
    }

    fn interrupts(&self) -> bool {
        self.read(INTERRUPT) & 1 != 0
    }

    fn clear_interrupt(&self) {
        self.write(INTERRUPT, 1);
    }

    fn read(&self, offset: usize) -> u32 {
        let register: *const u32 = ptr::with_exposed_provenance(self.0 + offset);
        // SAFETY: a register of a timer that is there, as `Timers::new` was promised.
        unsafe { register.read_volatile() }
    }

    fn write(&self, offset: usize, value: u32) {
        let register: *mut u32 = ptr::with_exposed_provenance_mut(self.0 + offset);
        // SAFETY: as for `read`.
        unsafe { register.write_volatile(value) }
    }
}

const CTRL: usize = 0x0;
const VALUE: usize = 0x4;
const RELOAD: usize = 0x8;
/// Reads the status; ones clear it.
const INTERRUPT: usize = 0xC;
const CTRL_ENABLE: u32 = 1;
const CTRL_INTERRUPT: u32 = 1 << 3;
