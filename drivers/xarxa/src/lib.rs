//! [`XarxaDriver`] lets cygnet run on a driver that was written for [xarxa](xarxa_driver).
//!
//! A received frame is read in the buffer that the driver put it in, and a frame to send is written where the driver
//! sends it from: nothing is copied. The buffers are those of xarxa-driver's static pool, whose size is a setting of
//! that crate.
#![no_std]
#![forbid(unsafe_code)]

mod driver;
mod offload;

pub use driver::{XarxaDriver, XarxaRx, XarxaTx};
pub use xarxa_driver::NotSupported;
