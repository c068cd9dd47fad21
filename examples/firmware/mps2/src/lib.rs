//! What firmware needs of Arm's MPS2 board with a Cortex-M3 (image AN385), which QEMU emulates.
//!
//! [`Executor`] runs tasks and sleeps in between, [`ethernet`] is the board's LAN9118, [`console`] its UART,
//! [`meter`] counts what programs cost. embassy-time has its driver from here: link this crate, call [`init`].
#![no_std]

pub mod console;
mod executor;
mod interrupts;
mod lock;
pub mod meter;
mod panic;

pub use executor::Executor;
pub use lock::{TimedMutex, longest_hold};

use cmsdk_timer::Timers;
use cygnet_lan9118::{Mmio, Shared};

embassy_time_driver::time_driver_impl!(
    // SAFETY: the board's first two timers, which nothing else uses.
    static TIMERS: Timers<CYCLES_PER_TICK> = unsafe { Timers::new(0x4000_0000, 0x4000_1000) }
);

/// The board's Ethernet controller. Its interrupt is enabled by [`enable_ethernet_interrupt`].
// SAFETY: the board's LAN9118, which nothing else uses.
pub static ETHERNET: Shared<Mmio> = Shared::new(unsafe { Mmio::new(0x4020_0000) });

/// Starts the console, the logger and the clock.
pub fn init() {
    console::init();
    TIMERS.start();
    interrupts::enable(interrupts::CLOCK);
    interrupts::enable(interrupts::ALARM);
}

/// To be called when there is a driver for [`ETHERNET`].
pub fn enable_ethernet_interrupt() {
    interrupts::enable(interrupts::ETHERNET);
}

/// Ends the emulation, with a status that says whether all went well.
pub fn exit(good: bool) -> ! {
    use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};
    loop {
        exit(if good { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
}

/// 32 bytes from the best source there is. This board has no source of random numbers at all: a real one
/// takes them from its generator, since whoever guesses them can forge connections.
pub fn seed() -> [u8; 32] {
    let mut seed = [0x5A; 32];
    seed[..8].copy_from_slice(&TIMERS.cycles().to_le_bytes());
    seed
}

/// The timers count at 25 MHz, and embassy-time counts microseconds.
const CYCLES_PER_TICK: u32 = 25;
