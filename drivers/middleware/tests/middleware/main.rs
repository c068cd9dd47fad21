//! The decorators around a driver that does as it is told.

mod fault;
#[cfg(feature = "std")]
mod pcap;
mod support;
mod tracer;
