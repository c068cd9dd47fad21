//! An executor that sleeps in `wfi` when there is nothing to do, and knows how long it slept.
//!
//! embassy-executor's own one for Cortex-M waits in `wfe`, which is as good on hardware; QEMU spins on it.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::{Spawner, raw};
use static_cell::StaticCell;

use crate::meter;

/// For `#[embassy_executor::main(executor = "mps2::Executor", entry = "cortex_m_rt::entry")]`.
pub struct Executor(());

impl Executor {
    /// One for the program.
    #[expect(clippy::new_without_default, reason = "what the attribute calls")]
    pub const fn new() -> Self {
        Self(())
    }

    /// Runs tasks for ever.
    pub fn run(&'static mut self, init: impl FnOnce(Spawner)) -> ! {
        static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
        let executor = EXECUTOR.init(raw::Executor::new(ptr::null_mut()));
        init(executor.spawner());
        loop {
            // SAFETY: only here, so it is never polled while it is.
            unsafe { executor.poll() };
            critical_section::with(|_| {
                // An interrupt from here on ends the sleep, and is handled after it.
                if !WOKEN.load(Ordering::Relaxed) {
                    meter::sleep();
                }
                WOKEN.store(false, Ordering::Relaxed);
            });
        }
    }
}

/// Some task is to be polled.
static WOKEN: AtomicBool = AtomicBool::new(false);

// SAFETY: the name and the type that embassy-executor asks for.
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    WOKEN.store(true, Ordering::Relaxed);
}
