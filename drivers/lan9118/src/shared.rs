//! What the interrupt handler and the driver have in common.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;

use critical_section::Mutex;
use embassy_sync::waitqueue::AtomicWaker;

use crate::bus::Bus;
use crate::registers::{INT_EN, INT_STS, interrupt};

/// The chip, as its interrupt handler and its driver share it. It goes into a `static`, of which
/// [`Lan9118::new`](crate::Lan9118::new) makes the one driver.
pub struct Shared<B> {
    pub(crate) bus: B,
    waker: AtomicWaker,
    /// The PHY has interrupted since the driver last looked at the link.
    link_changed: AtomicBool,
    /// There is a driver. Not an atomic: the smallest cores cannot exchange one.
    taken: Mutex<Cell<bool>>,
}

impl<B> Shared<B> {
    /// A chip on a bus, untouched.
    #[must_use]
    pub const fn new(bus: B) -> Self {
        Self {
            bus,
            waker: AtomicWaker::new(),
            // Nobody has looked yet.
            link_changed: AtomicBool::new(true),
            taken: Mutex::new(Cell::new(false)),
        }
    }

    /// Whether this call is the first to take it.
    pub(crate) fn take(&self) -> bool {
        critical_section::with(|cs| !self.taken.borrow(cs).replace(true))
    }

    /// The driver is gone.
    pub(crate) fn give_back(&self) {
        self.link_changed.store(true, Ordering::Relaxed);
        critical_section::with(|cs| self.taken.borrow(cs).set(false));
    }

    /// Whether the PHY has interrupted since this was last asked.
    pub(crate) fn take_link_change(&self) -> bool {
        // Cleared before the PHY is read, so a change in between counts again.
        let changed = self.link_changed.load(Ordering::Acquire);
        if changed {
            self.link_changed.store(false, Ordering::Release);
        }
        changed
    }

    /// Who is woken by the next interrupt.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }
}

impl<B: Bus> Shared<B> {
    /// To be called by the handler of the chip's interrupt: the runner's task does the rest. Harmless at
    /// any other time.
    #[inline]
    pub fn on_interrupt(&self) {
        let pending = critical_section::with(|_| {
            let enabled = self.bus.read(INT_EN);
            let pending = self.bus.read(INT_STS) & enabled;
            self.bus.write(INT_EN, enabled & !pending);
            pending
        });
        if pending & interrupt::PHY_INT != 0 {
            self.link_changed.store(true, Ordering::Release);
        }
        self.waker.wake();
    }

    /// Lets something interrupt that happens from now on. What may have happened before must be looked at
    /// afterwards.
    pub(crate) fn listen(&self, to: u32) {
        critical_section::with(|_| {
            // Written ones clear.
            self.bus.write(INT_STS, to);
            self.bus.write(INT_EN, self.bus.read(INT_EN) | to);
        });
    }
}
