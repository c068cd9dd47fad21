//! An async driver for the LAN9118 family of Ethernet controllers: LAN9115 to LAN9118, LAN9215 to
//! LAN9218, LAN9210, LAN9211, LAN9220 and LAN9221, which hang on a memory bus like a RAM does.
//!
//! It is interrupt driven and allocates nothing. With the feature `cygnet`, which is on by default, it is
//! a `cygnet_driver::Driver`; with `embassy` it is an `embassy_net_driver::Driver` too. For others there are
//! `poll_receive`, `poll_transmit` and `poll_link`.
//!
//! - [`Shared`] is what the interrupt handler and the driver have in common. It goes into a `static`.
//! - [`Lan9118`] is the driver, for a stack's runner. It brings the chip up and follows its link.
//! - [`Buffers`] holds one frame each way while a stack reads or writes it. More frames wait in the
//!   chip's own FIFOs.
//! - [`Bus`] is how registers are reached. [`Mmio`] is the memory bus, and the only place here with
//!   `unsafe` code.
//!
//! ```
//! # #[cfg(feature = "cygnet")]
//! # fn firmware() -> Result<(), cygnet_lan9118::Error> {
//! use cygnet_lan9118::{Buffers, Config, Lan9118, Mmio, Shared};
//! # struct StaticCell;
//! # impl StaticCell { fn take(&self) -> &'static mut Buffers { Box::leak(Box::new(Buffers::new())) } }
//! # let buffers = StaticCell;
//!
//! // SAFETY: the board has a LAN9118 there, and nothing else uses it.
//! static ETHERNET: Shared<Mmio> = Shared::new(unsafe { Mmio::new(0x4020_0000) });
//!
//! // The handler of the chip's interrupt line.
//! fn ethernet_interrupt() {
//!     ETHERNET.on_interrupt();
//! }
//!
//! let config = Config::new([0x02, 0, 0, 0, 0x69, 0x02]);
//! let driver = Lan9118::new(&ETHERNET, buffers.take(), config)?;
//! // From here on the interrupt may be enabled, and the driver is given to a stack.
//! # Ok(()) }
//! ```
//!
//! # Frames and words
//!
//! The chip moves words. A frame starts two bytes into the first one, in both directions, so that the IP
//! header after the 14 bytes of Ethernet, and what follows it, lie on word boundaries in memory: copies
//! and checksums of payload then run word by word.
//!
//! # Interrupts
//!
//! The handler masks what it was called for and wakes the task; the task unmasks it when it has found
//! nothing more to do. While frames keep coming there are therefore no interrupts at all.
#![no_std]
#![deny(unsafe_code)]

mod buffers;
mod bus;
mod counters;
mod device;
mod error;
mod filter;
mod mac;
mod phy;
mod receiver;
mod registers;
mod shared;
mod start;
mod transmitter;

#[cfg(feature = "cygnet")]
mod cygnet;
#[cfg(feature = "embassy")]
mod embassy;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

pub use buffers::Buffers;
pub use bus::{Bus, Mmio};
pub use counters::Counters;
pub use device::{Config, Lan9118};
pub use error::Error;
pub use receiver::RxToken;
pub use shared::Shared;
pub use transmitter::TxToken;

/// The longest frame in bytes, with its Ethernet header and without the frame check sequence.
pub const MAX_FRAME_LEN: usize = 1514;
