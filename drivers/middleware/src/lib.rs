//! Drivers around drivers: each is a [`Driver`](cygnet_driver::Driver) itself, so they stack.
//!
//! | decorator | what it does |
//! | --- | --- |
//! | [`Tracer`] | prints every frame, on one line or in full |
//! | [`FaultInjector`] | drops and corrupts frames on purpose |
//! | `PcapWriter` (feature `std`) | writes every frame to a file for Wireshark |
//!
//! # Which way to stack
//!
//! A decorator sees received frames after the one inside it and sent frames before it:
//!
//! ```text
//! stack - FaultInjector - Tracer - PcapWriter - device
//!
//! let device = FaultInjector::new(Tracer::new(device, sink), clock, config, seed);
//! ```
//!
//! With the tracer *inside* the fault injector, as above, it shows what was on the wire: received
//! frames that the injector then drops are in the trace, sent frames that it drops are not. With the
//! tracer *outside* it shows what the stack sees: the other way round. The frames missing in either
//! trace come out of [`FaultInjector::with_sink`], which hands over each frame together with what
//! happened to it; [`FrameSummary`] prints it like the tracer does.
//!
//! All of them pass on metadata, link state, hardware address, multicast filter and capabilities; only
//! the fault injector narrows the capabilities, and says why.
#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![forbid(unsafe_code)]

mod decode;
mod direction;
mod fault;
#[cfg(feature = "std")]
mod pcap;
mod tap;
mod tracer;

pub use decode::FrameSummary;
pub use direction::Direction;
pub use fault::{Fault, FaultConfig, FaultInjector, FaultKind, FaultSink, Silent};
#[cfg(feature = "std")]
pub use pcap::{Pcap, PcapMode, PcapWriter};
pub use tap::{Observer, Tap, TappedToken};
pub use tracer::{Detail, Trace, TraceSink, Tracer, WriteSink};

/// The tokens of a [`FaultInjector`].
pub mod token {
    pub use crate::fault::{FaultyRxToken, FaultyTxToken};
}
